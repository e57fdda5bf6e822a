//! Functions with `#[authenticator]`: their arguments are extracted from the head and the state of the engine's builder.

use std::io;

use auth_runtime::{Caller, authenticator};
use axum::extract::{FromRef, FromRequestParts, Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};

use super::*;
use crate::captured_log::CapturedLog;

#[derive(Clone)]
struct App {
    partners: Partners,
    realm: &'static str,
}

#[derive(Clone)]
struct Partners(&'static [&'static str]);

impl FromRef<App> for Partners {
    fn from_ref(app: &App) -> Self {
        app.partners.clone()
    }
}

impl FromRef<App> for &'static str {
    fn from_ref(app: &App) -> Self {
        app.realm
    }
}

/// A signature over what is requested: of another method, path or time it is invalid.
#[authenticator]
async fn signature(
    credential: &str,
    State(partners): State<Partners>,
    State(realm): State<&'static str>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Option<Subject>, io::Error> {
    let time = headers.get("x-time").and_then(|time| time.to_str().ok()).unwrap_or("-");
    let of = |partner: &&&str| credential == format!("{realm}:{partner}:{method}:{}:{time}", uri.path());
    Ok(partners.0.iter().find(of).map(|partner| Subject::new(*partner).roles(["partner"])))
}

#[auth(source = "own")]
async fn own(caller: Principal) -> String {
    caller.subject().to_owned()
}

fn app_of(authenticator: impl Authenticator) -> axum::Router {
    let auth = Auth::builder()
        .authenticator("own", CredentialPlace::header("X-Own"), authenticator)
        .build()
        .unwrap();
    Router::new().route("/", any(own)).route("/{name}/{number}", any(own)).finish(&auth).unwrap()
}

async fn ask(app: &axum::Router, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let reply = send(app, request(method, path, headers)).await;
    (reply.status.as_u16(), reply.body)
}

#[tokio::test]
async fn a_signature_counts_for_the_request_that_it_is_of() {
    let app = app_of(signature::with_state(App { partners: Partners(&["acme", "shop"]), realm: "r" }));
    for (method, path, own, time, status) in [
        ("GET", "/", "r:acme:GET:/:5", "5", 200),
        ("GET", "/", "r:shop:GET:/:5", "5", 200),
        ("GET", "/", "r:acme:GET:/:5", "6", 401),
        ("POST", "/", "r:acme:GET:/:5", "5", 401),
        ("GET", "/a/1", "r:acme:GET:/:5", "5", 401),
        ("GET", "/a/1", "r:acme:GET:/a/1:5", "5", 200),
        ("GET", "/", "r:other:GET:/:5", "5", 401),
        ("GET", "/", "x:acme:GET:/:5", "5", 401),
    ] {
        let (found, body) = ask(&app, method, path, &[("x-own", own), ("x-time", time)]).await;
        assert_eq!(found, status, "{method} {path} {own} {time}");
        if status == 200 {
            assert_eq!(own.split(':').nth(1), Some(&*body));
        }
    }
}

#[tokio::test]
async fn the_function_can_be_called_as_it_is() {
    let call = |credential| {
        let (method, headers) = (Method::GET, HeaderMap::new());
        signature(credential, State(Partners(&["acme"])), State("r"), method, Uri::from_static("/"), headers)
    };
    assert!(call("r:acme:GET:/:-").await.unwrap().is_some());
    assert!(call("r:acme:PUT:/:-").await.unwrap().is_none());
}

/// Every type that a function may return.
mod returns {
    use super::*;

    #[authenticator]
    pub(super) async fn subject(credential: &str) -> Result<Subject, String> {
        if credential == "down" { Err("the database is down".into()) } else { Ok(Subject::new(credential)) }
    }

