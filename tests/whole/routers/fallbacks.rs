//! Fallbacks of routers: each has a rule, is listed, and answers where axum's would.

use std::sync::{Arc, Mutex};

use auth_runtime::audit::AuditEvent;
use auth_runtime::routing::{any, get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, rule};
use axum::http::{Method, StatusCode};

use super::{admin, any_caller, lost, lost_for_admins, open};
use crate::support::{request, send, status};

#[auth(roles = ["admin"])]
async fn wrong_method(method: Method) -> (StatusCode, String) {
    (StatusCode::METHOD_NOT_ALLOWED, format!("no {method}"))
}

fn lines(routes: &Router) -> Vec<String> {
    let line = |route: &auth_runtime::routing::RouteInfo| {
        let handler = route.handler.rsplit("::").next().unwrap();
        format!("{} {} {} {handler}", route.method, route.path, route.who())
    };
    routes.routes().iter().map(line).collect()
}

#[tokio::test]
async fn what_is_no_handler_is_a_fallback_by_the_rule_beside_it() {
    let test = TestAuth::new();
    let rule = rule!(roles = ["admin"]);
    let service = || axum::routing::any(async || "inside");
    let admin_token = test.token(&TestUser::new("alice").roles(["admin"]));
    for (app, listed) in [
        (Router::new().fallback(get(admin).post(admin)), vec!["GET", "POST"]),
        (Router::new().fallback(any(admin)), vec!["ANY"]),
        (Router::new().fallback((service(), rule)), vec!["ANY"]),
        (Router::new().fallback_service((service(), rule)), vec!["ANY"]),
        (Router::new().fallback(lost).fallback(get(admin).fallback(admin)), vec!["GET", "OTHER"]),
    ] {
        let app = app.route("/open", get(open));
        let listed: Vec<_> = listed
            .into_iter()
            .map(|method| (method, "/(fallback)".to_owned()))
            .chain([("GET", "/open".to_owned())])
            .collect();
        assert_eq!(
            app.routes().iter().map(|route| (route.method, route.path.clone())).collect::<Vec<_>>(),
            listed
        );
        let app = app.finish(test.auth()).unwrap();
        for path in ["/", "/nothing", "/a/b", "/open/"] {
            assert_eq!(status(&app, "GET", path, None).await, 401, "{path}");
            assert_eq!(status(&app, "GET", path, Some(&admin_token)).await, 200, "{path}");
        }
        assert_eq!(status(&app, "GET", "/open", None).await, 200);
    }
}

#[tokio::test]
async fn a_wrong_method_has_a_handler_with_a_rule() {
    let test = TestAuth::new();
    let app = Router::new()
        .route("/x", get(open).post(any_caller))
        .route("/any", any(any_caller))
        .route("/own", get(open).fallback(any_caller))
        .route_service("/service", (axum::routing::get(async || ()), rule!(public)))
        .route("/beside", (axum::routing::get(async || ()), rule!(public)))
        .nest("/in", Router::new().route("/y", post(open)).require(rule!(scopes = ["in"])))
        .fallback(lost)
        .method_not_allowed_fallback(wrong_method)
        .method_not_allowed_fallback(open)
        .route("/later", get(open))
        .require(rule!(source = "bearer"));
    let others: Vec<_> = lines(&app).into_iter().filter(|line| line.starts_with("OTHER")).collect();
    assert_eq!(
        others,
        [
            "OTHER /own from bearer: any authenticated caller any_caller",
            "OTHER /x from bearer: role admin wrong_method",
            "OTHER /beside from bearer: role admin wrong_method",
            "OTHER /in/y from bearer: scope in, and role admin wrong_method",
        ],
        "not where a path has a fallback, is a service's, or came later; the first one stays"
    );
    let app = app.finish(test.auth()).unwrap();
    let [user, admin] =
        [vec![], vec!["admin"]].map(|roles| test.token(&TestUser::new("alice").roles(roles).scopes(["in"])));
    for (path, allow) in [("/x", "GET,HEAD,POST"), ("/beside", "GET,HEAD"), ("/in/y", "POST")] {
        assert_eq!(status(&app, "DELETE", path, None).await, 401, "{path}");
        assert_eq!(status(&app, "DELETE", path, Some(&user)).await, 403, "{path}");
        let reply =
            send(&app, request("DELETE", path, &[("authorization", &format!("Bearer {admin}"))])).await;
        assert_eq!(reply.status, 405, "{path}");
        assert_eq!((&*reply.body, reply.header("allow")), ("no DELETE", allow), "{path}");
    }
    for (path, expected) in [("/any", 200), ("/own", 200), ("/later", 405)] {
        assert_eq!(status(&app, "DELETE", path, Some(&user)).await, expected, "{path}");
    }
}

