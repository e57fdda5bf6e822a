//! Code of the application's that the library calls, and that panics: 500, a line in the log, no admission, and the service goes
//! on.

mod armed;
mod connection;
mod token_routes;

use std::time::SystemTime;

use auth_runtime::authenticator::{Authentication, Authenticator, BoxError, Subject};
use auth_runtime::clock::Clock;
use auth_runtime::rejection::RejectionKind;
use auth_runtime::routing::get;
use auth_runtime::session::readiness;
use auth_runtime::source::{Carrier, CredentialSource, Extracted};
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Claims, Principal, Router, auth, check};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::{Deserialize, Deserializer};
use tokio::task::yield_now;
use tower_http::catch_panic::CatchPanicLayer;

use self::armed::{arm, disarm, is_called, times_called, trip};
use crate::captured_log::CapturedLog;
use crate::support::{Reply, request, send, watched};

const PROBLEM: &str = r#"{"type":"about:blank","title":"Internal Server Error","status":500}"#;

/// The header `x-own`, as if a browser added it.
#[derive(Debug)]
struct OwnSource;

impl CredentialSource for OwnSource {
    fn name(&self) -> &str {
        trip("name");
        "own"
    }

    fn carrier(&self) -> Carrier {
        trip("carrier");
        Carrier::Ambient
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        trip("extract");
        match head.headers.get("x-own") {
            Some(value) => Extracted::Present(value.to_str().unwrap().into()),
            None => Extracted::Absent,
        }
    }

    fn challenge_scheme(&self) -> &str {
        trip("challenge_scheme");
        "Own"
    }

    fn clearing_cookies(&self) -> Vec<String> {
        trip("clearing_cookies");
        vec!["own=; Max-Age=0".into()]
    }

    fn is_in_url(&self) -> bool {
        trip("is_in_url");
        false
    }
}

/// `alice` is a credential of hers.
struct OwnAuthenticator;

impl Authenticator for OwnAuthenticator {
    async fn authenticate(&self, credential: &str, _: &Parts) -> Result<Authentication, BoxError> {
        trip("authenticate");
        yield_now().await;
        trip("authenticate, after it waited");
        Ok((credential == "alice").then(|| Subject::new("alice")).into())
    }
}

#[derive(Debug)]
struct OwnClock(TestClock);

impl Clock for OwnClock {
    fn now(&self) -> SystemTime {
        trip("clock");
        self.0.now()
    }
}

struct OwnExtractor;

impl<S: Sync> FromRequestParts<S> for OwnExtractor {
    type Rejection = axum::http::StatusCode;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        trip("extractor");
        Ok(Self)
    }
}

struct OwnClaims;

impl<'de> Deserialize<'de> for OwnClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        trip("claims");
        serde_json::Value::deserialize(deserializer).map(|_| Self)
    }
}

#[check]
async fn own_check(_: &Principal, _: OwnExtractor) -> bool {
    trip("check");
    yield_now().await;
    trip("check, after it waited");
    true
}

#[auth(check = own_check)]
async fn checked(_: Claims<OwnClaims>) {
    is_called();
}

#[auth(optional)]
async fn optional() {
    is_called();
}

/// A name that the attribute does not know.
type Required = Principal;

#[auth(optional)]
async fn principal(_: Required) {
    is_called();
}

#[auth(public)]
async fn open() {
    is_called();
}

/// On a router of axum's: its sources are looked up with the first request.
#[auth(source = "own")]
async fn plain() {
    is_called();
}

#[auth(source = "bearer", roles = ["admin"])]
async fn unfinished() {
    is_called();
}

fn engine() -> Auth {
    let key = Key::secret(Algorithm::HS256, b"a secret of 32 bytes, at the least");
    let builder = Auth::builder().issuer(TrustedIssuer::new("https://issuer.test").audience("test").key(key));
    let builder = builder.authenticator("own", OwnSource, OwnAuthenticator).default_sources(["own"]);
    let builder = builder.clock(OwnClock(TestClock::new())).audit(|_| trip("audit"));
    let builder = builder.render_rejections(|rejection, _| {
        trip("render");
        rejection.problem()
    });
    builder.build().unwrap()
}

fn app() -> axum::Router {
    let (auth, other) = (engine(), engine());
    let routes = Router::new()
        .route("/checked", get(checked))
        .route("/optional", get(optional))
        .route("/principal", get(principal))
        .route("/open", get(open))
        .route("/ready", get(readiness));
    let plain = axum::Router::new().route("/plain", axum::routing::get(plain)).layer(auth.layer());
    // The nearest layer is of another engine, so nothing can be enforced.
    let unfinished = Router::new().route("/unfinished", get(unfinished)).layer(other.layer());
    routes.finish(&auth).unwrap().merge(plain).merge(unfinished.finish(&auth).unwrap())
}

