//! What is between a router and its routes, or between a route and its gate, does not change what the gate enforces and says. A route does
//! by itself what the layer of `Auth` does, unless something is around it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use auth_runtime::audit::AuditEvent;
use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{any, get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, RequestAuth, Router, auth, rule};
use axum::Extension;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::connect_info::MockConnectInfo;
use axum::handler::Handler as _;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::map_request;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;

use crate::support::{request, send, status, watched};

#[auth]
async fn for_any_caller(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(roles = ["admin"], source = ["bearer", "cookie"])]
async fn for_admins() {}

#[auth(source = ["bearer", "cookie"], optional)]
async fn optional(user: Option<Principal>) -> String {
    user.map_or("-".into(), |user| user.subject().to_owned())
}

#[auth(public)]
async fn refuses(Path(kind): Path<String>) -> Result<(), Rejection> {
    match kind.as_str() {
        "hidden" => Err(Rejection::hidden()),
        "forbidden" => Err(Rejection::forbidden("it is a Sunday")),
        "unauthenticated" => Err(Rejection::unauthenticated("the password is wrong")),
        _ => Ok(()),
    }
}

#[auth(public)]
async fn refuses_methods() -> Rejection {
    Rejection::hidden()
}

#[auth(public)]
async fn nowhere() -> StatusCode {
    StatusCode::NOT_FOUND
}

type Log = Arc<Mutex<Vec<String>>>;

/// An engine whose hooks write down all that they are given.
fn engine(log: &Log) -> TestAuth {
    let (heard, rendered) = (Arc::clone(log), Arc::clone(log));
    TestAuth::with(move |builder| {
        builder
            .audit(move |event: &AuditEvent<'_>| {
                let kind = event.rejection.map_or(200, |kind| kind.status().as_u16());
                let (subject, address) = (event.subject, event.client_address);
                let line = format!(
                    "{kind} {} {} {subject:?} {address:?} {}",
                    event.route, event.handler, event.reason
                );
                heard.lock().unwrap().push(line);
            })
            .render_rejections(move |rejection: &Rejection, head: &Parts| {
                let line =
                    format!("{} {} {:?}", rejection.kind().status(), head.uri, head.headers.get("accept"));
                rendered.lock().unwrap().push(line);
                rejection.problem()
            })
    })
}

fn routes() -> Router {
    let refused = Router::new().route("/{kind}", get(refuses));
    Router::new()
        .route("/any", get(for_any_caller))
        .route("/admins", post(for_admins))
        .route("/optional", any(optional))
        .route("/beside", (axum::routing::get(async || "beside"), rule!(roles = ["admin"])))
        .nest("/refused", refused)
        .nest_service("/service", (axum::routing::get(async || "service"), rule!()))
        .method_not_allowed_fallback(refuses_methods)
        .fallback(nowhere)
}

const REQUESTS: [(&str, &str); 14] = [
    ("GET", "/any"),
    ("HEAD", "/any"),
    ("PUT", "/any"),
    ("POST", "/admins"),
    ("GET", "/optional"),
    ("DELETE", "/optional"),
    ("GET", "/beside"),
    ("GET", "/refused/hidden"),
    ("HEAD", "/refused/forbidden"),
    ("GET", "/refused/unauthenticated"),
    ("GET", "/refused/nothing"),
    ("PUT", "/refused/hidden"),
    ("GET", "/service/below"),
    ("GET", "/nowhere"),
];

/// Status, headers and body of each answer, and what the hooks were given.
async fn all_answers(app: &axum::Router, test: &TestAuth, log: &Log) -> Vec<String> {
    let token = |user: TestUser| test.token(&user);
    let (alice, admin) = (token(TestUser::new("alice")), token(TestUser::new("root").roles(["admin"])));
    let credentials = [
        vec![],
        vec![("authorization", format!("Bearer {alice}"))],
        vec![("authorization", format!("Bearer {admin}"))],
        vec![("authorization", "Bearer made.up.token".to_owned())],
        vec![
            ("cookie", format!("__Host-access_token={alice}")),
            ("sec-fetch-site", "same-origin".to_owned()),
        ],
        vec![("cookie", "__Host-access_token=made-up".to_owned())],
        vec![("cookie", format!("__Host-access_token={admin}")), ("sec-fetch-site", "cross-site".to_owned())],
    ];
    let mut answers = Vec::new();
    for (method, path) in REQUESTS {
        for credential in &credentials {
            let mut headers: Vec<_> =
                credential.iter().map(|(name, value)| (*name, value.as_str())).collect();
            headers.push(("accept", "text/plain"));
            let reply = send(app, request(method, path, &headers)).await;
            let mut sent: Vec<_> =
                reply.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            sent.sort();
            let said = std::mem::take(&mut *log.lock().unwrap());
            answers.push(format!("{method} {path}: {} {sent:?} {} {said:?}", reply.status, reply.body));
        }
    }
    answers
}

