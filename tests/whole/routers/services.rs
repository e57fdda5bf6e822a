//! Services with a rule beside them: at one path, below a path, and as what a single-page application is served by.

use std::convert::Infallible;
use std::path::Path;

use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Router, rule};
use axum::extract::Request;
use tower_http::services::{ServeDir, ServeFile};

use super::{any_caller, status};
use crate::support::{get_as, request, send};

async fn echo(request: Request) -> Result<String, Infallible> {
    Ok(format!("{} {}", request.method(), request.uri().path()))
}

#[tokio::test]
async fn a_service_at_a_path_is_one_route() {
    let test = TestAuth::new();
    let service = tower::service_fn(echo);
    let app = Router::new()
        .route_service("/", (service, rule!(public)))
        .route_service("/{*path}", (service, rule!(roles = ["staff"])))
        .route_service("/a/", (service, rule!(public)));
    let listed: Vec<_> = app.routes().iter().map(|route| (route.method, route.path.clone())).collect();
    assert_eq!(listed, [("ANY", "/".to_owned()), ("ANY", "/{*path}".to_owned()), ("ANY", "/a/".to_owned())]);
    let app = app.finish(test.auth()).unwrap();
    let staff = TestUser::new("alice").roles(["staff"]);
    for (method, path, anonymous) in [
        ("GET", "/", 200),
        ("PURGE", "/", 200),
        ("GET", "/a", 401),
        ("GET", "/a/", 200),
        ("GET", "/a/b", 401),
    ] {
        assert_eq!(send(&app, request(method, path, &[])).await.status, anonymous, "{method} {path}");
        let bearer = format!("Bearer {}", test.token(&staff));
        let reply = send(&app, request(method, path, &[("authorization", &bearer)])).await;
        assert_eq!(reply.body, format!("{method} {path}"), "the path stays whole");
    }
}

/// A path that ends in a brace is nested all the same: what a service gets is said by the name of the method.
#[tokio::test]
async fn a_service_below_a_parameter() {
    let test = TestAuth::new();
    let app = Router::new()
        .nest_service("/of/{user}", (tower::service_fn(echo), rule!(claims(sub = path("user")))))
        .finish(test.auth())
        .unwrap();
    let alice = TestUser::new("alice");
    assert_eq!(get_as(&app, &test, &alice, "/of/alice/a/b").await.body, "GET /a/b");
    assert_eq!(get_as(&app, &test, &alice, "/of/alice").await.body, "GET /");
    assert_eq!(status(&app, &test, &alice, "/of/bob/a").await, 403);
}

fn site(folder: &Path) {
    std::fs::create_dir(folder.join("assets")).unwrap();
    std::fs::write(folder.join("index.html"), "<title>app</title>").unwrap();
    std::fs::write(folder.join("assets/app.js"), "start()").unwrap();
}

#[tokio::test]
async fn a_single_page_application_is_served() {
    let folder = tempfile::tempdir().unwrap();
    site(folder.path());
    let index = || ServeFile::new(folder.path().join("index.html"));
    let files = || ServeDir::new(folder.path()).fallback(index());
    let api =
        || Router::new().nest("/api", Router::new().route("/me", auth_runtime::routing::get(any_caller)));
    let test = TestAuth::new();
    for app in [
        api().fallback_service((files(), rule!(public))),
        api()
            .route_service("/", (files(), rule!(public)))
            .route_service("/{*path}", (files(), rule!(public))),
    ] {
        let app = app.finish(test.auth()).unwrap();
        for (path, kind, body) in [
            ("/", "text/html", "<title>app</title>"),
            ("/index.html", "text/html", "<title>app</title>"),
            ("/assets/app.js", "text/javascript", "start()"),
            ("/orders/7", "text/html", "<title>app</title>"),
            ("/assets/../../secret", "text/html", "<title>app</title>"),
        ] {
            let reply = send(&app, request("GET", path, &[])).await;
            assert_eq!(
                (reply.status.as_u16(), &*reply.body, reply.header("content-type")),
                (200, body, kind),
                "{path}"
            );
        }
        let head = send(&app, request("HEAD", "/orders/7", &[])).await;
        assert_eq!((head.status.as_u16(), &*head.body, head.header("content-length")), (200, "", "18"));
        assert_eq!(send(&app, request("POST", "/orders/7", &[])).await.status, 405);
        assert_eq!(send(&app, request("GET", "/api/me", &[])).await.status, 401);
        assert_eq!(status(&app, &test, &TestUser::new("alice"), "/api/me").await, 200);
    }
}

#[tokio::test]
async fn a_single_page_application_can_be_for_some_callers_only() {
    let folder = tempfile::tempdir().unwrap();
    site(folder.path());
    let index = ServeFile::new(folder.path().join("index.html"));
    let test = TestAuth::new();
    let app = Router::<()>::new()
        .route_service("/login", (index.clone(), rule!(public)))
        .fallback_service((ServeDir::new(folder.path()).fallback(index), rule!(roles = ["staff"])))
        .finish(test.auth())
        .unwrap();
    assert_eq!(send(&app, request("GET", "/login", &[])).await.status, 200);
    for path in ["/", "/assets/app.js", "/orders/7"] {
        let reply = send(&app, request("GET", path, &[])).await;
        assert_eq!(reply.status, 401, "{path}");
        assert!(!reply.body.contains("app"), "{}", reply.body);
        assert_eq!(status(&app, &test, &TestUser::new("eve"), path).await, 403, "{path}");
        assert_eq!(status(&app, &test, &TestUser::new("alice").roles(["staff"]), path).await, 200, "{path}");
    }
}

/// A service that is ready once: the one that was asked is the one that is called.
#[tokio::test]
async fn a_service_is_called_by_the_clone_that_was_ready() {
    use std::task::{Context, Poll};

    #[derive(Clone)]
    struct Once {
        is_ready: bool,
    }

    impl tower::Service<Request> for Once {
        type Response = String;
        type Error = Infallible;
        type Future = std::future::Ready<Result<String, Infallible>>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            if std::mem::replace(&mut self.is_ready, true) {
                return Poll::Ready(Ok(()));
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }

        fn call(&mut self, _: Request) -> Self::Future {
            assert!(std::mem::replace(&mut self.is_ready, false), "called without having been ready");
            std::future::ready(Ok("ready".to_owned()))
        }
    }

    let test = TestAuth::new();
    let app = Router::<()>::new()
        .route_service("/", (Once { is_ready: false }, rule!(public)))
        .finish(test.auth())
        .unwrap();
    for _ in 0..2 {
        assert_eq!(send(&app, request("GET", "/", &[])).await.body, "ready");
    }
}

/// Also those of the answer where nothing is found, as in axum.
#[tokio::test]
async fn a_service_leaves_the_layers_of_the_fallback() {
    let test = TestAuth::new();
    let marked = axum::middleware::map_response(async |mut response: axum::response::Response| {
        response.headers_mut().insert("x-layer", axum::http::HeaderValue::from_static("1"));
        response
    });
    let app = Router::<()>::new().layer(marked).route_service("/", (tower::service_fn(echo), rule!(public)));
    let reply = send(&app.finish(test.auth()).unwrap(), request("GET", "/none", &[])).await;
    assert_eq!((reply.status.as_u16(), reply.header("x-layer")), (404, "1"));
}
