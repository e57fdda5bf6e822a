//! What a caller of an authenticator is: names, claims, expiry.

use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::Clock as _;
use auth_runtime::rejection::Rejection;
use auth_runtime::testing::TestClock;

use super::*;

#[auth(source = "own", roles = ["editor"], scopes = ["read"], permissions = ["print"], claims(tenant = "acme"))]
async fn everything(caller: Principal) -> String {
    let list = |names: Vec<&str>| names.join("+");
    format!(
        "{} {} {} {}",
        list(caller.roles().collect()),
        list(caller.scopes().collect()),
        list(caller.permissions().collect()),
        caller.claim("tenant").and_then(|tenant| tenant.as_str()).unwrap_or("-"),
    )
}

#[auth(source = "own")]
async fn known(caller: Principal) -> String {
    format!(
        "{} {} {}",
        caller.token_id().unwrap_or("-"),
        caller.session_id().unwrap_or("-"),
        caller.expires_at().is_some()
    )
}

#[auth(source = "own", max_age = "10m")]
async fn fresh() {}

#[auth(source = "own", acr = ["mfa"])]
async fn strong() {}

fn app(clock: &TestClock, caller: impl Fn() -> Authenticated + Send + Sync + 'static) -> axum::Router {
    let answer = move |_: Credential, ()| {
        let caller = caller();
        async move { Ok::<_, BoxError>(caller) }
    };
    let auth = Auth::builder()
        .authenticator_with("own", CredentialPlace::header("X-Own"), answer, ())
        .clock(clock.clone())
        .build()
        .unwrap();
    Router::new()
        .route("/everything", get(everything))
        .route("/known", get(known))
        .route("/fresh", get(fresh))
        .route("/strong", get(strong))
        .finish(&auth)
        .unwrap()
}

async fn ask(app: &axum::Router, path: &str) -> (u16, String) {
    let reply = send(app, request("GET", path, &[("x-own", "x")])).await;
    (reply.status.as_u16(), reply.body)
}

#[tokio::test]
async fn rules_are_decided_on_what_the_authenticator_says() {
    let clock = TestClock::new();
    let full = || {
        Subject::new("a")
            .roles(["editor"])
            .scopes(["read", "write"])
            .permissions(["print"])
            .claim("tenant", "acme")
    };
    let all = app(&clock, move || Authenticated::new(full()));
    assert_eq!(ask(&all, "/everything").await, (200, "editor read+write print acme".into()));
    for lacking in [
        Subject::new("a").scopes(["read"]).permissions(["print"]).claim("tenant", "acme"),
        Subject::new("a").roles(["editor"]).permissions(["print"]).claim("tenant", "acme"),
        Subject::new("a").roles(["editor"]).scopes(["read"]).claim("tenant", "acme"),
        Subject::new("a").roles(["editor"]).scopes(["read"]).permissions(["print"]).claim("tenant", "other"),
    ] {
        let app = app(&clock, move || Authenticated::new(lacking.clone()));
        assert_eq!(ask(&app, "/everything").await.0, 403);
    }
}

#[tokio::test]
async fn a_credential_expires_when_its_authenticator_says() {
    let clock = TestClock::new();
    let now = clock.now();
    for (expires_at, expected) in [
        (now + Duration::from_secs(1), 200),
        (now, 401),
        (now - Duration::from_secs(1), 401),
        (UNIX_EPOCH - Duration::from_secs(1), 401),
        (now + Duration::from_secs(u64::from(u32::MAX) * 1000), 200),
    ] {
        let app = app(&clock, move || {
            Authenticated::new(Subject::new("a")).expires_at(expires_at).credential_id("c").session_id("s")
        });
        let (status, body) = ask(&app, "/known").await;
        assert_eq!(status, expected, "{expires_at:?}");
        if status == 200 {
            assert_eq!(body, "c s true");
        }
    }
}

#[tokio::test]
async fn a_login_that_the_authenticator_knows_satisfies_rules_on_logins() {
    let clock = TestClock::new();
    let now = clock.now();
    let known = app(&clock, move || Authenticated::new(Subject::new("a").acr("mfa")).auth_time(now));
    assert_eq!((ask(&known, "/fresh").await.0, ask(&known, "/strong").await.0), (200, 200));
}

#[tokio::test]
async fn a_caller_that_can_be_none_is_a_fault_of_the_service() {
    let clock = TestClock::new();
    for subject in [
        Subject::new(""),
        Subject::new("a").scopes(["two words"]),
        Subject::new("a").claim("iss", "https://issuer.test"),
        Subject::new("a").claim("sub", "root"),
        Subject::new("a").claim("exp", 1),
        Subject::new("a").claim("roles", ["admin"]),
        Subject::new("a").claims(1),
    ] {
        let shown = format!("{subject:?}");
        let app = app(&clock, move || Authenticated::new(subject.clone()));
        assert_eq!(ask(&app, "/known").await.0, 500, "{shown}");
    }
}

/// A rejection of the application's own is answered as what it is; any other error is 503.
#[tokio::test]
async fn an_authenticator_may_reject_as_a_handler_may() {
    async fn judge(credential: Credential, (): ()) -> Result<Option<Subject>, BoxError> {
        Err(match credential.text() {
            "forbidden" => Rejection::forbidden("the partner is suspended").into(),
            "hidden" => Rejection::hidden().into(),
            "unauthenticated" => Rejection::unauthenticated("another one is wanted").into(),
            _ => "the database is down".into(),
        })
    }

    let reasons = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&reasons);
    let auth = Auth::builder()
        .authenticator_with("own", CredentialPlace::header("X-Own"), judge, ())
        .audit(move |event| heard.lock().unwrap().push((event.rejection, event.reason.to_owned())))
        .build()
        .unwrap();
    let app = Router::new().route("/", get(known)).finish(&auth).unwrap();
    for (credential, status, challenge, reason) in [
        (
            "forbidden",
            403,
            "ApiKey realm=\"restricted\", error=\"insufficient_scope\"",
            "the partner is suspended",
        ),
        ("hidden", 404, "", "it is hidden from the caller"),
        ("unauthenticated", 401, "ApiKey realm=\"restricted\"", "another one is wanted"),
        ("else", 503, "", "the authenticator `own` failed: the database is down"),
    ] {
        let reply = send(&app, request("GET", "/", &[("x-own", credential)])).await;
        let shown = if challenge.is_empty() { "" } else { reply.header("www-authenticate") };
        assert_eq!((reply.status.as_u16(), shown), (status, challenge), "{credential}");
        assert_eq!(reply.headers.contains_key("www-authenticate"), !challenge.is_empty(), "{credential}");
        let events = std::mem::take(&mut *reasons.lock().unwrap());
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].1.contains(reason), "{events:?}");
    }
}