    #[authenticator]
    pub(super) async fn caller(credential: &str) -> Result<Authenticated, &'static str> {
        subject(credential).await.map(Authenticated::new).map_err(|_| "down")
    }

    #[authenticator]
    pub(super) async fn subject_or_not(credential: &str) -> Result<Option<Subject>, BoxError> {
        Ok((credential != "invalid").then_some(subject(credential).await?))
    }

    #[authenticator]
    pub(super) async fn caller_or_not(credential: &str) -> Result<Option<Authenticated>, io::Error> {
        let caller = subject_or_not(credential).await.map_err(io::Error::other)?;
        Ok(caller.map(Authenticated::new))
    }

    #[authenticator]
    pub(super) async fn authentication(
        credential: &str,
        State(calls): State<Arc<AtomicUsize>>,
    ) -> Result<Authentication, BoxError> {
        calls.fetch_add(1, Ordering::SeqCst);
        match credential {
            "absent" => Ok(Authentication::Absent),
            "panic" => panic!("the authenticator panics"),
            "hangs" => std::future::pending().await,
            "invalid" => Ok(Authentication::Invalid("it says so".into())),
            _ => Ok(caller(credential).await?.remember_for(std::time::Duration::from_secs(60)).into()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_function_returns_is_the_answer() {
    let calls = Arc::new(AtomicUsize::new(0));
    let all = [
        app_of(returns::subject::with_state(())),
        app_of(returns::caller::with_state(())),
        app_of(returns::subject_or_not::with_state(())),
        app_of(returns::caller_or_not::with_state(())),
        app_of(returns::authentication::with_state(Arc::clone(&calls))),
    ];
    for (number, app) in all.iter().enumerate() {
        assert_eq!(ask(app, "GET", "/", &[("x-own", "acme")]).await, (200, "acme".into()), "{number}");
        assert_eq!(ask(app, "GET", "/", &[("x-own", "down")]).await.0, 503, "{number}");
        let status = if number < 2 { 200 } else { 401 };
        assert_eq!(ask(app, "GET", "/", &[("x-own", "invalid")]).await.0, status, "{number}");
    }
    let [.., app] = &all;
    assert_eq!(ask(app, "GET", "/", &[("x-own", "absent")]).await.0, 401);
    assert_eq!(ask(app, "GET", "/", &[("x-own", "panic")]).await.0, 500);
    let hangs = ask(app, "GET", "/", &[("x-own", "hangs")]);
    assert!(tokio::time::timeout(std::time::Duration::from_secs(3600), hangs).await.is_err());
    calls.store(0, Ordering::SeqCst);
    assert_eq!(ask(app, "GET", "/", &[("x-own", "acme")]).await.0, 200);
    assert_eq!(calls.load(Ordering::SeqCst), 0, "it is remembered");
}

/// Rejects with the status that a header says, or panics.
struct Picky;

impl<S: Sync> FromRequestParts<S> for Picky {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let status = head.headers.get("x-status").and_then(|status| status.to_str().ok()).unwrap_or("200");
        assert_ne!(status, "panic", "the extractor panics");
        match StatusCode::from_bytes(status.as_bytes()).unwrap() {
            StatusCode::OK => Ok(Self),
            status => Err(status),
        }
    }
}

#[authenticator]
async fn with_picky(
    credential: &str,
    State(calls): State<Arc<AtomicUsize>>,
    _: Picky,
) -> Result<Subject, BoxError> {
    calls.fetch_add(1, Ordering::SeqCst);
    Ok(Subject::new(credential))
}

#[tokio::test]
async fn an_extractor_that_rejects_is_an_invalid_credential_or_a_failure() {
    let log = CapturedLog::start(tracing::Level::DEBUG);
    let calls = Arc::new(AtomicUsize::new(0));
    let app = app_of(with_picky::with_state(Arc::clone(&calls)));
    for (status, answered, called, said) in [
        ("200", 200, 1, ""),
        ("400", 401, 0, "could not read the request"),
        ("403", 401, 0, "could not read the request"),
        ("404", 401, 0, "could not read the request"),
        ("302", 401, 0, "could not read the request"),
        ("204", 401, 0, "could not read the request"),
        ("500", 503, 0, "the authenticator `own` failed: "),
        ("503", 503, 0, "the authenticator `own` failed: "),
        ("panic", 500, 0, "panic"),
    ] {
        calls.store(0, Ordering::SeqCst);
        log.take();
        let (found, body) = ask(&app, "GET", "/", &[("x-own", "acme"), ("x-status", status)]).await;
        assert_eq!((found, calls.load(Ordering::SeqCst)), (answered, called), "{status}");
        let text = log.take();
        assert!(text.contains(said), "{status}: {text}");
        if answered != 200 {
            assert!(!body.contains("Picky"), "{body}");
        }
        if !["200", "panic"].contains(&status) {
            assert!(text.contains(&format!("attribute::Picky` answered {status}")), "{status}: {text}");
        }
    }
}

/// What it extracts can't be seen in its type.
struct Someone<X>(#[allow(dead_code, reason = "it is extracted, and that is all")] X);

impl<S: Send + Sync, X: FromRequestParts<S>> FromRequestParts<S> for Someone<X> {
    type Rejection = X::Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, X::Rejection> {
        X::from_request_parts(head, state).await.map(Self)
    }
}

#[authenticator]
async fn of_caller(credential: &str, _: Someone<Principal>) -> Result<Subject, BoxError> {
    Ok(Subject::new(credential))
}

/// Asked for by its gate, there is none to answer with.
#[authenticator]
async fn of_anyone(credential: &str, caller: Someone<Caller>) -> Result<Option<Subject>, BoxError> {
    Ok(matches!(caller.0, Caller::Unknown).then(|| Subject::new(credential)))
}

#[tokio::test]
async fn there_is_no_caller_before_the_authenticator_has_answered() {
    let app = app_of(of_caller::with_state(()));
    assert_eq!(ask(&app, "GET", "/", &[("x-own", "acme")]).await.0, 500);
    let app = app_of(of_anyone::with_state(()));
    assert_eq!(ask(&app, "GET", "/", &[("x-own", "acme")]).await.0, 200);
}

/// Changes all that it can of the head.
struct Greedy;

impl<S: Sync> FromRequestParts<S> for Greedy {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        head.headers.clear();
        head.extensions.clear();
        head.method = Method::DELETE;
        head.uri = Uri::from_static("/other");
        Ok(Self)
    }
}

#[authenticator]
async fn with_greedy(
    credential: &str,
    Path((name, number)): Path<(String, u32)>,
    _: Greedy,
    method: Method,
) -> Result<Option<Subject>, BoxError> {
    Ok((method == Method::DELETE).then(|| Subject::new(format!("{credential}{name}{number}"))))
}

#[auth(source = "own")]
async fn head(
    caller: Principal,
    Path((name, number)): Path<(String, u32)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> String {
    format!("{} {name} {number} {method} {uri} {}", caller.subject(), headers.contains_key("x-own"))
}

#[tokio::test]
async fn an_extractor_sees_a_copy_of_the_head() {
    let auth = Auth::builder()
        .authenticator("own", CredentialPlace::header("X-Own"), with_greedy::with_state(()))
        .build()
        .unwrap();
    let app = Router::new().route("/{name}/{number}", get(head)).finish(&auth).unwrap();
    let answer = ask(&app, "GET", "/a/1", &[("x-own", "acme")]).await;
    assert_eq!(answer, (200, "acmea1 a 1 GET /a/1 true".into()));
    assert_eq!(ask(&app, "GET", "/a/b", &[("x-own", "acme")]).await.0, 401, "its path is another one");
}

#[test]
fn an_authenticator_prints_no_state() {
    let printed = format!("{:?}", signature::with_state(App { partners: Partners(&[]), realm: "secret" }));
    assert!(printed.contains("signature") && !printed.contains("secret"), "{printed}");
}
