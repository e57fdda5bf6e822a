//! The service on this store. The contract of the store itself is tested in `lib.rs`.

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use super::*;

async fn ask(app: &axum::Router, method: &str, path: &str, token: &str) -> Result<u16, BoxError> {
    let request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    Ok(app.clone().oneshot(request.body(Body::empty())?).await?.status().as_u16())
}

/// Two engines with one store, as in two processes.
#[tokio::test]
async fn a_logout_is_enforced_by_every_process_that_shares_the_store() -> Result<(), BoxError> {
    let (store, key) = (CustomStore::default(), SigningKey::generate(Algorithm::EdDSA)?.with_id("1"));
    let here = engine(store.clone(), &key, [7; 32])?;
    let there = engine(store, &key, [7; 32])?;
    here.start().await?;
    there.start().await?;
    let apps = [app(&here)?, app(&there)?];
    let alice = here.tokens()?.issue(&Subject::new("alice")).await?;
    let bob = here.tokens()?.issue(&Subject::new("bob")).await?;
    for app in &apps {
        assert_eq!(ask(app, "GET", "/me", &alice.access_token).await?, 200);
    }

    let [app, _] = &apps;
    assert_eq!(ask(app, "POST", "/logout", &alice.access_token).await?, 204);
    there.start().await?; // happens by itself within the time between two looks at the log
    for app in &apps {
        assert_eq!(ask(app, "GET", "/me", &alice.access_token).await?, 401);
        assert_eq!(ask(app, "GET", "/me", &bob.access_token).await?, 200);
    }
    assert!(there.tokens()?.refresh(&alice.refresh_token).await.is_err());
    assert!(there.tokens()?.refresh(&bob.refresh_token).await.is_ok());
    Ok(())
}
