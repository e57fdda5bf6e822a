//! What is in a token, and what a handler learns of it.

use std::collections::BTreeSet;

use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::session::{Subject, SubjectStore, TokenError};
use auth_runtime::verify::TrustedIssuer;

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
    for claim in ["sub", "iss", "aud", "exp", "iat", "jti"] {
        assert!(!claims[claim].is_null(), "{claim}");
        assert_eq!(known[claim], claims[claim], "{claim}");
    }
    Ok(())
}

/// Those of the token class, those that the library adds, and those that nobody here knows.
#[tokio::test]
async fn what_is_no_registered_claim_is_among_the_extras() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut claims = part(&running.log_in("ben").await.access, 1);
    claims["bureau"] = json!({ "city": "Ulm" });
    let token = key()?.sign(&claims)?;
    let known = running.service.get("/api/token", Some(&token)).await.json();
    let mut expected = claims.as_object().unwrap().clone();
    expected.retain(|name, _| !["sub", "iss", "aud", "exp", "iat", "jti"].contains(&name.as_str()));
    assert_eq!(known["extras"], Value::Object(expected));
    for (name, value) in
        [("kind", json!("login")), ("language", json!("de")), ("bureau", json!({ "city": "Ulm" }))]
    {
        assert_eq!(known["extras"][name], value);
    }
    assert!(known["extras"]["sid"].is_string());
    Ok(())
}

/// `request_auth`: which class has let the caller in. Tokens are one scheme, in the header and in a cookie.
#[tokio::test]
async fn a_handler_knows_which_scheme_the_caller_came_by() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let token = running.log_in("ben").await.access;
    let by_header = running.service.get("/api/token", Some(&token)).await;
    let by_cookie =
        running.service.request(Method::GET, "/api/token").header("cookie", format!("access_token={token}"));
    let by_cookie = running.service.send(by_cookie).await;
    assert_eq!((by_header.text("scheme"), by_cookie.text("scheme")), ("jwt".into(), "jwt".into()));
    Ok(())
}

/// A type that is made by a function of its own, such as a language.
#[tokio::test]
async fn the_token_class_has_further_validation() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut claims = part(&running.log_in("ben").await.access, 1);
    for (language, status) in [
        (json!("fr"), 200),
        (Value::Null, 200),
        (json!("french"), 401),
        (json!("FR"), 401),
        (json!(""), 401),
        (json!(1), 401),
    ] {
        claims["language"] = language.clone();
        assert_eq!(running.status("/api/hello", &key()?.sign(&claims)?).await, status, "{language}");
    }
    Ok(())
}

/// Another audience, header, lifetime and subject of one token. It is for the service that it names, and this one does not accept it.
#[tokio::test]
async fn a_token_is_for_another_service() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [ana, ben] = [running.log_in("ana").await, running.log_in("ben").await];
    let issued = running.service.post("/api/sync", Some(&ben.access), &json!({})).await;
    let token = issued.text("token");
    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!((issued.status, &header["region"], &header["kid"]), (201, &json!("eu-1"), &json!("1")));
    assert_eq!(
        (&claims["aud"], &claims["sub"], &claims["kind"]),
        (&json!("sync"), &json!("2"), &json!("sync"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    for path in ["/api/me", "/api/hello", "/api/token", "/api/contacts", "/api/staff/sessions", "/access"] {
        assert_eq!(running.status(path, &token).await, 401, "{path}");
    }
    let export = running
        .service
        .request(Method::GET, "/api/exports/contacts")
        .header("x-auth", format!("JWT {token}"));
    assert_eq!(running.service.send(export).await.status, 401);

    // There it counts, and so it is asked for here.
    let there =
        TrustedIssuer::new(ISSUER).audience("sync").token_types(["at+jwt"]).key(key()?.verifying_key());
    let there = Auth::builder().issuer(there).clock(running.clock.clone()).build()?;
    assert_eq!(there.verify(&token).await?.subject(), "2");
    assert!(there.verify(&ben.access).await.is_err());
    let verify = running.service.request(Method::POST, "/api/auth/verify").bearer_auth(&ana.access);
    let verify = verify.form(&[("token", &token)]);
    let said = running.service.send(verify).await.json();
    assert_eq!((&said["active"], &said["aud"]), (&json!(true), &json!("sync")));
    Ok(())
}

/// Each is a variant of an error. What is answered has no cause in it.
#[tokio::test]
async fn a_token_that_is_not_issued_or_not_accepted_is_an_error_with_a_type() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let tokens = running.auth.tokens()?;
    let ben = Subject::new("2");
    let issued = tokens.access_token(&ben).header("alg", "none").issue();
    let Err(TokenError::ReservedHeader(name)) = &issued else { panic!("{issued:?}") };
    assert_eq!(name, "alg");
    let empty = tokens.access_token(&ben).token_id("").issue();
    assert!(matches!(&empty, Err(TokenError::Claims(_))), "{empty:?}");
    for (error, status, msg) in [
        (issued.unwrap_err(), 500, "Internal Server Error"),
        (empty.unwrap_err(), 500, "Internal Server Error"),
        (TokenError::ClockAhead { seconds: 90_000 }, 503, "Service Unavailable"),
    ] {
        let (answered, Json(body)) = forms::not_issued(error);
        let expected = json!({ "detail": [{ "msg": msg, "type": "internal_error" }] });
        assert_eq!((answered.as_u16(), serde_json::to_value(body)?), (status, expected));
    }
    for token in ["x", &running.log_in("ben").await.refresh] {
        let rejected = running.auth.verify(token).await.unwrap_err();
        assert_eq!(rejected.kind(), CallerErrorKind::Invalid);
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
