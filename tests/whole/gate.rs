//! The gate comes first: nothing else of a refused request is touched, and nothing else is heard of.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use auth_runtime::routing::{any, get};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, rule};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path, Query, Request, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;

use crate::support::{Reply, request, send};

/// A body that counts how often it is asked for data.
struct Counted(Arc<AtomicUsize>);

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(None)
    }
}

/// State that can't be had.
struct Broken;

impl<S: Sync> FromRequestParts<S> for Broken {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Err((StatusCode::IM_A_TEAPOT, "the state is broken"))
    }
}

#[auth(roles = ["admin"])]
async fn path(_: Path<u32>, _: Principal) {}

#[auth(roles = ["admin"])]
async fn query(_: Query<Vec<(u8, u8)>>) {}

#[auth(roles = ["admin"])]
async fn state(_: Broken) {}

#[auth(roles = ["admin"])]
async fn json(_: Json<u32>) {}

#[auth(roles = ["admin"])]
async fn bytes(body: Bytes) -> String {
    body.len().to_string()
}

#[auth(roles = ["admin"])]
async fn socket(upgrade: WebSocketUpgrade) -> impl IntoResponse {
    upgrade.on_upgrade(|_| async {})
}

/// Each with what it answers to a caller who passes the gate.
const ROUTES: &[(&str, &str, u16)] = &[
    ("GET", "/path/no-number", 400),
    ("HEAD", "/path/no-number", 400),
    ("GET", "/query?a=b", 400),
    ("GET", "/state", 418),
    ("POST", "/json", 415),
    ("POST", "/bytes", 200),
    ("GET", "/socket", 400),
    ("POST", "/service", 200),
    ("POST", "/closure", 200),
];

fn routes() -> Router {
    let read = |body: Bytes| async move { body.len().to_string() };
    Router::new()
        .route("/path/{id}", get(path))
        .route("/query", get(query))
        .route("/state", get(state))
        .route("/json", any(json))
        .route("/bytes", any(bytes))
        .route("/socket", get(socket))
        .nest_service("/service", (axum::routing::post(read), rule!(roles = ["admin"])))
        .route("/closure", (axum::routing::post(read), rule!(roles = ["admin"])))
}

/// The same handlers on a router of axum's own, whose layer is all they have.
fn plain() -> axum::Router {
    axum::Router::new()
        .route("/path/{id}", axum::routing::get(path))
        .route("/query", axum::routing::get(query))
        .route("/state", axum::routing::get(state))
        .route("/json", axum::routing::any(json))
        .route("/bytes", axum::routing::any(bytes))
        .route("/socket", axum::routing::get(socket))
}

async fn ask(app: &axum::Router, method: &str, path: &str, bearer: Option<&str>) -> (Reply, usize) {
    let polls = Arc::new(AtomicUsize::new(0));
    let mut request: Request = request(method, path, &[("connection", "upgrade"), ("upgrade", "websocket")]);
    if let Some(bearer) = bearer {
        request.headers_mut().insert("authorization", format!("Bearer {bearer}").parse().unwrap());
    }
    *request.body_mut() = Body::new(Counted(Arc::clone(&polls)));
    let reply = send(app, request).await;
    (reply, polls.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_refused_request_is_not_touched() {
    let test = TestAuth::new();
    let viewer = test.token(&TestUser::new("bob").roles(["viewer"]));
    for (router, app) in
        [("guarded", routes().finish(test.auth()).unwrap()), ("plain", plain().layer(test.auth().layer()))]
    {
        for (method, path, _) in ROUTES {
            if router == "plain" && matches!(*path, "/service" | "/closure") {
                continue;
            }
            for (bearer, status) in [(None, 401), (Some("bad"), 401), (Some(viewer.as_str()), 403)] {
                let (reply, polls) = ask(&app, method, path, bearer).await;
                assert_eq!(
                    (reply.status.as_u16(), polls),
                    (status, 0),
                    "{router}: {method} {path} {bearer:?}"
                );
                if *method != "HEAD" {
                    assert!(reply.body.starts_with(r#"{"type":"about:blank","title":""#), "{}", reply.body);
                }
            }
        }
    }
}

#[tokio::test]
async fn the_same_request_of_another_caller_reaches_the_extractors() {
    let test = TestAuth::new();
    let admin = test.token(&TestUser::new("alice").roles(["admin"]));
    let app = routes().finish(test.auth()).unwrap();
    for (method, path, status) in ROUTES {
        let (reply, _) = ask(&app, method, path, Some(&admin)).await;
        assert_eq!(reply.status.as_u16(), *status, "{method} {path}: {}", reply.body);
    }
    let (_, polls) = ask(&app, "POST", "/bytes", Some(&admin)).await;
    assert_ne!(polls, 0, "the count is of this body");
}

#[tokio::test]
async fn without_the_layer_every_handler_answers_500() {
    let test = TestAuth::new();
    let admin = test.token(&TestUser::new("alice").roles(["admin"]));
    for bearer in [None, Some(admin.as_str())] {
        for (method, path, _) in
            ROUTES.iter().filter(|(_, path, _)| !matches!(*path, "/service" | "/closure"))
        {
            let (reply, polls) = ask(&plain(), method, path, bearer).await;
            assert_eq!((reply.status.as_u16(), polls), (500, 0), "{method} {path}");
        }
    }
}

#[auth(roles = ["admin"], source = "nowhere")]
async fn unknown_source() {}

#[tokio::test]
async fn what_a_plain_router_cannot_serve_is_refused() {
    let test = TestAuth::new();
    let app = axum::Router::new().route("/", axum::routing::get(unknown_source)).layer(test.auth().layer());
    assert_eq!(send(&app, request("GET", "/", &[])).await.status, 500);
}

async fn ungated(user: Principal) -> String {
    user.subject().to_owned()
}

#[tokio::test]
async fn a_principal_is_not_had_without_a_gate() {
    let test = TestAuth::new();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let unguarded = axum::Router::new().route("/", axum::routing::get(ungated));
    let app = Router::new().dangerously_merge_unguarded(unguarded).finish(test.auth()).unwrap();
    assert_eq!(send(&app, request("GET", "/", &[("authorization", &bearer)])).await.status, 500);
}

#[tokio::test]
async fn another_engine_inside_is_not_this_one() {
    let (test, other) = (TestAuth::new(), TestAuth::new());
    let token = |of: &TestAuth| format!("Bearer {}", of.token(&TestUser::new("alice").roles(["admin"])));
    // Finished with one engine, with the layer of another nearer to the handlers.
    let app =
        Router::new().route("/bytes", any(bytes)).layer(other.auth().layer()).finish(test.auth()).unwrap();
    for of in [&test, &other] {
        assert_eq!(send(&app, request("GET", "/bytes", &[("authorization", &token(of))])).await.status, 500);
    }
    // On a plain router the nearest layer is the one that counts.
    let app = plain().layer(test.auth().layer()).layer(other.auth().layer());
    assert_eq!(send(&app, request("GET", "/bytes", &[("authorization", &token(&test))])).await.status, 200);
    assert_eq!(send(&app, request("GET", "/bytes", &[("authorization", &token(&other))])).await.status, 401);
}
