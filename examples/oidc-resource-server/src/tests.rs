//! The rules, with an engine for tests: no provider is needed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use auth_runtime::testing::{TestAuth, TestUser};
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use super::{Config, issuer, routes};

#[tokio::test]
async fn who_may_call_what() {
    let test = TestAuth::new();
    let app = routes().finish(test.auth()).unwrap();
    let reader = TestUser::new("program").scopes(["orders:read"]);
    let editor = TestUser::new("alice").roles(["editor"]).scopes(["orders:read", "orders:write"]);
    for (user, method, path, status) in [
        (Some(&reader), "GET", "/me", 200),
        (Some(&reader), "GET", "/orders", 200),
        (Some(&reader), "POST", "/refunds", 403),
        (Some(&editor), "POST", "/refunds", 200),
        (None, "GET", "/me", 401),
    ] {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(user) = user {
            request = request.header("authorization", format!("Bearer {}", test.token(user)));
        }
        let reply = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(reply.status(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn what_it_says_of_its_provider_can_be_built() {
    let config = Config {
        issuer: "https://id.example.com/realms/shop".to_owned(),
        audience: "orders".to_owned(),
        client_id: "orders".to_owned(),
        client_secret: "a secret".to_owned(),
    };
    auth_runtime::Auth::builder().issuer(issuer(&config)).build().unwrap();
}
