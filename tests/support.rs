//! Sending a request to a router and looking at all of the answer.

pub mod flaky;
pub mod people;
pub mod postgres;
pub mod redis;
pub mod rows;
pub mod silent;
pub mod timeless;

use std::time::Duration;

use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, RequestAuth};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use tower::ServiceExt as _;

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// The value of a header, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub async fn send(app: &axum::Router, request: Request<Body>) -> Reply {
    let answer = app.clone().oneshot(request).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Reply { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// The answer to a request, and what was decided on it; `None` if it came to no gate.
pub async fn watched(app: &axum::Router, mut request: Request<Body>) -> (Response, Option<RequestAuth>) {
    RequestAuth::watch(&mut request);
    let answer = app.clone().oneshot(request).await.unwrap();
    let auth = answer.extensions().get().cloned();
    (answer, auth)
}

/// The caller of a request, whom the gate has found.
pub async fn caller_of(app: &axum::Router, request: Request<Body>) -> Principal {
    let (_, auth) = watched(app, request).await;
    auth.unwrap().principal().unwrap()
}

/// A request with headers and no body.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// `GET` with a bearer token of this user.
pub async fn get_as(app: &axum::Router, test: &TestAuth, user: &TestUser, path: &str) -> Reply {
    let bearer = format!("Bearer {}", test.token(user));
    send(app, request("GET", path, &[("authorization", &bearer)])).await
}

/// The status of the answer to a request, with this bearer token.
pub async fn status(app: &axum::Router, method: &str, path: &str, token: Option<&str>) -> u16 {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", &**bearer)).collect();
    send(app, request(method, path, &headers)).await.status.as_u16()
}

/// Waits for what work in the background leads to.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .unwrap_or_else(|_| panic!("{what}: not yet"));
}

/// base64url without padding, as JOSE writes bytes.
pub fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
