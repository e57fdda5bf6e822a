//! `WWW-Authenticate`: which schemes, on which answers (RFC 9110 §11.6.1 and §15.5.2).

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{MethodFilter, MethodRouter, get};
use auth_runtime::source::Header;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Auth, Claims, Principal, Router, auth, rule};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::support::flaky::FlakyStore;
use crate::support::{Reply, request, send};

fn configured(hook: Option<fn() -> Response>) -> TestAuth {
    TestAuth::with(|builder| {
        let header = |name: &str, scheme: &str| Header::new(name, AUTHORIZATION).with_scheme(scheme);
        let builder = builder
            .dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
            .source(Header::new("partner", HeaderName::from_static("x-partner-token")))
            .source(Header::new("session", HeaderName::from_static("cookie")))
            .source(Header::new("signed", HeaderName::from_static("x-signature")).with_scheme("Signature"))
            .source(header("token", "Token"))
            .source(header("basic", "basic"))
            .source(header("digest", "Digest"))
            .source(header("negotiate", "Negotiate"))
            .source(header("ntlm", "NTLM"))
            .source(header("dialog", "Basic").open_dialog())
            .source(header("token_dialog", "Other").open_dialog());
        match hook {
            Some(hook) => builder.render_rejections(move |_, _: &Parts| hook()),
            None => builder,
        }
    })
}

fn challenges(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_challenge_names_the_schemes_of_the_route() {
    let test = configured(None);
    for (rule, schemes) in [
        (rule!(), &["Bearer"][..]),
        (rule!(source = "bearer"), &["Bearer"]),
        (rule!(source = "cookie"), &["Cookie"]),
        (rule!(source = "session"), &["Cookie"]),
        (rule!(source = "query"), &["Bearer"]),
        (rule!(source = "partner"), &["ApiKey"]),
        (rule!(source = "signed"), &["Signature"]),
        (rule!(source = "token"), &["Token"]),
        (rule!(source = ["bearer", "cookie"]), &["Bearer", "Cookie"]),
        (rule!(source = ["cookie", "partner", "session"]), &["ApiKey", "Cookie"]),
        (rule!(source = ["query", "bearer"]), &["Bearer"]),
        // None that opens a dialog of the browser, unless it is asked for.
        (rule!(source = "basic"), &["xBasic"]),
        (rule!(source = ["digest", "negotiate", "ntlm"]), &["xDigest", "xNegotiate", "xNTLM"]),
        (rule!(source = "dialog"), &["Basic"]),
        (rule!(source = "token_dialog"), &["Other"]),
    ] {
        let service = axum::routing::any(async || ());
        let route = MethodRouter::new().on_service(MethodFilter::GET, (service, rule));
        let app = Router::new().route("/", route).finish(test.auth()).unwrap();
        let reply = send(&app, request("GET", "/", &[])).await;
        let expected: Vec<_> =
            schemes.iter().map(|scheme| format!("{scheme} realm=\"restricted\"")).collect();
        assert_eq!(challenges(&reply), expected, "{rule}");
    }
}

/// It needs a caller, which the rule does not.
struct Caller;

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        Principal::from_request_parts(head, state).await.map(|_| Self)
    }
}

#[auth(optional, source = ["cookie", "partner"])]
async fn needs_a_caller(_: Caller) {}

#[auth(source = "cookie")]
async fn needs_a_number(_: Claims<u8>) {}

/// On a router of axum's own too.
#[tokio::test]
async fn the_extractors_after_the_gate_name_them_too() {
    let test = configured(None);
    let plain = axum::Router::new()
        .route("/caller", axum::routing::get(needs_a_caller))
        .route("/number", axum::routing::get(needs_a_number))
        .layer(test.auth().layer());
    let guarded = Router::new()
        .route("/caller", get(needs_a_caller))
        .route("/number", get(needs_a_number))
        .finish(test.auth());
    let cookie = format!("__Host-access_token={}", test.token(&TestUser::new("alice")));
    for app in [plain, guarded.unwrap()] {
        let reply = send(&app, request("GET", "/caller", &[])).await;
        let expected = ["ApiKey realm=\"restricted\"", "Cookie realm=\"restricted\""];
        assert_eq!((reply.status.as_u16(), &*challenges(&reply)), (401, &expected[..]));
        let reply = send(&app, request("GET", "/number", &[("cookie", &cookie)])).await;
        let expected = ["Cookie realm=\"restricted\", error=\"invalid_token\""];
        assert_eq!((reply.status.as_u16(), &*challenges(&reply)), (401, &expected[..]));
    }
}

