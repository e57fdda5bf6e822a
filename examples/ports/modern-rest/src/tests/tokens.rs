//! What is in a token, and what a handler learns of it.

use std::collections::BTreeSet;

use auth_runtime::session::{Subject, SubjectStore};

use super::*;

#[tokio::test]
async fn tokens_are_as_configured() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    let (header, claims) = (part(&ben.access, 0), part(&ben.access, 1));
    assert_eq!((&header["alg"], &header["kid"]), (&json!("HS512"), &json!("1")));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!(["app", "back-office"])));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 24 * 60 * 60);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA512, &SECRET);
    let (message, signature) = ben.access.rsplit_once('.').unwrap();
    aws_lc_rs::hmac::verify(&key, message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature)?)
        .map_err(|_| "the signature is not one of HS512")?;

    running.advance(Duration::from_hours(24)).await?;
    assert!(running.accepts(&ben.access).await, "the leeway is a minute");
    running.advance(Duration::from_secs(61)).await?;
    assert!(!running.accepts(&ben.access).await);
    Ok(())
}

#[tokio::test]
async fn a_token_has_fields_of_our_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    for (name, language, greeting) in [("ana", "en", "Hello!\n"), ("ben", "de", "Hallo!\n")] {
        let token = running.log_in(name).await.access;
        let claims = part(&token, 1);
        assert_eq!((&claims["kind"], &claims["language"]), (&json!("login"), &json!(language)));
        assert_eq!(running.service.get("/api/hello", Some(&token)).await.body, greeting);
    }
    Ok(())
}

#[tokio::test]
async fn a_handler_has_the_token_or_none() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    let stranger = running.service.get("/api/token", None).await;
    assert_eq!((stranger.status, stranger.json()), (200, Value::Null));
    assert_eq!(running.status("/api/token", "x").await, 401);
    let claims = part(&ben.access, 1);
    let known = running.service.get("/api/token", Some(&ben.access)).await.json();
    for claim in ["sub", "iss", "aud", "exp", "iat", "jti", "kind"] {
        assert!(!claims[claim].is_null(), "{claim}");
        assert_eq!(known[claim], claims[claim], "{claim}");
    }
    Ok(())
}

#[tokio::test]
async fn each_token_has_an_id() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let ben = running.log_in("ben").await;
        let next = pair(&running.refresh(&ben).await);
        for token in [ben.access, next.access] {
            ids.insert(part(&token, 1)["jti"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| id.len() >= 22), "128 random bits: {ids:?}");
    Ok(())
}

#[tokio::test]
async fn a_token_is_for_one_purpose() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ana = running.log_in("ana").await;
    let begun = running.service.post("/api/exports", Some(&ana.access), &json!({})).await;
    let (jti, export) = (begun.text("jti"), begun.text("token"));
    let claims = part(&export, 1);
    assert_eq!((begun.status, &claims["jti"], &claims["kind"]), (201, &json!(jti), &json!("export")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    let next = running.service.post("/api/exports", Some(&ana.access), &json!({})).await.text("jti");
    assert_ne!(next, jti);

    let download = async || {
        let request = running.service.request(Method::GET, "/api/exports/contacts");
        running.service.send(request.header("x-auth", format!("JWT {export}"))).await
    };
    assert_eq!(download().await.json()[0]["name"], "Fire brigade");
    for (method, path) in [
        (Method::GET, "/api/me"),
        (Method::GET, "/api/hello"),
        (Method::GET, "/api/contacts"),
        (Method::POST, "/api/contacts"),
        (Method::DELETE, "/api/contacts/1"),
        (Method::POST, "/api/exports"),
        (Method::GET, "/api/staff/blocklist"),
        (Method::POST, "/api/staff/blocklist"),
        (Method::GET, "/api/staff/sessions"),
        (Method::POST, "/api/auth/verify"),
        (Method::GET, "/access"),
    ] {
        let request = running.service.request(method, path).bearer_auth(&export);
        assert_eq!(running.service.send(request).await.status, 403, "{path}");
    }
    assert!(running.accepts(&ana.access).await);
    running.advance(Duration::from_secs(121)).await?;
    assert_eq!(download().await.status, 401);
    Ok(())
}

struct Everyone;

impl SubjectStore for Everyone {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(Some(Subject::new(id)))
    }
}

/// `alg` and what a token is verified with stay the issuer's: no header of a token can replace them.
#[tokio::test]
async fn a_token_has_a_header_of_our_own() -> Result<(), BoxError> {
    let issuer = |name: &str| {
        let issuer = TokenIssuer::new(ISSUER, "app", key()?, Everyone);
        Ok::<_, BoxError>(issuer.refresh_key(RefreshKey::new("1", [7; 32])).header(name, "eu-1"))
    };
    let auth = Auth::builder().token_issuer(issuer("region")?).build()?;
    let token = auth.tokens()?.issue(&Subject::new("2")).await?.access_token;
    assert_eq!(part(&token, 0)["region"], "eu-1");
    assert_eq!(auth.verify(&token).await?.subject(), "2");
    for name in ["alg", "crit"] {
        assert!(Auth::builder().token_issuer(issuer(name)?).build().is_err(), "{name}");
    }
    Ok(())
}

#[test]
fn a_short_key_is_an_error() {
    for bytes in [0, 16, 32, 63] {
        let error = SigningKey::secret(Algorithm::HS512, &vec![7; bytes]).unwrap_err().to_string();
        assert!(error.contains("64"), "{error}");
    }
    assert!(SigningKey::secret(Algorithm::HS512, &SECRET).is_ok());
}