#[tokio::test]
async fn a_middleware_that_does_nothing_changes_nothing() {
    let log = Log::default();
    let test = engine(&log);
    let nothing = || map_request(|request: Request| async { request });
    let address: SocketAddr = "192.0.2.7:4000".parse().unwrap();
    let apps = [
        routes(),
        routes().layer(nothing()),
        routes().route_layer(nothing()),
        Router::new().merge(routes().layer(nothing())),
    ];
    let [bare, layered @ ..] =
        apps.map(|app| app.finish(test.auth()).unwrap().layer(MockConnectInfo(address)));
    let expected = all_answers(&bare, &test, &log).await;
    assert!(
        expected
            .iter()
            .any(|answer| answer.contains("192.0.2.7") && answer.contains("the password is wrong"))
    );
    assert!(expected.iter().any(|answer| answer.contains("/refused/hidden Some(")), "the whole URI");
    for app in layered {
        for (found, expected) in all_answers(&app, &test, &log).await.iter().zip(&expected) {
            assert_eq!(found, expected);
        }
    }
}

#[tokio::test]
async fn a_layer_of_the_engine_between_a_route_and_its_gate_removes_no_rule() {
    let test = TestAuth::new();
    let routes = || {
        let handler = for_any_caller.layer(test.auth().layer());
        Router::new().route("/", get(handler)).require(rule!(roles = ["admin"]))
    };
    let nothing = map_request(|request: Request| async { request });
    for app in [routes(), routes().layer(nothing)] {
        let app = app.finish(test.auth()).unwrap();
        let token = test.token(&TestUser::new("alice"));
        assert_eq!(status(&app, "GET", "/", Some(&token)).await, 403);
        let token = test.token(&TestUser::new("root").roles(["admin"]));
        assert_eq!(status(&app, "GET", "/", Some(&token)).await, 200);
    }
}

#[tokio::test]
async fn a_layer_of_another_engine_between_a_route_and_its_gate_lets_nobody_in() {
    let (test, other) = (TestAuth::new(), TestAuth::new());
    let handler = for_any_caller.layer(other.auth().layer());
    let app = Router::new().route("/", get(handler)).finish(test.auth()).unwrap();
    for of in [&test, &other] {
        let token = of.token(&TestUser::new("alice"));
        assert_eq!(status(&app, "GET", "/", Some(&token)).await, 500);
    }
}

#[tokio::test]
async fn a_layer_behind_a_gate_leaves_the_principal_that_it_has_accepted() {
    let test = TestAuth::new();
    let greets = |user: Principal| async move { user.subject().to_owned() };
    let inner = axum::Router::new().route("/", axum::routing::get(greets)).layer(test.auth().layer());
    let app = Router::new().nest_service("/in", (inner, rule!())).finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let reply = send(&app, request("GET", "/in", &[("authorization", &bearer)])).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "alice"));
}

/// A handler that sends requests of its own, by another caller's token, and answers by itself.
async fn batch(Extension(inner): Extension<(axum::Router, String)>, request: Request) -> Response {
    let (app, token) = inner;
    let mut own = Request::new(Body::empty());
    *own.extensions_mut() = request.extensions().clone();
    *own.uri_mut() = "/any".parse().unwrap();
    own.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(app.oneshot(own).await.unwrap().status(), 200);
    "done".into_response()
}

#[tokio::test]
async fn a_watched_answer_says_what_was_decided_on_its_own_request() {
    let test = TestAuth::new();
    let inner = routes().finish(test.auth()).unwrap();
    let service = test.token(&TestUser::new("service"));
    let app = Router::new()
        .route("/batch", (axum::routing::get(batch).layer(Extension((inner, service))), rule!()))
        .finish(test.auth())
        .unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let (answer, decided) = watched(&app, request("GET", "/batch", &[("authorization", &bearer)])).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(decided.and_then(|decided| decided.principal()).unwrap().subject(), "alice");
    // What nothing watches says nothing, and where no gate is, nothing was decided.
    let answer = app.clone().oneshot(request("GET", "/batch", &[("authorization", &bearer)])).await.unwrap();
    assert!(answer.extensions().get::<RequestAuth>().is_none());
    assert!(watched(&app, request("GET", "/nowhere", &[])).await.1.is_none());
}

#[auth(optional)]
async fn was_decided(decided: Option<RequestAuth>, again: RequestAuth) -> String {
    let subject = again.principal().map(|user| user.subject().to_owned());
    format!("{} {subject:?}", decided.is_some_and(|decided| decided.is_decided()))
}

#[tokio::test]
async fn a_handler_learns_what_was_decided_by_an_argument() {
    let test = TestAuth::new();
    let app = Router::new().route("/", get(was_decided)).finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    for (headers, expected) in
        [(vec![], "true None"), (vec![("authorization", bearer.as_str())], "true Some(\"alice\")")]
    {
        assert_eq!(send(&app, request("GET", "/", &headers)).await.body, expected);
    }
}