#[test]
fn the_handler_of_wrong_methods_is_checked_at_each_path() {
    #[auth(claims(tenant = path("tenant")))]
    async fn of_tenant() {}

    let test = TestAuth::new();
    let error = Router::<()>::new()
        .route("/{tenant}/x", get(open))
        .route("/x", get(open))
        .method_not_allowed_fallback(of_tenant)
        .finish(test.auth())
        .unwrap_err();
    let errors: Vec<_> = error.errors().collect();
    assert_eq!(errors.len(), 1, "{error}");
    assert!(errors[0].starts_with("OTHER /x (whole::routers::fallbacks::"), "{error}");
}

#[tokio::test]
async fn the_handler_of_wrong_methods_is_audited_by_the_path_of_the_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&seen);
    let test = TestAuth::with(|builder| {
        builder.audit(move |event: &AuditEvent<'_>| events.lock().unwrap().push(event.route.to_owned()))
    });
    let inner = Router::new().route("/x/{id}", get(open)).route("/y", get(open));
    let app = Router::new()
        .nest("/in", inner)
        .method_not_allowed_fallback(wrong_method)
        .finish(test.auth())
        .unwrap();
    for path in ["/in/x/7", "/in/y"] {
        status(&app, "DELETE", path, None).await;
    }
    assert_eq!(*seen.lock().unwrap(), ["/in/x/{id}", "/in/y"]);
}

/// What is merged without a guard may have method routers too, and their wrong methods go to the guarded handler.
#[tokio::test]
async fn the_handler_of_wrong_methods_answers_for_unguarded_routers_by_its_rule() {
    let test = TestAuth::new();
    let app = Router::new()
        .dangerously_merge_unguarded(axum::Router::new().route("/open", axum::routing::get(async || "open")))
        .method_not_allowed_fallback(wrong_method);
    assert_eq!(
        lines(&app),
        [
            "ANY /(unknown) NOT GUARDED [dangerously_merge_unguarded]",
            "OTHER /(unknown) role admin wrong_method"
        ]
    );
    let app = app.finish(test.auth()).unwrap();
    assert_eq!(status(&app, "GET", "/open", None).await, 200);
    assert_eq!(status(&app, "PUT", "/open", None).await, 401);
    let admin = test.token(&TestUser::new("alice").roles(["admin"]));
    assert_eq!(status(&app, "PUT", "/open", Some(&admin)).await, 405);
}

#[tokio::test]
async fn a_fallback_is_taken_away_with_those_of_nested_routers() {
    let test = TestAuth::new();
    let inner = || Router::new().route("/x", get(open)).fallback(lost_for_admins);
    let app = Router::new().nest("/in", inner()).fallback(lost).reset_fallback().merge(inner());
    assert_eq!(
        lines(&app),
        ["GET /in/x public open", "GET /x public open", "ANY /(fallback) role admin lost_for_admins"]
    );
    let app = app.finish(test.auth()).unwrap();
    for path in ["/in/nothing", "/nothing"] {
        assert_eq!(status(&app, "GET", path, None).await, 401, "{path}");
    }
    let none =
        Router::new().nest("/in", inner()).fallback(lost).reset_fallback().finish(test.auth()).unwrap();
    for path in ["/in/nothing", "/nothing"] {
        let reply = send(&none, request("GET", path, &[])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (404, ""), "{path}");
    }
}

