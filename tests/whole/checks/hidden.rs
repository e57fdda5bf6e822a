//! "Hidden" by a check and by the handler are one answer, byte for byte.

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::any;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{AuthBuilder, Principal, Router, auth, check};
use axum::body::Body;
use axum::extract::{OriginalUri, Path};
use axum::http::header::{ACCEPT, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse as _, Response};

use crate::support::{Reply, request, send};

/// Half of what there is belongs to others; nothing else is there.
fn is_anothers(id: u64) -> bool {
    id == 1
}

#[check]
async fn may_see(_: &Principal, Path(id): Path<u64>) -> Result<bool, Rejection> {
    if is_anothers(id) { Err(Rejection::hidden()) } else { Ok(true) }
}

#[auth(source = ["bearer", "cookie"], check = may_see)]
async fn document() -> Result<String, Rejection> {
    // It does not exist.
    Err(Rejection::hidden())
}

fn finished(test: &TestAuth) -> [axum::Router; 3] {
    let nested = Router::new().nest("/documents", Router::new().route("/{id}", any(document)));
    let added = |mut answer: Response| async move {
        answer.headers_mut().insert("access-control-allow-origin", HeaderValue::from_static("*"));
        answer.headers_mut().append("vary", HeaderValue::from_static("origin"));
        answer
    };
    let routes = || Router::new().route("/documents/{id}", any(document));
    let plain = axum::Router::new().route("/documents/{id}", axum::routing::any(document));
    [
        nested.finish(test.auth()).unwrap(),
        routes().layer(map_response(added)).finish(test.auth()).unwrap(),
        plain.layer(test.auth().layer()),
    ]
}

/// A hook, with the status that it leads to.
type Hooked = (fn(AuthBuilder) -> AuthBuilder, u16);

fn by_accept(rejection: &Rejection, head: &Parts) -> Response {
    match head.headers.get(ACCEPT) {
        Some(accept) => Html(format!("<h1>{} {accept:?}", head.uri)).into_response(),
        None => rejection.problem(),
    }
}

/// Depends on what a handler's rejection has no longer. The gate's must not have it either.
fn by_cookie(rejection: &Rejection, head: &Parts) -> Response {
    let has = head.headers.contains_key(COOKIE) || head.headers.contains_key("authorization");
    let uris = usize::from(head.extensions.get::<OriginalUri>().is_some());
    assert_eq!(head.extensions.len(), uris);
    (rejection.status(), [("x-has-credential", has.to_string()), ("set-cookie", "a=1".into())])
        .into_response()
}

const HOOKS: [Hooked; 6] = [
    (|builder| builder, 404),
    (|builder| builder.render_rejections(by_accept), 404),
    (|builder| builder.render_rejections(by_cookie), 404),
    (|builder| builder.render_rejections(|_, _| StatusCode::FORBIDDEN.into_response()), 403),
    (|builder| builder.render_rejections(|_, _| StatusCode::UNAUTHORIZED.into_response()), 401),
    (|builder| builder.render_rejections(|_, _| panic!("the hook is broken")), 500),
];

async fn ask(app: &axum::Router, method: &str, id: u64, headers: &HeaderMap) -> Reply {
    let mut asked: Request<Body> = request(method, &format!("/documents/{id}"), &[]);
    *asked.headers_mut() = headers.clone();
    send(app, asked).await
}

#[tokio::test]
async fn a_check_and_a_handler_hide_alike() {
    for (hook, (configure, status)) in HOOKS.into_iter().enumerate() {
        let test = TestAuth::with(configure);
        let token = test.token(&TestUser::new("alice"));
        let credentials = [
            ("authorization", format!("Bearer {token}")),
            ("cookie", format!("__Host-access_token={token}")),
        ];
        for (place, app) in finished(&test).into_iter().enumerate() {
            for (carrier, text) in &credentials {
                for (method, accept) in
                    [("GET", None), ("GET", Some("text/html")), ("HEAD", None), ("POST", None)]
                {
                    let mut headers = HeaderMap::new();
                    headers.insert(*carrier, text.parse().unwrap());
                    accept.map(|accept| headers.insert(ACCEPT, HeaderValue::from_static(accept)));
                    let by_check = ask(&app, method, 1, &headers).await;
                    let by_handler = ask(&app, method, 2, &headers).await;
                    let what = format!("hook {hook}, router {place}, {carrier}, {method} {accept:?}");
                    assert_eq!(by_check.status.as_u16(), status, "{what}");
                    assert_eq!(by_check.status, by_handler.status, "{what}");
                    assert_eq!(in_order(&by_check), in_order(&by_handler), "{what}");
                    assert_eq!(
                        by_check.body.replace("documents/1", "documents/2"),
                        by_handler.body,
                        "{what}"
                    );
                    let has_challenge = by_check.headers.contains_key("www-authenticate");
                    assert_eq!(has_challenge, status == 401, "{what}");
                    assert_eq!(by_check.header("cache-control"), "no-store", "{what}");
                    assert!(method != "HEAD" || by_check.body.is_empty(), "{what}");
                }
            }
        }
    }
}

/// All headers, in the order in which they are sent.
fn in_order(reply: &Reply) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    reply.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

#[tokio::test]
async fn what_a_middleware_adds_stays() {
    let test = TestAuth::new();
    let [_, with_middleware, _] = finished(&test);
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    for id in [1, 2] {
        let path = format!("/documents/{id}");
        let reply = send(&with_middleware, request("GET", &path, &[("authorization", &bearer)])).await;
        assert_eq!(reply.status, 404);
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
        assert_eq!(vary, ["origin", "authorization", "cookie"], "{id}");
        assert_eq!(reply.body, r#"{"type":"about:blank","title":"Not Found","status":404}"#);
        assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    }
}
