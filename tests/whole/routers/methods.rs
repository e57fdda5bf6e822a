//! Method routers: put together, with services, with state, and what a rule beside them costs.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::routing::{MethodFilter, MethodRouter, any, connect, get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Router, auth, rule};
use axum::extract::{Request, State};

use super::{admin, any_caller, open};
use crate::support::{request, send, status};

#[auth(public)]
async fn named(State(name): State<&'static str>) -> &'static str {
    name
}

async fn echo(request: Request) -> Result<String, Infallible> {
    Ok(format!("service {}", request.method()))
}

fn lines<S: Clone + Send + Sync + 'static>(routes: &Router<S>) -> Vec<String> {
    let line = |route: &auth_runtime::routing::RouteInfo| {
        let handler = route.handler.rsplit("::").next().unwrap();
        format!("{} {} {} {handler}", route.method, route.path, route.who())
    };
    routes.routes().iter().map(line).collect()
}

#[tokio::test]
async fn method_routers_are_merged_with_their_rules() {
    let test = TestAuth::new();
    let beside = axum::routing::put(async || "beside");
    let methods = get(open)
        .merge(post(admin))
        .merge((beside, rule!(roles = ["editor"])))
        .on_service(MethodFilter::DELETE, (tower::service_fn(echo), rule!(roles = ["owner"])))
        .connect(any_caller);
    let app = Router::new().route("/x", methods);
    assert_eq!(
        lines(&app),
        [
            "GET /x public open",
            "POST /x role admin admin",
            "ANY /x role editor [rule beside it]",
            "DELETE /x role owner [service]",
            "CONNECT /x any authenticated caller any_caller",
        ]
    );
    let app = app.finish(test.auth()).unwrap();
    for (method, role) in [("POST", "admin"), ("PUT", "editor"), ("DELETE", "owner")] {
        let [right, wrong] = [role, "other"].map(|role| test.token(&TestUser::new("alice").roles([role])));
        assert_eq!(status(&app, method, "/x", None).await, 401, "{method}");
        assert_eq!(status(&app, method, "/x", Some(&wrong)).await, 403, "{method}");
        assert_eq!(status(&app, method, "/x", Some(&right)).await, 200, "{method}");
    }
    assert_eq!(status(&app, "GET", "/x", None).await, 200);
    assert_eq!(status(&app, "CONNECT", "/x", None).await, 401);
    let connected = Router::new().route("/", connect(any_caller)).finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice"));
    assert_eq!(status(&connected, "CONNECT", "/", Some(&token)).await, 200);
    assert_eq!(status(&connected, "GET", "/", Some(&token)).await, 405);
}

#[tokio::test]
async fn a_method_router_begins_empty() {
    let test = TestAuth::new();
    let app = Router::<()>::new()
        .route("/new", MethodRouter::new())
        .route("/default", MethodRouter::default().get(open))
        .finish(test.auth())
        .unwrap();
    assert_eq!(status(&app, "GET", "/new", None).await, 405);
    assert_eq!(status(&app, "GET", "/default", None).await, 200);
}

#[tokio::test]
async fn a_method_router_has_a_state_of_its_own() {
    let test = TestAuth::new();
    let app = Router::new()
        .route("/own", get(named).with_state("own"))
        .route("/shared", get(named).fallback(named))
        .with_state("shared")
        .finish(test.auth())
        .unwrap();
    for (method, path, expected) in
        [("GET", "/own", "own"), ("GET", "/shared", "shared"), ("PUT", "/shared", "shared")]
    {
        assert_eq!(send(&app, request(method, path, &[])).await.body, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn the_fallback_of_a_method_router_has_a_rule() {
    let test = TestAuth::new();
    let app = Router::new()
        .route("/handler", get(open).fallback(admin))
        .route("/service", get(open).fallback_service((tower::service_fn(echo), rule!(roles = ["admin"]))))
        .route("/replaced", any(open).fallback(open).fallback(admin));
    assert_eq!(
        lines(&app),
        [
            "GET /handler public open",
            "OTHER /handler role admin admin",
            "GET /service public open",
            "OTHER /service role admin [service]",
            "OTHER /replaced role admin admin",
        ]
    );
    let app = app.finish(test.auth()).unwrap();
    let admin = format!("Bearer {}", test.token(&TestUser::new("alice").roles(["admin"])));
    for (path, allow) in [("/handler", "GET,HEAD"), ("/service", "GET,HEAD"), ("/replaced", "")] {
        assert_eq!(status(&app, "DELETE", path, None).await, 401, "{path}");
        let reply = send(&app, request("DELETE", path, &[("authorization", &admin)])).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (200, allow), "{path}");
    }
    assert_eq!(status(&app, "HEAD", "/handler", None).await, 200);
}

/// A state that counts how often it is cloned.
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

#[auth(public)]
async fn stateful(State(_): State<Counted>) {}

#[tokio::test]
async fn a_rule_beside_a_handler_clones_the_state_as_often_as_the_attribute() {
    let test = TestAuth::new();
    let stateless = axum::routing::get(async |State(_): State<Counted>| ());
    let clones = async |app: &dyn Fn(Counted) -> axum::Router| {
        let count = Arc::new(AtomicUsize::new(0));
        let app = app(Counted(Arc::clone(&count)));
        let mut each = Vec::new();
        for _ in 0..3 {
            let before = count.load(Ordering::Relaxed);
            assert_eq!(send(&app, request("GET", "/", &[])).await.status, 200);
            each.push(count.load(Ordering::Relaxed) - before);
        }
        each
    };
    let attribute = clones(&|state| {
        Router::new().route("/", get(stateful)).with_state(state).finish(test.auth()).unwrap()
    })
    .await;
    let beside = clones(&|state| {
        let route = (stateless.clone(), rule!(public));
        Router::new().route("/", route).with_state(state).finish(test.auth()).unwrap()
    })
    .await;
    let plain = |state| axum::Router::new().route("/", stateless.clone()).with_state(state);
    assert_eq!(attribute, clones(&plain).await, "the gate clones nothing");
    let layered = clones(&|state| plain(state).layer(test.auth().layer())).await;
    assert_eq!(beside, layered, "a gate around a service clones as a layer does");
}
