//! Credentials that authenticators judge, outside of a request.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::authenticator::{Authenticated, Authentication, BoxError, Credential, Subject};
use auth_runtime::policy::Rule;
use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::routing::get;
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, Router, auth, rule};

use super::NOW;
use crate::support::flaky::FlakyStore;
use crate::support::{request, send};

/// Answers by the text. The state is nothing.
async fn partner(credential: Credential, (): ()) -> Result<Authentication, BoxError> {
    let caller = |name: &str| Authenticated::new(Subject::new(name).roles(["partner"]));
    let expiry = UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs() + 10);
    Ok(match credential.text() {
        "good" => caller("acme").into(),
        "short" => caller("acme").expires_at(expiry).into(),
        "logged-in" => {
            caller("acme").auth_time(UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs() - 600)).into()
        }
        "none" => Authentication::Absent,
        "broken" => return Err("the database is away".into()),
        "panic" => panic!("no partner"),
        "head" => match (credential.method().as_str(), credential.headers().is_empty()) {
            ("CONNECT", true) => Authentication::Invalid("a signature over nothing".into()),
            _ => caller("acme").into(),
        },
        _ => Authentication::Invalid("no such partner".into()),
    })
}

const PARTNERS: Rule = rule!(roles = ["partner"]);
const RECENT: Rule = rule!(max_age = "5m");

#[auth(source = "partner", rule = RECENT)]
async fn recent() {}

#[auth(source = "partner", acr = ["gold"])]
async fn strong() {}

#[auth(source = "partner", any(amr = ["hwk"], roles = ["admin"]))]
async fn with_hardware() {}

fn engine(clock: &TestClock) -> Auth {
    let place = CredentialPlace::header("X-Partner");
    Auth::builder().authenticator_with("partner", place, partner, ()).clock(clock.clone()).build().unwrap()
}

#[tokio::test]
async fn the_authenticator_judges_it_as_in_a_request() {
    let auth = engine(&TestClock::new());
    let caller = auth.verify_with("partner", "good").await.unwrap();
    assert_eq!((caller.subject(), caller.scheme()), ("acme", "partner"));
    use CallerErrorKind::{Invalid, Misconfigured, Unavailable};
    for (text, kind, part) in [
        ("other", Invalid, "no such partner"),
        ("none", Invalid, "says that this is no credential"),
        ("head", Invalid, "a signature over nothing"),
        ("", Invalid, "the credential is empty"),
        ("go od", Invalid, "not visible ASCII"),
        ("g\u{f6}od", Invalid, "not visible ASCII"),
        (&"a".repeat(16 * 1024 + 1), Invalid, "longer than 16 KiB"),
        ("broken", Unavailable, "the authenticator `partner` failed: the database is away"),
        ("panic", Misconfigured, "panicked: no partner"),
    ] {
        let error = auth.verify_with("partner", text).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    for (scheme, part) in [
        ("bearer", "call `verify` for a token"),
        ("nobody", "has no authenticator `nobody`, and has partner"),
    ] {
        let error = auth.verify_with(scheme, "good").await.unwrap_err();
        assert_eq!(error.kind(), Misconfigured);
        assert!(error.to_string().contains(part), "{error}");
    }
    // It is no token.
    assert_eq!(auth.verify("good").await.unwrap_err().kind(), Invalid);
}

#[tokio::test]
async fn its_caller_is_held_to_rules_until_it_expires_or_the_view_is_too_old() {
    let (clock, store) = (TestClock::new(), FlakyStore::default());
    let place = CredentialPlace::header("X-Partner");
    let builder = Auth::builder().authenticator_with("partner", place, partner, ());
    let auth = builder.clock(clock.clone()).store(store.clone()).build().unwrap();
    drop(Router::<()>::new().declares("partners", &PARTNERS).finish(&auth).unwrap());
    let error = auth.verify_with("partner", "good").await.unwrap_err();
    assert_eq!(error.kind(), CallerErrorKind::Unavailable, "the log was never read");
    auth.start().await.unwrap();
    let [lasting, short] =
        [auth.verify_with("partner", "good").await, auth.verify_with("partner", "short").await]
            .map(Result::unwrap);
    let decide = |caller| auth.require(caller, &PARTNERS).err().map(|error| error.kind());
    clock.advance(Duration::from_secs(9));
    assert_eq!([&lasting, &short].map(decide), [None, None]);
    clock.advance(Duration::from_secs(1));
    assert_eq!([&lasting, &short].map(decide), [None, Some(CallerErrorKind::Expired)]);
    assert_eq!(auth.verify_with("partner", "short").await.unwrap_err().kind(), CallerErrorKind::Expired);
    store.set_broken(true);
    clock.advance(Duration::from_secs(31));
    assert_eq!(decide(&lasting), Some(CallerErrorKind::Unavailable));
}

/// RFC 9470 asks for another login. What no login made is refused for good, and not challenged for ever.
#[tokio::test]
async fn a_credential_without_a_login_is_not_asked_for_a_newer_one() {
    let auth = engine(&TestClock::new());
    let routes = Router::new()
        .route("/recent", get(recent))
        .route("/strong", get(strong))
        .route("/hardware", get(with_hardware))
        .declares("recent", &RECENT);
    let app = routes.finish(&auth).unwrap();
    for (path, of_login) in [
        (
            "/recent",
            "X-Partner realm=\"restricted\", error=\"insufficient_user_authentication\", max_age=\"300\"",
        ),
        (
            "/strong",
            "X-Partner realm=\"restricted\", error=\"insufficient_user_authentication\", acr_values=\"gold\"",
        ),
        ("/hardware", "X-Partner realm=\"restricted\", error=\"insufficient_user_authentication\""),
    ] {
        let ask = async |text| send(&app, request("GET", path, &[("x-partner", text)])).await;
        let reply = ask("good").await;
        assert_eq!(reply.status, 403, "{path}");
        let challenge = reply.header("www-authenticate");
        for word in ["insufficient_user_authentication", "max_age", "acr_values", "scope="] {
            assert!(!challenge.contains(word), "{path}: {challenge}");
        }
        // One that a login made is challenged as a token is.
        let reply = ask("logged-in").await;
        assert_eq!(reply.status, 401, "{path}");
        let challenge = reply.header("www-authenticate");
        let parameters = of_login.split_once(' ').unwrap().1;
        assert!(challenge.ends_with(parameters), "{path}: {challenge}");
    }
    let caller = auth.verify_with("partner", "good").await.unwrap();
    let error = auth.require(&caller, &RECENT).unwrap_err();
    assert_eq!((error.kind(), error.rejection_kind().status().as_u16()), (CallerErrorKind::Denied, 403));
}

/// What was forgotten may be a credential that has ended: nothing is looked up here.
#[tokio::test]
async fn its_caller_is_verified_again_once_its_subject_was_forgotten() {
    let auth = engine(&TestClock::new());
    drop(Router::<()>::new().declares("partners", &PARTNERS).finish(&auth).unwrap());
    let caller = auth.verify_with("partner", "good").await.unwrap();
    let decide = |caller| auth.require(caller, &PARTNERS).err().map(|error| error.kind());
    assert_eq!(decide(&caller), None);
    let issuer = caller.issuer().unwrap();
    auth.revocations().forget(issuer, "somebody else").await.unwrap();
    assert_eq!(decide(&caller), None);
    auth.revocations().forget(issuer, caller.subject()).await.unwrap();
    assert_eq!(decide(&caller), Some(CallerErrorKind::Revoked));
    let again = auth.verify_with("partner", "good").await.unwrap();
    assert_eq!(decide(&again), None);
}
