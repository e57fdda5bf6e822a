//! Moving over: tokens that django-modern-rest has issued count until they expire.

use auth_runtime::auth;
use auth_runtime::routing::get;
use auth_runtime::verify::{ClaimRule, Key, TrustedIssuer};

use super::*;

const SECRET_OF_DJANGO: &[u8] =
    b"what `SECRET_KEY` is in the settings of the service that is replaced by this one";

/// Access tokens of django-modern-rest with `jwt_issuer`, `jwt_audiences` and `jwt_algorithm`. Refresh tokens are signed with the same key.
fn django() -> TrustedIssuer {
    TrustedIssuer::new("django-address-book")
        .audience("phones")
        .key(Key::secret(Algorithm::HS512, SECRET_OF_DJANGO))
        .claim("extras.type", ClaimRule::equals("access"))
        .claim("jti", ClaimRule::Present)
}

const MEANWHILE: Rule = rule!(any(all(claims(kind = "login")), all(claims(iss = "django-address-book"))));

#[auth]
async fn contacts() {}

/// A token for the user 2, who is Ben.
fn token(secret: &[u8], kind: &str, now: i64) -> Result<String, BoxError> {
    let claims = json!({
        "sub": "2", "iss": "django-address-book", "aud": ["phones", "tablets"], "jti": format!("{kind} {now}"), "iat": now,
        "exp": now + 86_400, "extras": { "type": kind },
    });
    Ok(SigningKey::secret(Algorithm::HS512, secret)?.sign(&claims)?)
}

#[tokio::test]
async fn tokens_that_django_made_move_over() -> Result<(), BoxError> {
    let running = Running::start_with(|engine| engine.issuer(django())).await?;
    let access = token(SECRET_OF_DJANGO, "access", NOW)?;
    let known = running.service.get("/api/token", Some(&access)).await;
    assert_eq!((known.status, &known.json()["sub"]), (200, &json!("2")));
    for rejected in [
        token(SECRET_OF_DJANGO, "refresh", NOW)?,
        token(&SECRET, "access", NOW)?,
        token(SECRET_OF_DJANGO, "access", NOW - 90_000)?,
    ] {
        assert_eq!(running.status("/api/token", &rejected).await, 401);
    }
    // It does not say what it is for, so a rule for tokens of a login rejects it. Meanwhile that rule names the issuer as well.
    assert_eq!(running.status("/api/contacts", &access).await, 403);
    let routes = Router::new().route("/contacts", get(contacts)).require(MEANWHILE);
    let service = Service::start(routes.finish(&running.auth)?, tempfile::tempdir()?).await;
    let own = running.log_in("ben").await.access;
    let export = running.service.post("/api/exports", Some(&own), &json!({})).await.text("token");
    for (token, status) in [(access, 200), (own, 200), (export, 403)] {
        assert_eq!(service.get("/contacts", Some(&token)).await.status, status);
    }
    Ok(())
}
