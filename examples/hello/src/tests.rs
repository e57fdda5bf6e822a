//! The service as a caller sees it.

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use super::*;

#[tokio::test]
async fn the_rules_are_enforced() -> Result<(), Box<dyn Error>> {
    let secret = [7; 32];
    let key = Key::secret(Algorithm::HS256, secret);
    let issuer = TrustedIssuer::new("https://id.example.com").audience("reports").key(key);
    let app = routes().finish(&Auth::builder().issuer(issuer).build()?)?;
    let alice = format!("Bearer {}", token(&secret, "alice")?);
    let forged = format!("Bearer {}", token(&[8; 32], "alice")?);
    for (method, path, authorization, status) in [
        ("GET", "/health", None, 200),
        ("GET", "/me", None, 401),
        ("GET", "/me", Some(&alice), 200),
        ("GET", "/me", Some(&forged), 401),
        ("POST", "/reports", Some(&alice), 403),
    ] {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = app.clone().oneshot(request.body(Body::empty())?).await?;
        assert_eq!(response.status(), status, "{method} {path}");
    }
    Ok(())
}
