//! Tokens that no request brought: `Auth::verify` says what the gate says.

mod schemes;

use std::time::Duration;

use auth_runtime::clock::Clock;
use auth_runtime::rejection::{CallerError, CallerErrorKind, Rejection, RejectionKind};
use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::testing::{TestAuth, TestClock, TestUser};
use auth_runtime::verify::{Algorithm, ClaimRule, TrustedIssuer};
use auth_runtime::{Auth, Router, auth};
use auth_tests_declared::VOCABULARY;
use axum::Extension;
use serde_json::json;

use crate::captured_log::CapturedLog;
use crate::support::flaky::FlakyStore;
use crate::support::{request, send, status};

const ISSUER: &str = "https://auth.test";
const AUDIENCE: &str = "test";

#[auth]
async fn guarded() {}

fn app(auth: &Auth) -> axum::Router {
    Router::new().route("/", get(guarded)).finish(auth).unwrap()
}

async fn kind(auth: &Auth, token: &str) -> Option<CallerErrorKind> {
    auth.verify(token).await.err().map(|error| error.kind())
}

/// The seconds that its clock shows.
const NOW: i64 = 1_800_000_000;

#[tokio::test]
async fn it_says_what_the_gate_says_and_why() {
    let test = TestAuth::new();
    let auth = test.auth();
    let app = app(auth);
    let alice = || TestUser::new("alice");
    let revoke = async |revocation| auth.revocations().revoke(revocation).await.unwrap();
    let revoked = |user: TestUser| test.token(&user);
    let [by_id, by_session, by_user] = [
        revoked(alice().claim("jti", "gone")),
        revoked(alice().claim("sid", "ended")),
        revoked(TestUser::new("eve")),
    ];
    let issuer = test.principal(&alice()).issuer().unwrap().to_owned();
    revoke(Revocation::Token { issuer: issuer.clone(), token_id: "gone".into() }).await;
    revoke(Revocation::Session { issuer: issuer.clone(), session_id: "ended".into() }).await;
    let issued_at_or_before = auth.now();
    revoke(Revocation::User { issuer, subject: "eve".into(), issued_at_or_before }).await;
    let good = test.token(&alice());
    let mut forged = good.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'E' } else { 'A' });
    use CallerErrorKind::{Expired, Invalid, NotYetValid, Revoked};
    for (what, token, expected) in [
        ("valid", good.clone(), None),
        ("within the leeway", test.token(&alice().claim("exp", NOW - 59)), None),
        ("expired", test.token(&alice().claim("exp", NOW - 60)), Some(Expired)),
        ("not yet valid", test.token(&alice().claim("nbf", NOW + 61)), Some(NotYetValid)),
        ("issued in the future", test.token(&alice().claim("iat", NOW + 61)), Some(NotYetValid)),
        ("too long a lifetime", test.token(&alice().claim("exp", NOW + 100_000)), Some(Invalid)),
        ("for another service", test.token(&alice().claim("aud", "other")), Some(Invalid)),
        ("of another issuer", test.token(&alice().claim("iss", "other")), Some(Invalid)),
        ("without a subject", test.token(&alice().claim("sub", "")), Some(Invalid)),
        ("roles of another type", test.token(&alice().claim("roles", 1)), Some(Invalid)),
        ("a forged signature", forged, Some(Invalid)),
        ("another engine's", TestAuth::new().token(&alice()), Some(Invalid)),
        ("no token", "secret".into(), Some(Invalid)),
        ("too long", "a".repeat(20_000), Some(Invalid)),
        ("revoked by its id", by_id, Some(Revoked)),
        ("its session has ended", by_session, Some(Revoked)),
        ("its user is logged out", by_user, Some(Revoked)),
    ] {
        for turn in ["at first", "and then"] {
            let verified = auth.verify(&token).await;
            let found = verified.as_ref().err().map(CallerError::kind);
            assert_eq!(found, expected, "{what}, {turn}");
            let by_gate = status(&app, "GET", "/", Some(&token)).await;
            let by_kind =
                verified.as_ref().err().map_or(200, |error| error.rejection_kind().status().as_u16());
            assert_eq!(by_gate, by_kind, "{what}, {turn}");
            if let Err(error) = verified {
                assert_eq!(error.rejection_kind(), RejectionKind::InvalidToken);
                assert!(
                    !error.to_string().is_empty() && !error.to_string().contains(&token),
                    "{what}: {error}"
                );
            }
        }
    }
    for (what, text) in [("empty", String::new()), ("with its scheme", format!("Bearer {good}"))] {
        assert_eq!(kind(auth, &text).await, Some(Invalid), "{what}");
    }
}

