//! What a cache may do with an answer: `Vary` and `Cache-Control` (RFC 9110 §12.5.5, RFC 9111 §3.5).

use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::source::{Carrier, CredentialSource, Extracted, Header};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, rule};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use crate::support::people::{People, issuer};
use crate::support::{Reply, request, send};

#[auth(public)]
async fn public() {}

#[auth]
async fn by_default() {}

#[auth(optional, source = ["cookie", "bearer"])]
async fn optional() {}

#[auth(source = "cookie")]
async fn by_cookie() {}

#[auth(source = "partner")]
async fn by_key() {}

#[auth(source = "basic")]
async fn by_password() {}

#[auth(source = ["token", "bearer", "partner", "query"])]
async fn by_many() {}

#[auth(source = "query")]
async fn by_url() {}

#[auth(source = "own")]
async fn by_own() {}

#[auth(source = ["cookie", "bearer"])]
async fn says_something() -> [(HeaderName, &'static str); 2] {
    [(VARY, "Accept, COOKIE"), (CACHE_CONTROL, "public, max-age=60")]
}

#[auth(source = "cookie")]
async fn says_all() -> [(HeaderName, &'static str); 1] {
    [(VARY, "*")]
}

#[auth(source = "cookie", roles = ["admin"])]
async fn for_admins() {}

/// It does not say where it looks.
#[derive(Debug)]
struct Own;

impl CredentialSource for Own {
    fn name(&self) -> &'static str {
        "own"
    }

    fn carrier(&self) -> Carrier {
        Carrier::Explicit
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        let value = head.headers.get("x-own").and_then(|value| value.to_str().ok());
        value.map_or(Extracted::Absent, |text| Extracted::Present(text.into()))
    }
}

fn test_auth() -> TestAuth {
    TestAuth::with(|builder| {
        builder
            .dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
            .source(Header::new("partner", HeaderName::from_static("x-partner-token")))
            .source(Header::new("token", AUTHORIZATION).with_scheme("Token"))
            .source(Header::new("basic", AUTHORIZATION).with_scheme("Basic"))
            .source(Own)
    })
}

fn routes() -> Router {
    Router::new()
        .route("/public", get(public))
        .route("/default", get(by_default))
        .route("/optional", get(optional))
        .route("/cookie", get(by_cookie))
        .route("/key", get(by_key))
        .route("/password", get(by_password))
        .route("/many", get(by_many))
        .route("/url", get(by_url))
        .route("/own", get(by_own))
        .route("/says", get(says_something))
        .route("/says-all", get(says_all))
        .route("/admins", get(for_admins))
        .route("/caller", (axum::routing::get(async |_: Principal| ()), rule!(optional, source = "cookie")))
        .route("/beside", (axum::routing::get(|| async {}), rule!(source = ["partner", "cookie"])))
}

fn all(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// Path, where the credential is, status, `Vary`, `Cache-Control`.
type Row<'a> = (&'a str, &'a str, u16, &'a [&'a str], &'a str);

const TABLE: &[Row<'_>] = &[
    // Nothing is looked at.
    ("/public", "", 200, &[], ""),
    ("/public", "cookie", 200, &[], ""),
    ("/nowhere", "cookie", 404, &[], ""),
    // A header that shared caches know.
    ("/default", "", 401, &["authorization"], "no-store"),
    ("/default", "bearer", 200, &["authorization"], ""),
    ("/default", "bad bearer", 401, &["authorization"], "no-store"),
    // All sources are looked at, whichever has the credential.
    ("/optional", "", 200, &["authorization, cookie"], ""),
    ("/optional", "bearer", 200, &["authorization, cookie"], ""),
    ("/optional", "cookie", 200, &["authorization, cookie"], "private"),
    ("/optional", "bad bearer", 401, &["authorization, cookie"], "no-store"),
    // The answer clears the cookie.
    ("/optional", "bad cookie", 200, &["authorization, cookie"], "no-store"),
    ("/cookie", "", 401, &["cookie"], "no-store"),
    ("/cookie", "cookie", 200, &["cookie"], "private"),
    ("/cookie", "bad cookie", 401, &["cookie"], "no-store"),
    ("/cookie", "two cookies", 400, &["cookie"], "no-store"),
    ("/admins", "cookie", 403, &["cookie"], "no-store"),
    // Rejected after the gate.
    ("/caller", "", 401, &["cookie"], "no-store"),
    ("/caller", "cookie", 200, &["cookie"], "private"),
    // A header that shared caches do not know.
    ("/key", "key", 200, &["x-partner-token"], "private"),
    ("/key", "", 401, &["x-partner-token"], "no-store"),
    // One that they know, and that the browser sends by itself.
    ("/password", "password", 200, &["authorization"], "private"),
    ("/many", "bearer", 200, &["authorization, x-partner-token"], ""),
    ("/many", "token", 200, &["authorization, x-partner-token"], ""),
    ("/many", "key", 200, &["authorization, x-partner-token"], "private"),
    ("/many", "url", 200, &["authorization, x-partner-token"], "no-store"),
    ("/beside", "cookie", 200, &["x-partner-token, cookie"], "private"),
    ("/beside", "", 401, &["x-partner-token, cookie"], "no-store"),
    // The URL is in the key of every cache.
    ("/url", "url", 200, &[], "no-store"),
    ("/url", "", 401, &[], "no-store"),
    // It could look at anything.
    ("/own", "own", 200, &["*"], "private"),
    ("/own", "", 401, &["*"], "no-store"),
    // What the application says stays.
    ("/says", "cookie", 200, &["Accept, COOKIE", "authorization"], "public, max-age=60"),
    ("/says", "bearer", 200, &["Accept, COOKIE", "authorization"], "public, max-age=60"),
    ("/says", "", 401, &["authorization, cookie"], "no-store"),
    ("/says-all", "cookie", 200, &["*"], "private"),
];

async fn ask(app: &axum::Router, test: &TestAuth, path: &str, credential: &str) -> Reply {
    let good = test.token(&TestUser::new("alice"));
    let cookie = format!("__Host-access_token={good}");
    let (header, value) = match credential {
        "bearer" => ("authorization", format!("Bearer {good}")),
        "bad bearer" => ("authorization", "Bearer bad".into()),
        "token" => ("authorization", format!("Token {good}")),
        "password" => ("authorization", format!("Basic {good}")),
        "key" => ("x-partner-token", good.clone()),
        "own" => ("x-own", good.clone()),
        "cookie" => ("cookie", cookie),
        "bad cookie" => ("cookie", "__Host-access_token=bad".into()),
        "two cookies" => ("cookie", format!("{cookie}; {cookie}")),
        _ => ("x-nothing", String::new()),
    };
    let path = if credential == "url" { format!("{path}?access_token={good}") } else { path.to_owned() };
    send(app, request("GET", &path, &[(header, &value)])).await
}

#[tokio::test]
async fn the_table() {
    let test = test_auth();
    let app = routes().finish(test.auth()).unwrap();
    for &(path, credential, status, vary, cache_control) in TABLE {
        let reply = ask(&app, &test, path, credential).await;
        let found = (reply.status.as_u16(), all(&reply.headers, &VARY), all(&reply.headers, &CACHE_CONTROL));
        let vary: Vec<_> = vary.iter().map(|value| (*value).to_owned()).collect();
        let cache_control: Vec<_> =
            Some(cache_control.to_owned()).filter(|value| !value.is_empty()).into_iter().collect();
        assert_eq!(found, (status, vary, cache_control), "{path} with {credential:?}");
    }
}

/// What a router requires makes a public route depend on a credential.
#[tokio::test]
async fn a_public_route_that_a_router_guards() {
    let test = test_auth();
    let inner = Router::new().route("/x", get(public)).require(rule!(source = "cookie"));
    let app = Router::new().merge(inner).finish(test.auth()).unwrap();
    let reply = ask(&app, &test, "/x", "cookie").await;
    assert_eq!((reply.header("vary"), reply.header("cache-control")), ("cookie", "private"));
}

/// A guarded service in a guarded service: the answer depends on what both look at.
#[tokio::test]
async fn a_gate_within_a_gate() {
    let test = test_auth();
    let inner = axum::Router::new().route("/", axum::routing::get(by_cookie));
    let app =
        Router::new().nest_service("/in", (inner, rule!(source = "partner"))).finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice"));
    let cookie = format!("__Host-access_token={token}");
    let reply = send(&app, request("GET", "/in", &[("x-partner-token", &token), ("cookie", &cookie)])).await;
    assert_eq!(reply.status, 200);
    assert_eq!(all(&reply.headers, &VARY), ["cookie", "x-partner-token"]);
    let reply = send(&app, request("GET", "/in", &[("x-partner-token", &token)])).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("www-authenticate")),
        (401, "Cookie realm=\"restricted\"")
    );
    assert_eq!(all(&reply.headers, &VARY), ["cookie", "x-partner-token"]);
}

/// The refresh cookie is in the same header as the access cookie.
#[tokio::test]
async fn a_renewed_session() {
    let test =
        TestAuth::with(|builder| builder.token_issuer(issuer(&People::default())).renew_transparently());
    let app = Router::new().route("/", get(by_cookie)).finish(test.auth()).unwrap();
    let tokens = test.auth().tokens().unwrap();
    let subject = People::default().find("alice").unwrap().unwrap();
    let issued = tokens.issue(&subject).await.unwrap();
    test.clock().advance(Duration::from_secs(60));
    let cookie = format!("__Host-refresh_token={}", issued.refresh_token);
    let reply = send(&app, request("GET", "/", &[("cookie", &cookie)])).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 2);
    assert_eq!((reply.header("vary"), reply.header("cache-control")), ("cookie", "no-store"));
}
