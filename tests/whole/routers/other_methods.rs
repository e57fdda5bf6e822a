//! The methods that a path has no route for: where a router requires something, the gate comes before 405.

use std::sync::{Arc, Mutex};

use auth_runtime::audit::AuditEvent;
use auth_runtime::routing::{any, get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Router, auth, rule};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::{admin, open};
use crate::support::{Reply, request, send};

#[auth]
async fn wrong_method(method: Method) -> (StatusCode, String) {
    (StatusCode::METHOD_NOT_ALLOWED, format!("no {method}"))
}

#[auth(public)]
async fn wrong_method_for_everybody() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

#[auth(roles = ["admin"])]
async fn wrong_method_of_admins() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

/// Adds a header to all answers, as a layer for CORS does.
fn tagged(router: Router) -> Router {
    router.layer(axum::middleware::map_response(async |mut response: Response| {
        response.headers_mut().insert("x-layer", "1".parse().unwrap());
        response
    }))
}

async fn ask(app: &axum::Router, test: &TestAuth, method: &str, path: &str, roles: Option<&[&str]>) -> Reply {
    let bearer = roles.map(|roles| {
        let user = TestUser::new("alice").roles(roles.iter().copied());
        format!("Bearer {}", test.token(&user))
    });
    let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    send(app, request(method, path, &headers)).await
}

/// What one learns: the status, `Allow` if there is one, and the body.
fn answer(reply: &Reply) -> (u16, Option<&str>, &str) {
    let allow = reply.headers.get("allow").map(|value| value.to_str().unwrap());
    (reply.status.as_u16(), allow, &reply.body)
}

#[tokio::test]
async fn the_gate_comes_before_405() {
    let test = TestAuth::new();
    let inner = Router::new()
        .route("/default", get(open).delete(admin))
        .route("/two", get(open))
        .route("/two", post(open))
        .route("/own", get(open).fallback(wrong_method))
        .route("/any", any(open))
        .route("/of/{id}", post(open))
        .fallback(get(open));
    let app = tagged(Router::new().nest("/in", inner.require(rule!(roles = ["member"]))))
        .route("/outside", get(open))
        .finish(test.auth())
        .unwrap();
    for (path, allow, body) in [
        ("/in/default", "GET,HEAD,DELETE", ""),
        ("/in/two", "GET,HEAD,POST", ""),
        ("/in/own", "GET,HEAD", "no PUT"),
        ("/in/of/7", "POST", ""),
        ("/in/nowhere", "GET,HEAD", ""),
    ] {
        let anonymous = ask(&app, &test, "PUT", path, None).await;
        let rejected = ask(&app, &test, if path.contains("of") { "POST" } else { "GET" }, path, None).await;
        assert_eq!(answer(&anonymous), answer(&rejected), "{path}: as any other method");
        assert_eq!(anonymous.headers, rejected.headers, "{path}");
        assert_eq!(anonymous.header("www-authenticate"), "Bearer realm=\"restricted\"", "{path}");
        let forbidden = ask(&app, &test, "PUT", path, Some(&["other"])).await;
        assert_eq!((forbidden.status.as_u16(), forbidden.headers.get("allow")), (403, None), "{path}");
        let member = ask(&app, &test, "PUT", path, Some(&["member"])).await;
        assert_eq!(answer(&member), (405, Some(allow), body), "{path}");
        for reply in [anonymous, forbidden, member] {
            assert_eq!(reply.header("x-layer"), "1", "{path}: layers are around it");
        }
    }
    assert_eq!(answer(&ask(&app, &test, "PUT", "/in/any", Some(&["member"])).await), (200, None, "open"));
    assert_eq!(answer(&ask(&app, &test, "PUT", "/outside", None).await), (405, Some("GET,HEAD"), ""));
}

