//! An invalid credential that a browser sends by itself: absent where a credential is optional, but neither where it could not be
//! judged nor for the page of another origin.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use auth_runtime::Auth;
use auth_runtime::routing::any;
use auth_runtime::source::Header;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::verify::{Excerpt, TokenClaims, VerifiedToken, Verifier, VerifyError};
use auth_runtime::{Principal, Router, auth};
use axum::http::header;

use super::optional;
use crate::support::flaky::FlakyStore;
use crate::support::{request, send};

/// The name of the cookie and what is in it.
fn cookie(value: &str) -> String {
    format!("__Host-access_token={value}")
}

#[auth(source = ["cookie", "bearer"])]
async fn required() {}

fn app(auth: &Auth) -> axum::Router {
    let routes = Router::new().route("/optional", any(optional)).route("/required", any(required));
    routes.finish(auth).unwrap()
}

/// What a verifier can say of a token, by the token.
#[derive(Debug)]
struct SaysAll;

static ALL: LazyLock<[(&str, VerifyError); 16]> = LazyLock::new(|| {
    [
        ("malformed", VerifyError::Malformed("it is")),
        ("algorithm", VerifyError::AlgorithmNotAllowed),
        ("type", VerifyError::TypeNotAllowed),
        ("key", VerifyError::UnknownKey),
        ("signature", VerifyError::BadSignature),
        ("expired", VerifyError::Expired),
        ("nbf", VerifyError::NotYetValid),
        ("iat", VerifyError::IssuedInTheFuture),
        ("lifetime", VerifyError::LifetimeTooLong),
        ("issuer", VerifyError::UntrustedIssuer(Excerpt::new("https://evil.example"))),
        ("audience", VerifyError::WrongAudience(Excerpt::new("billing"))),
        ("missing", VerifyError::MissingClaim("sub")),
        ("invalid", VerifyError::InvalidClaim("sub")),
        ("rule", VerifyError::ClaimRejected),
        ("unavailable", VerifyError::Unavailable(Cow::Borrowed("the key set is out of reach"))),
        ("other", VerifyError::Other(Cow::Borrowed("another reason"))),
    ]
});

impl Verifier for SaysAll {
    fn verify(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        match ALL.iter().find(|(name, _)| *name == token) {
            Some((_, error)) => Err(error.clone()),
            None => TokenClaims::from_json(br#"{"sub":"alice","exp":4000000000}"#).map(VerifiedToken::new),
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_cookie_it_counts_as_absent() {
    let auth =
        Auth::builder().verifier(SaysAll).max_token_lifetime(Duration::from_secs(1 << 40)).build().unwrap();
    let app = app(&auth);
    for (name, error) in ALL.iter().map(|(name, error)| (*name, Some(error))).chain([("good", None)]) {
        let sent = cookie(name);
        let by_cookie = send(&app, request("GET", "/optional", &[("cookie", &sent)])).await;
        let is_cleared = by_cookie.header("set-cookie").starts_with("__Host-access_token=; ");
        let expected = match error {
            None => (200, "alice", false),
            // It may be valid later.
            Some(VerifyError::NotYetValid | VerifyError::IssuedInTheFuture) => (200, "nobody", false),
            Some(VerifyError::Unavailable(_)) => (503, "", false),
            Some(_) => (200, "nobody", true),
        };
        let body = if by_cookie.status == 200 { &*by_cookie.body } else { "" };
        assert_eq!((by_cookie.status.as_u16(), body, is_cleared), expected, "{name}");

        // An explicit one is rejected, and elsewhere a cookie is: another service of this host may know it.
        let bearer = format!("Bearer {name}");
        let status = match error {
            None => 200,
            Some(VerifyError::Unavailable(_)) => 503,
            Some(_) => 401,
        };
        for (path, credential) in
            [("/optional", ("authorization", &bearer)), ("/required", ("cookie", &sent))]
        {
            let reply = send(&app, request("GET", path, &[(credential.0, credential.1)])).await;
            assert_eq!(reply.status, status, "{name} {path}");
            assert!(!reply.headers.contains_key("set-cookie"), "{name} {path}");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_origin_neither_learns_of_a_cookie_nor_clears_it() {
    let test = TestAuth::new();
    let app = app(test.auth());
    let good = cookie(&test.token(&TestUser::new("alice")));
    let foreign = [("host", "shop.example"), ("origin", "https://evil.example")];
    for sent in [good.clone(), cookie("bad"), cookie(""), cookie("a b"), format!("{good}; {good}")] {
        for path in ["/optional", "/required"] {
            let headers: Vec<_> = foreign.iter().copied().chain([("cookie", sent.as_str())]).collect();
            for method in ["POST", "QUERY"] {
                let reply = send(&app, request(method, path, &headers)).await;
                assert_eq!(reply.status, 403, "{method} {path} {sent:.40}");
                assert!(!reply.headers.contains_key("set-cookie"), "{method} {path} {sent:.40}");
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_cookie_counts_as_absent_and_one_that_could_not_be_judged_does_not() {
    let store = FlakyStore::default();
    let test = TestAuth::with(|builder| builder.store(store.clone()));
    test.auth().catch_up().await.unwrap();
    let app = app(test.auth());
    let sent = cookie(&test.token(&TestUser::new("alice")));
    let ask = async || send(&app, request("GET", "/optional", &[("cookie", &sent)])).await;
    assert_eq!(ask().await.body, "alice");
    test.auth().revocations().revoke_user(&TestUser::new("alice").principal()).await.unwrap();
    let reply = ask().await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "nobody"));
    assert!(reply.header("set-cookie").starts_with("__Host-access_token=; "));

    let store = FlakyStore::default();
    store.set_broken(true);
    let test = TestAuth::with(|builder| builder.store(store.clone()));
    let app = self::app(test.auth());
    let sent = cookie(&test.token(&TestUser::new("alice")));
    let reply = send(&app, request("GET", "/optional", &[("cookie", &sent)])).await;
    assert_eq!(reply.status, 503);
    assert!(!reply.headers.contains_key("set-cookie"));
}

/// There is no cookie to clear.
#[tokio::test]
async fn a_password_of_the_browser_counts_as_absent() {
    #[auth(optional, source = "basic")]
    async fn by_password(user: Option<Principal>) -> String {
        user.map_or("nobody".into(), |user| user.subject().to_owned())
    }
    let test = TestAuth::with(|builder| {
        builder.source(Header::new("basic", header::AUTHORIZATION).with_scheme("Basic"))
    });
    let app = Router::new().route("/", any(by_password)).finish(test.auth()).unwrap();
    let good = format!("Basic {}", test.token(&TestUser::new("alice")));
    for (sent, expected) in [(good.as_str(), "alice"), ("Basic YTpi", "nobody"), ("Basic", "nobody")] {
        let reply = send(&app, request("GET", "/", &[("authorization", sent)])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, expected), "{sent}");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
}
