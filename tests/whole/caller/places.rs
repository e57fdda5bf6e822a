//! Where the layer may be: around a handler, a path, a router, a nested one; and where nothing is known.

use auth_runtime::rule;
use axum::handler::Handler as _;

use super::*;
use crate::captured_log::CapturedLog;

/// What is seen of a request with a bearer token of alice, or with none on the path `/none`.
async fn ask(app: &axum::Router, test: &TestAuth, method: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    send(app, request(method, path, &[("authorization", &bearer)])).await.status.as_u16()
}

#[auth(source = "cookie")]
async fn cookie_only() {}

#[tokio::test]
async fn around_a_handler_a_path_and_a_router() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let layer = || from_fn_with_state(seen.clone(), note);
    for routes in [
        Router::new().route("/x", get(any_caller.layer(layer()))),
        Router::new().route("/x", get(any_caller).layer(layer())),
        Router::new().route("/x", get(any_caller).route_layer(layer())),
        Router::new().route("/x", get(any_caller)).layer(layer()),
        Router::new().route("/x", get(any_caller)).route_layer(layer()),
        Router::new().merge(Router::new().route("/x", get(any_caller)).layer(layer())),
        Router::new().merge(Router::new().route("/x", get(any_caller))).layer(layer()),
    ] {
        let app = routes.finish(test.auth()).unwrap();
        assert_eq!(ask(&app, &test, "GET", "/x").await, 200);
        assert_eq!(seen.take(), ["alice"]);
    }
}

#[tokio::test]
async fn each_method_of_a_path_has_its_sources() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let methods = get(any_caller).post(cookie_only).fallback(any_caller);
    let routes = Router::new()
        .route("/methods", methods)
        .route("/any", auth_runtime::routing::any(any_caller).delete(cookie_only))
        .route("/beside", (axum::routing::get(|| async {}), rule!(source = "bearer")))
        .route_service(
            "/service",
            (axum::Router::new().fallback(|| async {}).into_service(), rule!(optional)),
        )
        .nest_service("/below", (axum::Router::new().fallback(|| async {}), rule!()))
        .fallback(any_caller)
        .layer(from_fn_with_state(seen.clone(), note));
    let app = routes.finish(test.auth()).unwrap();
    for (method, path, expected) in [
        ("GET", "/methods", "alice"),
        ("HEAD", "/methods", "alice"),
        ("POST", "/methods", "anonymous"),
        ("PUT", "/methods", "alice"),
        ("GET", "/any", "alice"),
        ("DELETE", "/any", "anonymous"),
        ("GET", "/beside", "alice"),
        ("GET", "/service", "alice"),
        ("GET", "/below", "alice"),
        ("GET", "/below/", "alice"),
        ("GET", "/below/a/b", "alice"),
        ("GET", "/nowhere", "alice"),
    ] {
        let status = ask(&app, &test, method, path).await;
        assert_eq!(status, if expected == "alice" { 200 } else { 401 }, "{method} {path}");
        assert_eq!(seen.take(), [expected], "{method} {path}");
    }
}

