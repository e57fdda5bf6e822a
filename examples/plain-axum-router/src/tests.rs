//! What the layer enforces, and what a plain router leaves open.

use auth_runtime::testing::{TestAuth, TestUser};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt as _;

use super::*;

async fn ask(app: Router, path: &str, token: Option<&str>) -> Result<(u16, String), Box<dyn Error>> {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.oneshot(request.body(Body::empty())?).await?;
    let status = response.status().as_u16();
    Ok((status, String::from_utf8(to_bytes(response.into_body(), 4096).await?.to_vec())?))
}

#[tokio::test]
async fn guarded_handlers_are_enforced_and_others_are_open() -> Result<(), Box<dyn Error>> {
    let test = TestAuth::new();
    let alice = test.token(&TestUser::new("alice"));
    for (path, token, status, text) in [
        ("/me", None, 401, "Unauthorized"),
        ("/me", Some("forged"), 401, "Unauthorized"),
        ("/me", Some(&*alice), 200, "You are alice."),
        ("/hello", None, 200, "Hello, stranger."),
        ("/hello", Some(&*alice), 200, "Hello, alice."),
        ("/version", None, 200, "1.0"),
    ] {
        let (answered, body) = ask(app(test.auth()), path, token).await?;
        assert!(answered == status && body.contains(text), "{path} {token:?}: {answered} {body}");
    }
    Ok(())
}

#[tokio::test]
async fn without_the_layer_no_caller_passes_a_guarded_handler() -> Result<(), Box<dyn Error>> {
    let token = TestAuth::new().token(&TestUser::new("alice"));
    let app = Router::new().route("/me", get(me));
    assert_eq!(ask(app, "/me", Some(&token)).await?.0, 500);
    Ok(())
}
