//! Schemes: credentials that authenticators of the application's own judge, next to tokens, in one engine and one rule.

mod answers;
mod attribute;
mod places;
mod remembered;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::authenticator::{
    Authenticated, Authentication, Authenticator, BoxError, Credential, CredentialPlace, Subject,
};
use auth_runtime::routing::{any, get};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth};
use axum::http::request::Parts;

use crate::support::{request, send};

#[auth(source = ["bearer", "partner", "session"])]
async fn who(caller: Principal) -> String {
    format!("{} {} {}", caller.scheme(), caller.issuer().unwrap_or("-"), caller.subject())
}

#[auth(optional, source = ["bearer", "partner", "session"])]
async fn maybe(caller: Option<Principal>) -> String {
    caller.map_or_else(|| "nobody".to_owned(), |caller| format!("{} {}", caller.scheme(), caller.subject()))
}

/// The credential says what is answered.
async fn says(credential: Credential, calls: Arc<AtomicUsize>) -> Result<Authentication, BoxError> {
    calls.fetch_add(1, Ordering::SeqCst);
    Ok(match credential.text() {
        "absent" => Authentication::Absent,
        "invalid" => Authentication::Invalid("it says so".into()),
        "unavailable" => return Err("the database is down".into()),
        "panic" => panic!("the authenticator panics"),
        "hangs" => std::future::pending().await,
        name => Authenticated::new(Subject::new(name).roles(["partner"])).into(),
    })
}

fn with_schemes(builder: AuthBuilder, calls: &Arc<AtomicUsize>) -> AuthBuilder {
    builder
        .authenticator_with("partner", CredentialPlace::header("X-Partner"), says, Arc::clone(calls))
        .authenticator_with("session", CredentialPlace::cookie("session"), says, Arc::clone(calls))
}

fn app() -> (TestAuth, axum::Router, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let test = TestAuth::with(|builder| with_schemes(builder, &calls));
    let routes = Router::new().route("/who", any(who)).route("/maybe", any(maybe));
    let app = routes.finish(test.auth()).unwrap();
    (test, app, calls)
}

