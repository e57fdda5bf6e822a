//! From the handler alone to the whole service.

use std::time::Duration;

use auth_runtime::Authorized;
use auth_runtime::testing::{TestAuth, TestRequest as _, TestUser};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::*;

const OWNERS: Owners = &["alice", "bob"];

/// A guarded handler is a function: its first argument represents the rule, which is not evaluated.
#[tokio::test]
async fn the_handler_alone() {
    let alice = TestUser::new("alice").principal();
    assert_eq!(document(Authorized::for_test(), alice, Path(0)).await, "Document 0 of alice.\n");
}

#[tokio::test]
async fn the_check_alone() {
    let alice = TestUser::new("alice").principal();
    for (number, owned) in [(0, true), (1, false), (2, false)] {
        assert_eq!(owns(&alice, Path(number), State(OWNERS)).await, owned, "{number}");
    }
}

/// A principal without a token: its rule and its check are enforced.
#[tokio::test]
async fn the_rule() -> Result<(), Box<dyn Error>> {
    let test = TestAuth::new();
    let app = routes(OWNERS).finish(test.auth())?;
    for (user, number, status) in [
        (TestUser::new("alice").scopes(["documents:read"]), 0, StatusCode::OK),
        (TestUser::new("alice").scopes(["documents:read"]), 1, StatusCode::FORBIDDEN),
        (TestUser::new("alice"), 0, StatusCode::FORBIDDEN),
    ] {
        let request = Request::get(format!("/documents/{number}")).body(Body::empty())?;
        let response = app.clone().oneshot(request.with_principal(user.principal())).await?;
        assert_eq!(response.status(), status, "{user:?}, document {number}");
    }
    Ok(())
}

/// Whole requests, with a token that expires when the test says so.
#[tokio::test]
async fn the_whole_service() -> Result<(), Box<dyn Error>> {
    let test = TestAuth::new();
    let app = routes(OWNERS).finish(test.auth())?;
    let token = test.token(&TestUser::new("bob").scopes(["documents:read"]));
    let ask = async || {
        let request = Request::get("/documents/1").header("authorization", format!("Bearer {token}"));
        Ok::<_, Box<dyn Error>>(app.clone().oneshot(request.body(Body::empty())?).await?.status())
    };
    assert_eq!(ask().await?, StatusCode::OK);
    test.clock().advance(Duration::from_secs(3600));
    assert_eq!(ask().await?, StatusCode::UNAUTHORIZED);
    Ok(())
}

/// A change of who may call what shows in review: run this test with `AUTH_LOCK=accept`, and commit the file.
#[test]
fn access_is_as_it_was_reviewed() {
    routes(OWNERS).routes().table(TestAuth::new().auth()).assert_lock("access.lock");
}
