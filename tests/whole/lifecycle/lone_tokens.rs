//! Access tokens without a session: a lifetime, an id, an audience and a header of their own.

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

/// RFC 7519 §4.1.3: it is for the services that it names, and for no other. This one is among them only if it is named.
#[tokio::test]
async fn a_token_for_another_service_is_accepted_there_and_not_here() {
    let shop = Shop::with(|issuer| issuer.also_for("billing"), |builder| builder);
    let invoices = |name: &str| {
        let issuer = TrustedIssuer::new(ISSUER).audience(name).token_types(["at+jwt"]);
        let issuer = issuer.key(signing_key(1).verifying_key());
        Auth::builder().issuer(issuer).clock(shop.clock.clone()).build().unwrap()
    };
    let (invoices, billing) = (invoices("invoices"), invoices("billing"));
    let alice = Subject::new("alice");
    for (audiences, aud, is_for_invoices, here) in [
        (&["invoices"][..], json!("invoices"), true, Err(401)),
        (&["invoices", AUDIENCE], json!(["invoices", AUDIENCE]), true, Ok("alice ".to_owned())),
        (&["invoice"], json!("invoice"), false, Err(401)),
        (&[], json!([AUDIENCE, "billing"]), false, Ok("alice ".to_owned())),
    ] {
        let builder = shop.tokens.access_token(&alice);
        let builder = audiences.iter().fold(builder, |builder, audience| builder.audience(*audience));
        let token = builder.issue().unwrap();
        assert_eq!(part(&token, 1)["aud"], aud);
        assert_eq!(shop.who(&token).await, here, "{aud}");
        assert_eq!(shop.auth.verify(&token).await.is_ok(), here.is_ok(), "{aud}");
        assert_eq!(invoices.verify(&token).await.is_ok(), is_for_invoices, "{aud}");
        assert_eq!(
            billing.verify(&token).await.is_ok(),
            audiences.is_empty(),
            "those of the issuer are replaced"
        );
    }
    for audiences in [["", "invoices"], ["invoices", ""]] {
        let builder = shop.tokens.access_token(&alice).audience(audiences[0]).audience(audiences[1]);
        let error = claims_error(builder.issue());
        assert!(error.contains("an audience of the access token is empty"), "{error}");
    }
}

/// RFC 7009 §2.1 and RFC 7662 §2.2: the service that issued it is asked to revoke it, and whether it is revoked.
#[tokio::test]
async fn a_token_for_another_service_is_revoked_and_introspected_where_it_was_issued() {
    let shop = shop();
    let (alice, dead) = (Subject::new("alice"), json!({ "active": false }));
    let [token, other] =
        [(); 2].map(|()| shop.tokens.access_token(&alice).audience("invoices").issue().unwrap());
    let said = shop.tokens.introspect(&token).await.unwrap();
    assert_eq!((&said["active"], &said["aud"]), (&json!(true), &json!("invoices")));
    shop.tokens.revoke(&token).await.unwrap();
    assert_eq!(shop.tokens.introspect(&token).await.unwrap(), dead);

    // With the id of the other token: one of another key, and one of another issuer, which were not issued here.
    let mut claims = part(&other, 1);
    let forged = signing_key(2).sign(&claims).unwrap();
    claims["iss"] = json!("https://other.example");
    for foreign in [forged, signing_key(1).sign(&claims).unwrap()] {
        assert_eq!(shop.tokens.introspect(&foreign).await.unwrap(), dead);
        shop.tokens.revoke(&foreign).await.unwrap();
    }
    assert_eq!(shop.tokens.introspect(&other).await.unwrap()["active"], true);
    shop.pass(900 + 60);
    assert_eq!(shop.tokens.introspect(&other).await.unwrap(), dead, "it has expired");
}

#[tokio::test]
async fn a_token_has_a_header_of_its_own() {
    let shop = Shop::with(|issuer| issuer.header("region", "eu").header("tier", 1), |builder| builder);
    let alice = Subject::new("alice");
    let token =
        shop.tokens.access_token(&alice).header("region", "us").header("shard", json!([7])).issue().unwrap();
    let own =
        json!({ "typ": "at+jwt", "alg": "HS256", "kid": "s1", "region": "us", "tier": 1, "shard": [7] });
    assert_eq!(part(&token, 0), own);
    assert_eq!(shop.who(&token).await.unwrap(), "alice ");
    // The next one has none of it.
    let next = shop.tokens.issue_access(&alice).unwrap();
    assert_eq!(
        part(&next, 0),
        json!({ "typ": "at+jwt", "alg": "HS256", "kid": "s1", "region": "eu", "tier": 1 })
    );
    assert_eq!(shop.who(&next).await.unwrap(), "alice ");
}

/// RFC 7515 §4.1: what says how a token is verified is the library's to set, and names are compared with case.
#[tokio::test]
async fn a_registered_header_parameter_is_not_the_applications_to_set() {
    let shop = shop();
    let alice = Subject::new("alice");
    for name in [
        "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "b64", "enc",
        "zip",
    ] {
        let issued = shop.tokens.access_token(&alice).header("region", "us").header(name, "none").issue();
        match issued {
            Err(TokenError::ReservedHeader(refused)) => assert_eq!(refused, name),
            other => panic!("{name}: {other:?}"),
        }
        // As for all tokens of the issuer.
        let of_all = issuer(&shop.people).header(name, "none");
        let error = Auth::builder().token_issuer(of_all).build().unwrap_err().to_string();
        assert!(error.contains(&format!("the header field `{name}` can't be set")), "{error}");
    }
    let error = shop.tokens.access_token(&alice).header("alg", "none").issue().unwrap_err().to_string();
    assert!(error.contains("`alg`") && error.contains("leave out `.header(\"alg\", ..)`"), "{error}");
    let token = shop.tokens.access_token(&alice).header("Alg", "none").issue().unwrap();
    assert_eq!((&part(&token, 0)["alg"], &part(&token, 0)["Alg"]), (&json!("HS256"), &json!("none")));
    assert_eq!(shop.who(&token).await.unwrap(), "alice ");
}