/// The path that axum names has the paths in front of it, which the router knows or does not.
#[tokio::test]
async fn in_routers_that_are_nested() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let layer = || from_fn_with_state(seen.clone(), note);
    let inner = || {
        Router::new()
            .route("/", get(any_caller))
            .route("/x/{id}", get(any_caller).post(cookie_only))
            .nest_service("/below", (axum::Router::new().fallback(|| async {}), rule!()))
    };
    let paths = ["/v1", "/v1/x/1", "/v1/below/a"];
    type Outer = fn(axum::Router) -> axum::Router;
    let table: Vec<(Router, Outer, &str)> = vec![
        (Router::new().nest("/v1", inner().layer(layer())), |app| app, ""),
        (Router::new().nest("/v1", inner()).layer(layer()), |app| app, ""),
        (
            Router::new().nest("/v1", inner()).layer(layer()),
            |app| axum::Router::new().nest("/app", app),
            "/app",
        ),
        (
            Router::new().nest("/v1", inner()).layer(layer()).mounted_at("/org/{tenant}"),
            |app| axum::Router::new().nest("/org/{tenant}", app),
            "/org/acme",
        ),
        (
            Router::new().nest("/v1", inner()).layer(layer()),
            |app| axum::Router::new().nest("/a", axum::Router::new().nest("/b/", app)),
            "/a/b",
        ),
        (
            Router::new().nest("/v1", inner()).layer(layer()),
            |app| axum::Router::new().nest_service("/service", app),
            "/service",
        ),
        (
            Router::new().nest("/v1", inner()).layer(layer()),
            |app| axum::Router::new().fallback_service(app),
            "",
        ),
    ];
    for (row, (routes, outer, prefix)) in table.into_iter().enumerate() {
        let app = outer(routes.finish(test.auth()).unwrap());
        for path in paths {
            let path = format!("{prefix}{path}");
            assert_eq!(ask(&app, &test, "GET", &path).await, 200, "{row} {path}");
            assert_eq!(seen.take(), ["alice"], "{row} {path}");
        }
        assert_eq!(ask(&app, &test, "POST", &format!("{prefix}/v1/x/1")).await, 401);
        assert_eq!(seen.take(), ["anonymous"], "{row}");
    }
}

#[tokio::test]
async fn what_a_router_requires_of_other_methods_has_a_caller_too() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let routes = Router::new()
        .route("/x", get(any_caller))
        .layer(from_fn_with_state(seen.clone(), note))
        .require(rule!(roles = ["admin"]));
    let app = routes.finish(test.auth()).unwrap();
    assert_eq!(ask(&app, &test, "PUT", "/x").await, 403);
    assert_eq!(seen.take(), ["alice"]);
}

#[tokio::test]
async fn a_fallback_of_a_nested_router_is_its_own() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let inner = Router::new().route("/x", get(any_caller)).fallback(cookie_only);
    let routes = Router::new().nest("/inner", inner).fallback(any_caller);
    let app = routes.layer(from_fn_with_state(seen.clone(), note)).finish(test.auth()).unwrap();
    for (path, expected) in [("/inner/nowhere", "anonymous"), ("/nowhere", "alice"), ("/innermost", "alice")]
    {
        ask(&app, &test, "GET", path).await;
        assert_eq!(seen.take(), [expected], "{path}");
    }
}

#[tokio::test]
async fn outside_of_the_finished_router_nothing_is_known_and_the_log_says_so_once() {
    let log = CapturedLog::start(tracing::Level::WARN);
    let (test, seen) = (TestAuth::new(), Seen::default());
    let layer = || from_fn_with_state(seen.clone(), note);
    let outside = routes().finish(test.auth()).unwrap().layer(layer());
    let plain = axum::Router::new()
        .route("/any", axum::routing::get(any_caller))
        .layer(layer())
        .layer(test.auth().layer());
    for app in [&outside, &plain] {
        for _ in 0..2 {
            assert_eq!(ask(app, &test, "GET", "/any").await, 200, "the gate is as ever");
            assert_eq!(seen.take(), ["unknown"]);
        }
    }
    let text = log.text();
    assert_eq!(
        text.matches("a middleware asks for the `Caller` where no route is known").count(),
        1,
        "{text}"
    );
}

#[tokio::test]
async fn routes_that_are_merged_unguarded_are_unknown() {
    let (test, seen) = (TestAuth::new(), Seen::default());
    let unguarded = axum::Router::new().route("/open", axum::routing::get(|| async {}));
    let routes = Router::new().dangerously_merge_unguarded(unguarded);
    let app = routes.layer(from_fn_with_state(seen.clone(), note)).finish(test.auth()).unwrap();
    assert_eq!(ask(&app, &test, "GET", "/open").await, 200);
    assert_eq!(seen.take(), ["unknown"]);
}
