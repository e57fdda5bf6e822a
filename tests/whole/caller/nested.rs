//! Gates within gates: a finished router behind a rule, and plain handlers with an attribute behind one. Each part learns of its own gate.

use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::authenticator::{Authentication, Authenticator, BoxError, Subject};
use auth_runtime::source::CredentialPlace;
use auth_runtime::{RequestAuth, check, rule};
use axum::extract::FromRequestParts as _;
use axum::http::request::Parts;
use tower::ServiceExt as _;

use super::*;
use crate::captured_log::CapturedLog;
use crate::support::watched;

#[auth(source = "bearer")]
async fn by_bearer(user: Principal) -> String {
    user.subject().to_owned()
}

/// Alice sends a bearer token, and bob a cookie: the two gates take another one each.
fn both(test: &TestAuth) -> [(&'static str, String); 2] {
    let [alice, bob] = ["alice", "bob"].map(|name| test.token(&TestUser::new(name)));
    [("authorization", format!("Bearer {alice}")), ("cookie", format!("__Host-access_token={bob}"))]
}

async fn ask(app: &axum::Router, path: &str, headers: &[(&str, String)]) -> (u16, String) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = send(app, request("GET", path, &headers)).await;
    (reply.status.as_u16(), reply.body)
}

/// The layer is one of the inner router, which is a service of the outer one.
#[tokio::test]
async fn in_a_finished_router_behind_a_rule_it_is_the_caller_of_the_inner_route() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let inner = Router::new()
        .route("/x", get(by_bearer).post(by_cookie))
        .route("/open", get(public))
        .layer(from_fn_with_state(seen.clone(), note));
    let inner = inner.finish(test.auth()).unwrap();
    let rules =
        [("/public", rule!(public)), ("/cookie", rule!(source = "cookie")), ("/optional", rule!(optional))];
    let mut outer = Router::new().fallback(public);
    for (path, rule) in rules {
        outer = outer.nest_service(path, (inner.clone(), rule));
    }
    let app = outer.finish(test.auth()).unwrap();
    let headers = both(&test);
    for path in ["/public", "/cookie", "/optional"] {
        assert_eq!(ask(&app, &format!("{path}/x"), &headers).await, (200, "alice".into()), "{path}");
        assert_eq!(seen.take(), ["alice"], "{path}");
        assert_eq!(ask(&app, &format!("{path}/open"), &headers).await.0, 200, "{path}");
        assert_eq!(seen.take(), ["anonymous"], "{path}");
    }
}

/// The layer is around the inner router, so it is in the outer route.
#[tokio::test]
async fn around_a_finished_router_behind_a_rule_it_is_the_caller_of_the_outer_route() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let inner = Router::new().route("/x", get(by_bearer)).finish(test.auth()).unwrap();
    let inner = inner.layer(from_fn_with_state(seen.clone(), note));
    let outer = Router::new().nest_service("/in", (inner, rule!(source = "cookie")));
    let app = outer.finish(test.auth()).unwrap();
    assert_eq!(ask(&app, "/in/x", &both(&test)).await, (200, "alice".into()));
    assert_eq!(seen.take(), ["bob"]);
}

/// Nothing says before the inner handler runs that it has a gate.
#[tokio::test]
async fn between_two_gates_of_one_layer_it_is_the_outer_caller_and_the_log_says_if_the_inner_is_another() {
    for (rule, expected, is_reported) in
        [(rule!(source = "bearer"), "alice", false), (rule!(source = "cookie"), "bob", true)]
    {
        let log = CapturedLog::start(tracing::Level::WARN);
        let (test, seen) = (TestAuth::new(), Seen::default());
        let inner = axum::routing::get(by_bearer).layer(from_fn_with_state(seen.clone(), note));
        let app = Router::new().route("/x", (inner, rule)).finish(test.auth()).unwrap();
        for _ in 0..2 {
            assert_eq!(ask(&app, "/x", &both(&test)).await, (200, "alice".into()));
            assert_eq!(seen.take(), [expected]);
        }
        let lines = log.text().matches("a middleware between two gates asked for the `Caller`").count();
        assert_eq!(lines, usize::from(is_reported), "{}", log.text());
    }
}

