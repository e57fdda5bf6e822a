//! Moving over: tokens that Panther has issued count until they expire.

use std::time::UNIX_EPOCH;

use auth_runtime::store::Revocation;
use auth_runtime::verify::{ClaimRule, Key, TrustedIssuer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

const SECRET_OF_PANTHER: &[u8] = b"the `SECRET_KEY` that Panther's configuration has";

/// Access tokens of Panther: it writes neither `iss` nor `aud`, and refresh tokens with the same key.
fn panther() -> TrustedIssuer {
    TrustedIssuer::dangerously_expect_no_issuer()
        .dangerously_expect_no_audience()
        .key(Key::secret(Algorithm::HS256, SECRET_OF_PANTHER))
        .subject_at("user_id")
        .claim("token_type", ClaimRule::equals("access"))
}

/// A token of Panther for the user 2, who is bob.
fn token(secret: &[u8], kind: &str, now: f64) -> String {
    let claims = json!({ "token_type": kind, "user_id": 2, "iat": now, "exp": now + 86_400.0 });
    let [header, claims] = [json!({ "alg": "HS256", "typ": "JWT" }), claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn tokens_that_panther_made_move_over() -> Result<(), BoxError> {
    let running = Running::start_with(|engine| engine.issuer(panther())).await?;
    let now = 1_800_000_000;
    running.clock.set(UNIX_EPOCH + Duration::from_secs(now));
    let now = now as f64 + 0.25;
    let access = token(SECRET_OF_PANTHER, "access", now);
    let me = running.service.get("/", Some(&access)).await;
    assert_eq!((me.status, me.json()), (200, json!({ "name": "bob", "is_agent": false })));
    for rejected in [
        token(SECRET_OF_PANTHER, "refresh", now),
        token(&SECRET, "access", now),
        token(SECRET_OF_PANTHER, "access", now - 90_000.0),
    ] {
        assert!(!running.accepts(&rejected).await);
    }
    assert!(running.accepts(&running.log_in("bob").await.access).await, "and the tokens of this service");
    Ok(())
}

/// `/logout` ends a session of this service, and a token of Panther has none.
#[tokio::test]
async fn a_logout_everywhere_or_a_revocation_ends_the_tokens_that_panther_made() -> Result<(), BoxError> {
    let running = Running::start_with(|engine| engine.issuer(panther())).await?;
    let now = 1_800_000_000;
    running.clock.set(UNIX_EPOCH + Duration::from_secs(now));
    let access = token(SECRET_OF_PANTHER, "access", now as f64 + 0.25);
    let own = running.log_in("bob").await.access;
    let post = async |path| running.service.post(path, Some(&access), &json!({})).await.status;
    assert_eq!(post("/auth/logout").await, 204);
    assert!(running.accepts(&access).await, "nothing has ended");
    assert_eq!(post("/auth/logout-everywhere").await, 204);
    assert!(!running.accepts(&access).await && running.accepts(&own).await, "each issuer has its own");

    running.advance(Duration::from_secs(300)).await?;
    let later = token(SECRET_OF_PANTHER, "access", now as f64 + 300.25);
    assert!(running.accepts(&later).await, "made later");
    let issued_at_or_before = UNIX_EPOCH + Duration::from_secs(now + 301);
    let of = |issuer: &str| Revocation::User {
        issuer: issuer.to_owned(),
        subject: "2".to_owned(),
        issued_at_or_before,
    };
    running.auth.revocations().revoke(of("https://desk.example")).await?;
    assert!(running.accepts(&later).await && !running.accepts(&own).await);
    running.auth.revocations().revoke(of("")).await?;
    assert!(!running.accepts(&later).await);
    Ok(())
}

/// What is remembered of a user is remembered by issuer.
#[tokio::test]
async fn a_change_of_a_user_is_said_for_each_issuer() -> Result<(), BoxError> {
    let running = Running::start_with(|engine| engine.issuer(panther())).await?;
    let now = 1_800_000_000;
    running.clock.set(UNIX_EPOCH + Duration::from_secs(now));
    let access = token(SECRET_OF_PANTHER, "access", now as f64 + 0.25);
    let own = running.log_in("bob").await.access;
    assert!(running.accepts(&access).await && running.accepts(&own).await);
    // It says so for the issuer of this service.
    running.change("2", "update accounts set is_active = 0 where id = ?1").await?;
    assert!(running.accepts(&access).await && !running.accepts(&own).await);
    running.auth.revocations().forget("", "2").await?;
    assert!(!running.accepts(&access).await);
    Ok(())
}