#[tokio::test]
async fn the_fallback_of_all_paths_comes_after_the_gate_too() {
    let test = TestAuth::new();
    let inner = || Router::new().route("/x", get(open)).route("/y/{id}", post(open).get(open));
    let handler = inner().method_not_allowed_fallback(wrong_method).require(rule!(roles = ["member"]));
    let outside = || Router::new().nest("/in", inner().require(rule!(roles = ["member"])));
    for (name, app) in [
        ("inside", Router::new().nest("/in", handler)),
        ("outside", outside().method_not_allowed_fallback(wrong_method_for_everybody)),
        ("outside, of admins", outside().method_not_allowed_fallback(wrong_method_of_admins)),
    ] {
        let app = app.finish(test.auth()).unwrap();
        for (path, allow) in [("/in/x", "GET,HEAD"), ("/in/y/7", "POST,GET,HEAD")] {
            let anonymous = ask(&app, &test, "DELETE", path, None).await;
            assert_eq!(
                (anonymous.status.as_u16(), anonymous.headers.get("allow")),
                (401, None),
                "{name} {path}"
            );
            let roles: &[&str] = if name.ends_with("admins") { &["member", "admin"] } else { &["member"] };
            let reply = ask(&app, &test, "DELETE", path, Some(roles)).await;
            assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, allow), "{name} {path}");
        }
    }
}

/// What one of two routers requires of its routes is not required of those of the other at the same path.
#[tokio::test]
async fn what_is_required_of_every_route_of_a_path_is_required_of_its_other_methods() {
    let test = TestAuth::new();
    let of_members = || Router::new().route("/x", get(open)).require(rule!(roles = ["member"]));
    let of_nobody = || Router::new().route("/x", post(open));
    let both = || Router::new().merge(of_members()).merge(of_nobody());
    let reversed = || Router::new().merge(of_nobody()).merge(of_members());
    for (name, routes, is_open, allow) in [
        ("both", both(), true, "GET,HEAD,POST"),
        ("reversed", reversed(), true, "POST,GET,HEAD"),
        ("both, in one that requires", both().require(rule!()), false, "GET,HEAD,POST"),
        ("reversed, in one that requires", reversed().require(rule!()), false, "POST,GET,HEAD"),
    ] {
        let app = routes.finish(test.auth()).unwrap();
        let anonymous = ask(&app, &test, "PUT", "/x", None).await;
        let expected = if is_open { (405, Some(allow)) } else { (401, None) };
        assert_eq!((answer(&anonymous).0, answer(&anonymous).1), expected, "{name}");
        let user = ask(&app, &test, "PUT", "/x", Some(&[])).await;
        assert_eq!(answer(&user), (405, Some(allow), ""), "{name}: no member");
    }
}

#[tokio::test]
async fn a_path_that_axum_would_not_take_today() {
    let test = TestAuth::new();
    let old = Router::new().without_v07_checks().route("/:x", get(open));
    let app = old.method_not_allowed_fallback(wrong_method).require(rule!()).finish(test.auth()).unwrap();
    assert_eq!(ask(&app, &test, "PUT", "/:x", None).await.status, 401);
    let old = Router::new().without_v07_checks().route("/:x", get(open));
    let app = old.merge(Router::new().route("/y", get(open))).require(rule!()).finish(test.auth()).unwrap();
    assert_eq!(ask(&app, &test, "PUT", "/:x", None).await.status, 401);
}

#[tokio::test]
async fn a_wrong_method_is_audited_where_it_is_decided() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&seen);
    let test = TestAuth::with(|builder| {
        builder.audit(move |event: &AuditEvent<'_>| {
            let status = event.rejection.map(|kind| kind.status().as_u16());
            events.lock().unwrap().push(format!("{} {} {status:?}", event.route, event.handler));
        })
    });
    let inner = Router::new().route("/y/{id}", get(open)).require(rule!());
    let app = Router::new().route("/x", get(open)).nest("/in", inner).finish(test.auth()).unwrap();
    for (path, roles) in [("/x", None), ("/in/y/7", None), ("/in/y/7", Some(&[][..]))] {
        ask(&app, &test, "DELETE", path, roles).await;
    }
    let route = "/in/y/{id} [method not allowed]";
    assert_eq!(*seen.lock().unwrap(), [format!("{route} Some(401)"), format!("{route} None")]);
}