/// What panics; the path, the token, and whether the caller is known then.
const TABLE: &[(&str, &str, Option<&str>, bool)] = &[
    ("name", "/plain", Some("alice"), false),
    ("clock", "/checked", Some("alice"), false),
    ("extract", "/checked", Some("alice"), false),
    ("extract", "/optional", None, false),
    ("carrier", "/checked", Some("alice"), false),
    ("is_in_url", "/checked", Some("alice"), false),
    ("authenticate", "/checked", Some("alice"), false),
    ("authenticate, after it waited", "/checked", Some("alice"), false),
    ("clearing_cookies", "/optional", Some("mallory"), false),
    ("extractor", "/checked", Some("alice"), true),
    ("check", "/checked", Some("alice"), true),
    ("check, after it waited", "/checked", Some("alice"), true),
    ("claims", "/checked", Some("alice"), true),
    ("audit", "/checked", Some("alice"), true),
    ("audit", "/optional", None, false),
    ("audit", "/checked", Some("mallory"), false),
    ("audit", "/checked", None, false),
    ("audit", "/unfinished", None, false),
    ("render", "/checked", Some("mallory"), false),
    ("render", "/checked", None, false),
    ("render", "/principal", None, false),
    ("render", "/unfinished", None, false),
    ("challenge_scheme", "/checked", None, false),
];

#[tokio::test(start_paused = true)]
async fn what_panics_while_a_request_is_decided_is_answered_500() {
    let app = app();
    // The first tick of the background task, which reads the clock too.
    yield_now().await;
    for (name, path, token, is_known) in TABLE {
        let log = CapturedLog::start(tracing::Level::INFO);
        let headers: Vec<_> = token.iter().map(|token| ("x-own", *token)).collect();
        arm(name, 0);
        let before = times_called();
        let (answer, decided) = watched(&app, request("GET", path, &headers)).await;
        let decided = decided.unwrap();
        assert!(decided.is_decided(), "{name}");
        assert_eq!(decided.rejection(), Some(RejectionKind::Misconfigured), "{name}");
        assert_eq!(decided.principal().is_some(), *is_known, "{name}");
        assert_problem(name, &reply(answer).await);
        assert_eq!(times_called(), before, "{name}: the handler is called");
        let lines = log.take();
        let line = format!("panicked: {name} is broken");
        assert!(lines.lines().any(|l| l.contains("ERROR") && l.contains(&line)), "{name}: {lines}");

        disarm();
        let next = send(&app, request("GET", "/checked", &[("x-own", "alice")])).await;
        assert_eq!((next.status.as_u16(), times_called()), (200, before + 1), "{name}: the next request");
    }
}

fn assert_problem(name: &str, reply: &Reply) {
    assert_eq!((reply.status.as_u16(), &*reply.body), (500, PROBLEM), "{name}");
    assert_eq!(reply.header("content-type"), "application/problem+json", "{name}");
    assert_eq!(reply.header("cache-control"), "no-store", "{name}");
}

async fn reply(answer: axum::response::Response) -> Reply {
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    Reply { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// The log says where to look: which check.
#[tokio::test(start_paused = true)]
async fn the_log_names_the_check_that_panicked() {
    let app = app();
    yield_now().await;
    let log = CapturedLog::start(tracing::Level::INFO);
    arm("check", 0);
    send(&app, request("GET", "/checked", &[("x-own", "alice")])).await;
    let text = log.text();
    assert!(text.contains("own_check, or an extractor of it, panicked: check is broken"), "{text}");
    assert!(text.contains("subject=\"alice\"") && text.contains("status=500"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_calls_nothing_of_the_application_is_served() {
    let app = app();
    yield_now().await;
    for (name, path, status) in [("clock", "/open", 200), ("audit", "/open", 200), ("clock", "/ready", 500)] {
        arm(name, 0);
        assert_eq!(send(&app, request("GET", path, &[])).await.status.as_u16(), status, "{name} {path}");
        disarm();
    }
    assert_eq!(send(&app, request("GET", "/ready", &[])).await.status, 204);
}

#[auth]
async fn panics_itself(_: Principal) {
    panic!("the handler is broken");
}

/// The library does not call the handler: axum does. Its panic is caught where the application says so.
#[tokio::test(start_paused = true)]
async fn a_panic_of_a_handler_is_the_application_s() {
    let auth = engine();
    let routes = Router::new().route("/", get(panics_itself)).layer(CatchPanicLayer::new());
    let app = routes.finish(&auth).unwrap();
    let (answer, decided) = watched(&app, request("GET", "/", &[("x-own", "alice")])).await;
    assert_eq!(answer.status(), 500);
    assert_eq!(decided.unwrap().rejection(), None, "it was admitted, and then the handler panicked");
}