#[tokio::test]
async fn what_a_router_requires_holds_for_its_fallbacks() {
    let test = TestAuth::new();
    let inner = || Router::new().route("/x", get(open)).require(rule!(roles = ["member"]));
    let service = || axum::routing::any(async || "service");
    let member = test.token(&TestUser::new("alice").roles(["member"]));
    for inner in [
        inner().fallback_service((service(), rule!(public))),
        inner().fallback((service(), rule!(public))),
        inner().fallback(any(open)),
        inner().method_not_allowed_fallback(open).fallback(open),
    ] {
        let app = Router::new().nest("/in", inner).finish(test.auth()).unwrap();
        for (method, path) in [("GET", "/in/nothing"), ("GET", "/in/x")] {
            assert_eq!(status(&app, method, path, None).await, 401, "{method} {path}");
            assert_eq!(status(&app, method, path, Some(&member)).await, 200, "{method} {path}");
        }
    }
    let inner = Router::new().route("/x", get(open)).method_not_allowed_fallback(open);
    let app =
        Router::new().nest("/in", inner.require(rule!(roles = ["member"]))).finish(test.auth()).unwrap();
    assert_eq!(status(&app, "PUT", "/in/x", None).await, 401);
    assert_eq!(status(&app, "PUT", "/in/x", Some(&member)).await, 200);
}

#[test]
fn a_router_says_whether_it_has_routes() {
    let empty = Router::<()>::new();
    assert!(!empty.has_routes());
    assert!(!empty.fallback(lost).has_routes());
    assert!(Router::<()>::new().route("/", get(open)).has_routes());
    assert!(
        Router::<()>::new().route_service("/", (axum::routing::any(async || ()), rule!(public))).has_routes()
    );
}

#[tokio::test]
async fn a_colon_is_literal_without_the_checks_for_axum_0_7() {
    #[auth]
    async fn subject(user: Principal) -> String {
        user.subject().to_owned()
    }
    let test = TestAuth::new();
    let service = || (axum::routing::any(async || "service"), rule!(public));
    let app = Router::new()
        .without_v07_checks()
        .route("/:id", get(subject))
        .route_service("/*x", service())
        .nest_service("/:in", service())
        .nest("/*in", Router::new().route("/y", get(open)))
        .finish(test.auth())
        .unwrap();
    let token = test.token(&TestUser::new("alice"));
    for (path, expected) in [("/:id", 200), ("/*x", 200), ("/:in/a", 200), ("/*in/y", 200), ("/7", 404)] {
        assert_eq!(status(&app, "GET", path, Some(&token)).await, expected, "{path}");
    }
}

#[test]
fn fallbacks_are_no_operations_of_a_document() {
    let routes = Router::<()>::new()
        .route("/x", get(open).fallback(admin))
        .route("/y", post(open))
        .method_not_allowed_fallback(wrong_method)
        .fallback(any(lost));
    let api = auth_runtime::openapi::OpenApi::new("Shop", "1.0.0");
    let document = api.describe(&routes.routes(), TestAuth::new().auth()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document.to_json()).unwrap();
    let operations: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| (&**path, item.as_object().unwrap().keys().map(|key| &**key).collect::<Vec<_>>()))
        .collect();
    assert_eq!(operations, [("/x", vec!["get"]), ("/y", vec!["post"])]);
}

#[test]
fn the_lock_compares_the_handler_of_wrong_methods() {
    let test = TestAuth::new();
    let lock = tempfile::tempdir().unwrap();
    let path = lock.path().join("access.lock");
    let router = || {
        Router::<()>::new()
            .dangerously_merge_unguarded(
                axum::Router::new().route("/open", axum::routing::get(async || "open")),
            )
            .route("/x", get(open))
    };
    let before = router().method_not_allowed_fallback(admin).routes().table(test.auth());
    before.write_lock(&path).unwrap();
    before.check_lock(&path).unwrap();
    let after = router().method_not_allowed_fallback(open).routes().table(test.auth());
    let said = after.check_lock(&path).unwrap_err().to_string();
    assert!(said.contains("OTHER /x\n    + gained: anonymous callers"), "{said}");
    assert!(!said.contains("merged"), "the unguarded router is the same: {said}");
}
