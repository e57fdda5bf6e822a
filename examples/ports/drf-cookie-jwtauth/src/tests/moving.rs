//! Moving over: access tokens that drf-cookie-jwtauth has issued count until they expire.

use std::time::UNIX_EPOCH;

use auth_runtime::verify::{Algorithm, ClaimRule, Key, TrustedIssuer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

const SIGNING_KEY: &[u8] = b"the `SIGNING_KEY` of the Django service";

/// Its access tokens have neither `iss` nor `aud`, and its refresh tokens the same key, and a claim more.
fn django() -> TrustedIssuer {
    TrustedIssuer::dangerously_expect_no_issuer()
        .dangerously_expect_no_audience()
        .key(Key::secret(Algorithm::HS256, SIGNING_KEY))
        .subject_at("user_id")
        .claim("token_string", ClaimRule::absent())
}

fn token(secret: &[u8], mut claims: Value, lifetime: u64, now: u64) -> String {
    (claims["iat"], claims["exp"]) = (now.into(), (now + lifetime).into());
    let [header, claims] = [json!({ "alg": "HS256", "typ": "JWT" }), claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes())))
}

#[tokio::test]
async fn access_tokens_that_django_made_move_over() -> Result<(), BoxError> {
    let running = Running::start_with(|engine| engine.issuer(django())).await?;
    let now = 1_800_000_000;
    running.clock.set(UNIX_EPOCH + Duration::from_secs(now));
    let access = token(SIGNING_KEY, json!({ "user_id": 2 }), 300, now);
    let cookie = format!("access_token={access}");
    let hello = running.service.request(Method::GET, "/hello").header(COOKIE, &cookie);
    assert_eq!(running.service.send(hello).await.json()["name"], "bob");
    let refresh = json!({ "user_id": 2, "token_string": "a".repeat(30) });
    for rejected in [
        token(SIGNING_KEY, refresh, 86_400, now),
        token(SECRET.as_bytes(), json!({ "user_id": 2 }), 300, now),
        token(SIGNING_KEY, json!({ "user_id": 2 }), 300, now - 600),
        token(SIGNING_KEY, json!({ "user_id": 9 }), 300, now),
    ] {
        assert_eq!(running.status_of(&rejected).await, 401);
    }
    let [own, _] = running.log_in(BOB).await.tokens();
    assert_eq!(running.status_of(&own).await, 200, "and the tokens of this service");
    Ok(())
}
