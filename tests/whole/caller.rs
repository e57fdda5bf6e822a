//! The caller, as a middleware around a route learns it before the gate.

mod authenticators;
mod nested;
mod once;
mod places;

use std::sync::{Arc, Mutex};

use auth_runtime::rejection::RejectionKind;
use auth_runtime::routing::{get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Caller, Principal, Router, auth};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};

use crate::support::{request, send};

#[auth]
async fn any_caller(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(roles = ["admin"])]
async fn admin() {}

#[auth(optional, source = ["bearer", "cookie"])]
async fn optional(user: Option<Principal>) -> String {
    user.map_or("nobody".into(), |user| user.subject().to_owned())
}

#[auth(public)]
async fn public() {}

#[auth(source = "cookie")]
async fn by_cookie(user: Principal) -> String {
    user.subject().to_owned()
}

/// What middlewares saw.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn words(caller: &Caller) -> String {
    match caller {
        Caller::Anonymous => "anonymous".into(),
        Caller::Identified(principal) => principal.subject().to_owned(),
        Caller::Invalid(kind) => format!("invalid: {}", kind.status().as_u16()),
        Caller::NotJudged(scheme) => format!("not judged: {scheme}"),
        Caller::Unknown => "unknown".into(),
        _ => "another".into(),
    }
}

async fn note(State(seen): State<Seen>, caller: Caller, request: Request, next: Next) -> Response {
    seen.0.lock().unwrap().push(words(&caller));
    assert_eq!(caller.principal().is_some(), matches!(caller, Caller::Identified(_)));
    next.run(request).await
}

fn routes() -> Router {
    Router::new()
        .route("/any", get(any_caller))
        .route("/admin", get(admin))
        .route("/optional", get(optional))
        .route("/public", get(public))
        .route("/by-cookie", post(by_cookie))
}

/// The caller that is seen, and the status that the gate leads to.
#[tokio::test]
async fn it_is_who_the_gate_will_find_and_proves_nothing() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let app = routes().layer(from_fn_with_state(seen.clone(), note)).finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice"));
    let (bearer, cookie) = (format!("Bearer {token}"), format!("__Host-access_token={token}"));
    let expired = format!("Bearer {}", test.token(&TestUser::new("alice").claim("exp", 1_000_000_000)));
    let bearer = ("authorization", bearer.as_str());
    let cookie = ("cookie", cookie.as_str());
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16);
    let table: &[Row<'_>] = &[
        ("GET", "/any", &[], "anonymous", 401),
        ("GET", "/any", &[bearer], "alice", 200),
        ("HEAD", "/any", &[bearer], "alice", 200),
        ("GET", "/any", &[("authorization", "Bearer x.y.z")], "invalid: 401", 401),
        ("GET", "/any", &[("authorization", &expired)], "invalid: 401", 401),
        ("GET", "/any", &[bearer, bearer], "invalid: 400", 400),
        // By the sources of the route alone.
        ("GET", "/any", &[cookie], "anonymous", 401),
        ("POST", "/by-cookie", &[bearer], "anonymous", 401),
        ("POST", "/by-cookie", &[cookie], "alice", 200),
        // With the origin check.
        ("POST", "/by-cookie", &[cookie, ("sec-fetch-site", "cross-site")], "invalid: 403", 403),
        // It says nothing of the rule.
        ("GET", "/admin", &[bearer], "alice", 403),
        ("GET", "/optional", &[], "anonymous", 200),
        ("GET", "/optional", &[bearer], "alice", 200),
        ("GET", "/optional", &[("cookie", "__Host-access_token=x")], "anonymous", 200),
        ("GET", "/optional", &[("authorization", "Bearer x")], "invalid: 401", 401),
        // A public route looks at no credential.
        ("GET", "/public", &[bearer], "anonymous", 200),
        ("GET", "/public", &[("authorization", "Bearer x")], "anonymous", 200),
        ("PUT", "/any", &[bearer], "unknown", 405),
        ("GET", "/nowhere", &[bearer], "unknown", 404),
    ];
    for (method, path, headers, expected, status) in table {
        let reply = send(&app, request(method, path, headers)).await;
        assert_eq!(reply.status.as_u16(), *status, "{method} {path} {headers:?}");
        assert_eq!(seen.take(), [*expected], "{method} {path} {headers:?}");
    }
}

/// A rate limit answers by itself: a cache must know what the answer depends on, and the answer is for this caller alone.
#[tokio::test]
async fn an_answer_of_the_middleware_has_the_headers_of_the_route() {
    let test = TestAuth::new();
    async fn limit(caller: Caller, request: Request, next: Next) -> Response {
        match caller.principal() {
            Some(_) => StatusCode::TOO_MANY_REQUESTS.into_response(),
            None => next.run(request).await,
        }
    }
    let app = routes().layer(from_fn(limit)).finish(test.auth()).unwrap();
    let cookie = format!("__Host-access_token={}", test.token(&TestUser::new("alice")));
    let reply = send(&app, request("GET", "/optional", &[("cookie", &cookie)])).await;
    assert_eq!(reply.status, 429);
    assert_eq!((reply.header("vary"), reply.header("cache-control")), ("authorization, cookie", "private"));
    let reply = send(&app, request("GET", "/optional", &[])).await;
    assert_eq!((reply.status.as_u16(), reply.header("vary")), (200, "authorization, cookie"));
}

#[tokio::test]
async fn inside_of_the_gate_it_is_the_caller_that_was_let_in() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let inner = axum::routing::get(|| async {}).layer(from_fn_with_state(seen.clone(), note));
    let app = Router::new()
        .route("/inner", (inner.clone(), auth_runtime::rule!()))
        .route("/open", (inner, auth_runtime::rule!(public)))
        .finish(test.auth())
        .unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    for (path, expected) in [("/inner", "alice"), ("/open", "anonymous")] {
        assert_eq!(send(&app, request("GET", path, &[("authorization", &bearer)])).await.status, 200);
        assert_eq!(seen.take(), [expected], "{path}");
    }
}

/// Code of the application's that panics is a 500 of the gate, and nothing of it reaches the middleware but the kind.
#[tokio::test]
async fn a_panic_is_reported_by_the_gate() {
    #[derive(Debug)]
    struct Panics;
    impl auth_runtime::source::CredentialSource for Panics {
        fn name(&self) -> &str {
            "panics"
        }
        fn carrier(&self) -> auth_runtime::source::Carrier {
            auth_runtime::source::Carrier::Explicit
        }
        fn extract<'r>(&self, _: &'r axum::http::request::Parts) -> auth_runtime::source::Extracted<'r> {
            panic!("out of order")
        }
    }
    #[auth(source = "panics")]
    async fn never() {}

    let (events, seen) = (Arc::new(Mutex::new(Vec::new())), Seen::default());
    let audit = Arc::clone(&events);
    let test = TestAuth::with(|builder| {
        builder.source(Panics).audit(move |event| audit.lock().unwrap().push(event.rejection))
    });
    let routes = Router::new().route("/", get(never)).layer(from_fn_with_state(seen.clone(), note));
    let app = routes.finish(test.auth()).unwrap();
    assert_eq!(send(&app, request("GET", "/", &[])).await.status, 500);
    assert_eq!(seen.take(), ["invalid: 500"]);
    assert_eq!(*events.lock().unwrap(), [Some(RejectionKind::Misconfigured)]);
}