#[auth(source = ["cookie", "bearer"], roles = ["admin"])]
async fn for_admins() {}

/// What a hook answers with, and for which kinds of rejection the answer has a challenge: 400, 401, 403, a page of another origin,
/// a store that can't be read.
type Answer = (fn() -> Response, u16, [bool; 5]);

const ANSWERS: &[Answer] = &[
    (|| StatusCode::BAD_REQUEST.into_response(), 400, [true, true, true, false, false]),
    (|| StatusCode::UNAUTHORIZED.into_response(), 401, [true; 5]),
    (|| StatusCode::FORBIDDEN.into_response(), 403, [true, true, true, false, false]),
    (|| StatusCode::NOT_FOUND.into_response(), 404, [false; 5]),
    (|| StatusCode::GONE.into_response(), 410, [false; 5]),
    (|| StatusCode::TOO_MANY_REQUESTS.into_response(), 429, [false; 5]),
    (|| StatusCode::INTERNAL_SERVER_ERROR.into_response(), 500, [false; 5]),
    (|| StatusCode::SERVICE_UNAVAILABLE.into_response(), 503, [false; 5]),
    (|| Redirect::to("/login").into_response(), 303, [false; 5]),
    (|| Redirect::temporary("/login").into_response(), 307, [false; 5]),
    (|| (StatusCode::FOUND, [("location", "/login")]).into_response(), 302, [false; 5]),
    (|| (StatusCode::NOT_FOUND, [("www-authenticate", "Basic")]).into_response(), 404, [false; 5]),
    (|| (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic")]).into_response(), 401, [true; 5]),
];

#[tokio::test]
async fn a_challenge_is_on_400_401_and_403_alone() {
    for &(hook, status, expected) in ANSWERS {
        let test = configured(Some(hook));
        let app = Router::new().route("/", get(for_admins).post(for_admins)).finish(test.auth()).unwrap();
        let cookie = format!("__Host-access_token={}", test.token(&TestUser::new("alice")));
        let twice = format!("{cookie}; {cookie}");
        let store = FlakyStore::default();
        store.set_broken(true);
        let broken =
            TestAuth::with(|builder| builder.store(store).render_rejections(move |_, _: &Parts| hook()));
        let unavailable = Router::new().route("/", get(for_admins)).finish(broken.auth()).unwrap();
        let other = format!("__Host-access_token={}", broken.token(&TestUser::new("alice")));
        let foreign = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
        let requests = [
            (&app, request("GET", "/", &[("cookie", &twice)])),
            (&app, request("GET", "/", &[])),
            (&app, request("GET", "/", &[("cookie", &cookie)])),
            (&app, request("POST", "/", &foreign)),
            (&unavailable, request("GET", "/", &[("cookie", &other)])),
        ];
        for ((app, request), is_expected) in requests.into_iter().zip(expected) {
            let reply = send(app, request).await;
            assert_eq!(reply.status, status);
            let found = challenges(&reply);
            assert_eq!(!found.is_empty(), is_expected, "{status}: {found:?}");
            let is_own =
                |challenge: &&str| challenge.starts_with("Bearer ") || challenge.starts_with("Cookie ");
            assert!(found.iter().all(is_own), "{found:?}");
        }
    }
}

#[test]
fn a_scheme_is_a_token() {
    let build = |scheme: &str| {
        let header = Header::new("token", AUTHORIZATION).with_scheme(scheme);
        Auth::builder().source(header).build().unwrap_err().to_string()
    };
    for scheme in ["", "To ken", "Token,", "Tok\"en", "Tökèn"] {
        assert!(build(scheme).contains("can't be an authentication scheme"), "{scheme}");
    }
    assert!(!build("Token").contains("authentication scheme"));
}