#[tokio::test]
async fn the_first_credential_that_is_present_decides_whichever_scheme_it_is_of() {
    let (test, app, calls) = app();
    let token = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let partner = |text| ("x-partner", text);
    let session = |text| ("cookie", text);
    let bearer = "authorization";
    type Row<'a> = (&'a [(&'a str, &'a str)], u16, &'a str, usize);
    let rows: &[Row<'_>] = &[
        (&[], 401, "", 0),
        (&[(bearer, &token)], 200, "jwt https://issuer.test alice", 0),
        (&[partner("acme")], 200, "partner urn:auth-runtime:scheme:partner acme", 1),
        (&[session("session=bob")], 200, "session urn:auth-runtime:scheme:session bob", 1),
        // In the order of the rule; what a browser sends by itself comes last.
        (&[partner("acme"), (bearer, &token)], 200, "jwt https://issuer.test alice", 0),
        (&[session("session=bob"), partner("acme")], 200, "partner urn:auth-runtime:scheme:partner acme", 1),
        // An invalid one is never skipped for the next.
        (&[partner("acme"), (bearer, "Bearer x")], 401, "", 0),
        (&[partner("invalid"), session("session=bob")], 401, "", 1),
        (&[partner("unavailable"), session("session=bob")], 503, "", 1),
        (&[partner("panic"), session("session=bob")], 500, "", 1),
        // One that is none is.
        (&[partner("absent"), session("session=bob")], 200, "session urn:auth-runtime:scheme:session bob", 2),
        (&[partner("absent"), session("session=absent")], 401, "", 2),
        (&[partner("absent"), session("session=invalid")], 401, "", 2),
        // What can't be a credential, and one that is sent twice.
        (&[partner("a b")], 401, "", 0),
        (&[partner("")], 401, "", 0),
        (&[partner("acme"), partner("acme")], 400, "", 0),
        (&[session("session=bob; session=bob")], 400, "", 0),
    ];
    for (headers, status, body, asked) in rows {
        calls.store(0, Ordering::SeqCst);
        let reply = send(&app, request("GET", "/who", headers)).await;
        assert_eq!(reply.status, *status, "{headers:?}");
        assert_eq!(calls.load(Ordering::SeqCst), *asked, "{headers:?}");
        if *status == 200 {
            assert_eq!(reply.body, *body, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn an_optional_route_takes_an_invalid_session_for_none_and_no_other_credential() {
    let (_, app, _) = app();
    for (headers, status, body) in [
        (&[][..], 200, "nobody"),
        (&[("cookie", "session=bob")], 200, "session bob"),
        (&[("cookie", "session=absent")], 200, "nobody"),
        (&[("cookie", "session=invalid")], 200, "nobody"),
        (&[("cookie", "session=unavailable")], 503, ""),
        (&[("cookie", "session=panic")], 500, ""),
        (&[("x-partner", "absent")], 200, "nobody"),
        (&[("x-partner", "invalid")], 401, ""),
        (&[("x-partner", "unavailable")], 503, ""),
    ] {
        let reply = send(&app, request("GET", "/maybe", headers)).await;
        let body = if status == 200 { body } else { &*reply.body };
        assert_eq!((reply.status.as_u16(), &*reply.body), (status, body), "{headers:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_before_the_session_is_looked_up() {
    let (_, app, calls) = app();
    let foreign = [("host", "shop.example"), ("origin", "https://evil.example"), ("cookie", "session=bob")];
    let reply = send(&app, request("POST", "/who", &foreign)).await;
    assert_eq!((reply.status.as_u16(), calls.load(Ordering::SeqCst)), (403, 0));
    let own = [("host", "shop.example"), ("origin", "https://shop.example"), ("cookie", "session=bob")];
    assert_eq!(send(&app, request("POST", "/who", &own)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_authenticator_that_hangs_ends_with_the_services_own_timeout() {
    let (_, app, _) = app();
    let asked = send(&app, request("GET", "/who", &[("x-partner", "hangs")]));
    assert!(tokio::time::timeout(std::time::Duration::from_secs(3600), asked).await.is_err());
    assert_eq!(send(&app, request("GET", "/who", &[("x-partner", "acme")])).await.status, 200);
}

#[tokio::test]
async fn a_token_cannot_claim_to_be_a_caller_of_an_authenticator() {
    use auth_runtime::session::SigningKey;
    use auth_runtime::verify::{Algorithm, TrustedIssuer};

    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let issuer = TrustedIssuer::dangerously_accept_any_issuer().audience("test").key(key.verifying_key());
    let auth = Auth::builder().issuer(issuer).clock(auth_runtime::testing::TestClock::new()).build().unwrap();
    let app = Router::new().route("/", get(default_sources)).finish(&auth).unwrap();
    for (issuer, expected) in [
        ("https://any.example", 200),
        ("urn:auth-runtime:scheme:partner", 401),
        ("urn:auth-runtime:scheme:", 401),
    ] {
        let claims = serde_json::json!({"iss": issuer, "aud": "test", "sub": "acme", "exp": 1_800_000_060});
        let token = format!("Bearer {}", key.sign(&claims).unwrap());
        let reply = send(&app, request("GET", "/", &[("authorization", &token)])).await;
        assert_eq!(reply.status, expected, "{issuer}");
    }
    let named = TrustedIssuer::new("urn:auth-runtime:scheme:partner").audience("a").key(key.verifying_key());
    let error = Auth::builder().issuer(named).build().unwrap_err().to_string();
    assert!(error.contains("has a name that is reserved for the callers of authenticators"), "{error}");
}

#[auth]
async fn default_sources(caller: Principal) -> String {
    caller.scheme().to_owned()
}

/// A trait's implementation sees the head.
struct OfPath;

impl Authenticator for OfPath {
    async fn authenticate(&self, credential: &str, head: &Parts) -> Result<Authentication, BoxError> {
        Ok((head.uri.path().ends_with(credential)).then(|| Subject::new(credential)).into())
    }

    fn challenge_scheme(&self) -> Option<String> {
        Some("Path".into())
    }
}

#[tokio::test]
async fn an_engine_needs_no_issuer_and_then_its_only_scheme_is_the_default() {
    let auth = Auth::builder()
        .authenticator("path", CredentialPlace::authorization("Path"), Arc::new(OfPath))
        .build()
        .unwrap();
    let app = Router::new().route("/acme", get(default_sources)).finish(&auth).unwrap();
    for (sent, status, body) in
        [("Path acme", 200, "path"), ("Path other", 401, ""), ("Bearer acme", 401, "")]
    {
        let reply = send(&app, request("GET", "/acme", &[("authorization", sent)])).await;
        assert_eq!(reply.status, status, "{sent}");
        if status == 200 {
            assert_eq!(reply.body, body);
        } else {
            assert!(reply.header("www-authenticate").starts_with("Path realm="), "{sent}");
        }
    }
}