/// What an authenticator can find of a caller in the head that it is given.
#[derive(Clone, Default)]
struct Spy {
    found: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Authenticator for Spy {
    async fn authenticate(&self, credential: &str, head: &Parts) -> Result<Authentication, BoxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut copy = head.clone();
        let mut found = self.found.lock().unwrap().clone();
        if let Ok(principal) = Principal::from_request_parts(&mut copy, &()).await {
            found.push(format!("principal {}", principal.subject()));
        }
        let auth = RequestAuth::from_request_parts(&mut copy, &()).await.unwrap();
        found.extend(auth.principal().map(|principal| format!("decided {}", principal.subject())));
        found.extend(auth.is_decided().then(|| "decided".to_owned()));
        if let Caller::Identified(principal) = Caller::of(head).await {
            found.push(format!("caller {}", principal.subject()));
        }
        *self.found.lock().unwrap() = found;
        Ok(Subject::new(credential).into())
    }
}

#[auth(source = "spy", check = looks_around)]
async fn spied(user: Principal) -> String {
    user.subject().to_owned()
}

/// A check finds the caller that it is asked about, and no decision yet.
#[check]
async fn looks_around(user: &Principal, auth: RequestAuth, caller: Caller) -> bool {
    let asked_about = caller.principal().map(Principal::subject) == Some(user.subject());
    asked_about && auth.principal().is_none() && !auth.is_decided()
}

async fn ask_by_name(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let caller = Caller::by(&head, &["spy"]).await;
    assert_eq!(words(&caller), "mallory");
    next.run(Request::from_parts(head, body)).await
}

#[tokio::test]
async fn an_authenticator_and_a_check_of_the_inner_gate_find_nothing_of_the_outer_one() {
    let spy = Spy::default();
    let test =
        TestAuth::with(|builder| builder.authenticator("spy", CredentialPlace::header("x-spy"), spy.clone()));
    let finished = |routes: Router| routes.finish(test.auth()).unwrap();
    let by_the_gate = || Router::new().route("/x", get(spied));
    let by_a_middleware = || by_the_gate().layer(from_fn(ask_by_name));
    let outer = Router::new()
        .nest_service("/gate", (finished(by_the_gate()), rule!(source = "bearer")))
        .nest_service("/middleware", (finished(by_a_middleware()), rule!(source = "bearer")))
        .route("/one-layer/x", (axum::routing::get(spied), rule!(source = "bearer")));
    let app = outer.finish(test.auth()).unwrap();
    let [alice, _] = both(&test);
    let headers = [alice, ("x-spy", "mallory".to_owned())];
    for path in ["/gate/x", "/middleware/x", "/one-layer/x"] {
        assert_eq!(ask(&app, path, &headers).await, (200, "mallory".into()), "{path}");
        assert_eq!(spy.asked.swap(0, Ordering::SeqCst), 1, "{path}");
        assert_eq!(*spy.found.lock().unwrap(), Vec::<String>::new(), "{path}");
    }
}

/// A handler that passes its request on: what is behind it has a gate of its own, or none.
#[tokio::test]
async fn what_a_handler_passes_on_has_the_decision_of_the_gate_that_was_last() {
    let test = TestAuth::new();
    let inner = Router::new().route("/x", get(by_bearer)).finish(test.auth()).unwrap();
    let pass_on = move |request: Request| async move { inner.oneshot(request).await };
    let app = Router::new()
        .route("/x", (axum::routing::get(pass_on), rule!(source = "cookie")))
        .finish(test.auth())
        .unwrap();
    let headers = both(&test);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let decided = watched(&app, request("GET", "/x", &headers)).await.1.unwrap();
    assert!(decided.is_decided());
    assert_eq!(decided.principal().unwrap().subject(), "alice");
}