#[tokio::test]
async fn the_caller_is_that_of_the_gate() {
    let test = TestAuth::with(|builder| builder.vocabulary(&VOCABULARY));
    let token = test.token(&TestUser::new("alice").roles(["admin"]).claim("plan", "pro"));
    let caller = test.auth().verify(&token).await.unwrap();
    assert_eq!(caller.subject(), "alice");
    assert_eq!(caller.claim("plan"), Some(&json!("pro")));
    let expected = test.principal(&TestUser::new("alice").roles(["admin"]));
    assert_eq!(caller.roles().collect::<Vec<_>>(), expected.roles().collect::<Vec<_>>());
    assert!(caller.roles().count() > 1, "with what the role implies");
}

#[tokio::test]
async fn no_source_origin_or_rule_is_looked_at() {
    // The gate of this engine takes no bearer token, and pages of another origin are refused.
    let test = TestAuth::with(|builder| builder.default_sources(["cookie"]));
    let token = test.token(&TestUser::new("alice"));
    assert_eq!(status(&app(test.auth()), "GET", "/", Some(&token)).await, 401);
    assert_eq!(kind(test.auth(), &token).await, None);
}

#[tokio::test]
async fn times_and_revocations_count_for_a_token_that_is_remembered() {
    let test = TestAuth::new();
    let token = test.token(&TestUser::new("alice").claim("jti", "it"));
    assert_eq!(kind(test.auth(), &token).await, None);
    let other = test.token(&TestUser::new("bob"));
    assert_eq!(kind(test.auth(), &other).await, None);
    let issuer = test.principal(&TestUser::new("alice")).issuer().unwrap().to_owned();
    let revocation = Revocation::Token { issuer, token_id: "it".into() };
    test.auth().revocations().revoke(revocation).await.unwrap();
    assert_eq!(kind(test.auth(), &token).await, Some(CallerErrorKind::Revoked));
    assert_eq!(kind(test.auth(), &other).await, None);
    test.clock().advance(Duration::from_secs(900 + 60));
    assert_eq!(kind(test.auth(), &other).await, Some(CallerErrorKind::Expired));
}

#[tokio::test]
async fn a_view_that_is_too_old_decides_nothing() {
    let store = FlakyStore::default();
    let test = TestAuth::with(|builder| builder.store(store.clone()));
    let token = test.token(&TestUser::new("alice"));
    let error = test.auth().verify(&token).await.unwrap_err();
    assert_eq!(error.kind(), CallerErrorKind::Unavailable, "the log was never read");
    assert_eq!(error.rejection_kind().status(), 503);
    test.auth().start().await.unwrap();
    assert_eq!(kind(test.auth(), &token).await, None);
    store.set_broken(true);
    test.clock().advance(Duration::from_secs(31));
    assert_eq!(kind(test.auth(), &token).await, Some(CallerErrorKind::Unavailable));
    // What is invalid anyway is not worth another try.
    assert_eq!(kind(test.auth(), "x").await, Some(CallerErrorKind::Invalid));
}

#[derive(Debug)]
struct PanickingClock;

impl Clock for PanickingClock {
    fn now(&self) -> std::time::SystemTime {
        static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        // The engine is built with it.
        assert!(CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 8, "no time");
        TestClock::new().now()
    }
}

#[tokio::test]
async fn a_panic_of_the_application_admits_nobody() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 60, "plan": "pro"});
    let token = key.sign(&claims).unwrap();
    let issuer = || TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(key.verifying_key());
    let rule = ClaimRule::satisfies(|_| panic!("no plan"));
    let with_predicate =
        Auth::builder().issuer(issuer().claim("plan", rule)).clock(TestClock::new()).build().unwrap();
    let with_clock = Auth::builder().issuer(issuer()).clock(PanickingClock).build().unwrap();
    while with_clock.verify(&token).await.is_ok() {}
    for (auth, message) in [(with_predicate, "panicked: no plan"), (with_clock, "panicked: no time")] {
        let error = auth.verify(&token).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.rejection_kind().status().as_u16()),
            (CallerErrorKind::Misconfigured, 500)
        );
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// A token that is not where sources look, such as one in the body of a webhook.
#[auth(public)]
async fn webhook(Extension(auth): Extension<Auth>, token: String) -> Result<String, Rejection> {
    Ok(auth.verify(&token).await?.subject().to_owned())
}

#[tokio::test]
async fn in_a_handler_the_error_is_a_rejection() {
    let test = TestAuth::new();
    let routes = Router::new().route("/", auth_runtime::routing::post(webhook));
    let app = routes.layer(Extension(test.auth().clone())).finish(test.auth()).unwrap();
    let post = async |body: String| {
        send(&app, request("POST", "/", &[]).map(|_| axum::body::Body::from(body))).await
    };
    let log = CapturedLog::start(tracing::Level::DEBUG);
    assert_eq!(post(test.token(&TestUser::new("alice"))).await.body, "alice");
    let reply = post("nothing".into()).await;
    assert_eq!(reply.status, 401);
    assert!(!reply.body.contains("malformed"), "{}", reply.body);
    assert!(log.text().contains("malformed token"), "{}", log.text());
}
