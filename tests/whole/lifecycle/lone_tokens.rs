//! Access tokens without a session: a lifetime and an id of their own.

use super::*;

fn shop() -> Shop {
    Shop::with(|issuer| issuer, |builder| builder.max_token_lifetime(Duration::from_secs(7200)))
}

fn claims_error(issued: Result<String, TokenError>) -> String {
    match issued {
        Err(TokenError::Claims(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_lives_as_long_as_it_is_to_and_has_the_id_that_it_is_given() {
    let shop = shop();
    let alice = Subject::new("alice");
    for (lifetime, seconds) in [(None, 900), (Some(1), 1), (Some(60), 60), (Some(7200), 7200)] {
        let builder = shop.tokens.access_token(&alice).token_id("export 7");
        let builder = match lifetime {
            Some(lifetime) => {
                builder.lifetime(Duration::from_millis(lifetime * 1000 + 999).min(Duration::from_secs(7200)))
            }
            None => builder,
        };
        let token = builder.issue().unwrap();
        let claims = part(&token, 1);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), seconds);
        assert_eq!((&claims["jti"], &claims["sid"]), (&json!("export 7"), &Value::Null));
        shop.pass(seconds.unsigned_abs() + 59);
        assert_eq!(shop.who(&token).await.unwrap(), "alice ", "the leeway is 60 s");
        shop.pass(1);
        assert_eq!(shop.who(&token).await, Err(401));
    }
    let id = |token: &str| part(token, 1)["jti"].as_str().unwrap().to_owned();
    let [one, other] = [(); 2].map(|()| shop.tokens.issue_access(&alice).unwrap());
    assert_ne!(id(&one), id(&other));
}

#[tokio::test]
async fn what_is_out_of_bounds_is_not_issued() {
    let shop = shop();
    let alice = Subject::new("alice");
    for lifetime in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(7201), Duration::MAX] {
        let error = claims_error(shop.tokens.access_token(&alice).lifetime(lifetime).issue());
        assert!(error.contains("at least 1 s, and at most 7200 s (`max_token_lifetime`)"), "{error}");
    }
    for (length, is_issued) in [(0, false), (1, true), (256, true), (257, false)] {
        let issued = shop.tokens.access_token(&alice).token_id("x".repeat(length)).issue();
        if is_issued {
            assert_eq!(part(&issued.unwrap(), 1)["jti"], json!("x".repeat(length)));
        } else {
            let error = claims_error(issued);
            assert!(error.contains(&format!("has {length} bytes: it must have 1 to 256")), "{error}");
        }
    }
}

/// Each way to revoke it lasts until it has expired.
#[tokio::test]
async fn a_revoked_token_stays_so_until_the_end_of_its_lifetime() {
    for way in ["the token", "its id", "everywhere", "the user"] {
        let shop = shop();
        let alice = Subject::new("alice");
        let longest = Duration::from_secs(7200);
        let token = shop.tokens.access_token(&alice).lifetime(longest).token_id("export 7").issue().unwrap();
        let issuer = || ISSUER.to_owned();
        match way {
            "the token" => shop.tokens.revoke(&token).await.unwrap(),
            "its id" => {
                let revocation = Revocation::Token { issuer: issuer(), token_id: "export 7".into() };
                shop.auth.revocations().revoke(revocation).await.unwrap();
            }
            "everywhere" => shop.tokens.log_out_everywhere("alice").await.unwrap(),
            _ => {
                let revocation = Revocation::User {
                    issuer: issuer(),
                    subject: "alice".into(),
                    issued_at_or_before: shop.auth.now(),
                };
                shop.auth.revocations().revoke(revocation).await.unwrap();
            }
        }
        for wait in [0, 3600, 3600, 59] {
            shop.pass(wait);
            shop.auth.revocations().drop_expired().await.unwrap();
            assert_eq!(shop.who(&token).await, Err(401), "{way}");
        }
    }
}
