//! What a token must be. Each case is a token for a check, and one against it: none of these checks can be turned off.

use auth_runtime::verify::{ClaimRule, Key, TrustedIssuer};

use super::*;

/// An issuer whose tokens are accepted, with the options of theirs that this library has.
fn partner() -> TrustedIssuer {
    TrustedIssuer::one_of(["https://one.example", "https://two.example"])
        .audience("app")
        .audience("back-office")
        .key(Key::secret(Algorithm::HS512, SECRET))
        .claim("jti", ClaimRule::Present)
}

fn claims() -> Value {
    json!({
        "iss": "https://one.example", "aud": "app", "sub": "2", "iat": NOW - 10, "exp": NOW + 290, "jti": "1",
        "email": "ben@new.example",
    })
}

/// These claims with another value of one of them; `null`: without it.
fn with(claim: &str, value: &Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(claim),
        value => members.insert(claim.to_owned(), value.clone()),
    };
    claims
}

fn trusting(issuer: TrustedIssuer) -> AuthBuilder {
    Auth::builder().issuer(issuer).clock(TestClock::new())
}

async fn accepts(engine: &Auth, claims: &Value) -> Result<bool, BoxError> {
    Ok(engine.verify(&key()?.sign(claims)?).await.is_ok())
}

#[tokio::test]
async fn each_check_has_a_token_that_fails_it() -> Result<(), BoxError> {
    let auth = trusting(partner()).build()?;
    for (claim, value, is_accepted) in [
        ("exp", json!(NOW + 1), true),
        ("exp", json!(NOW - 61), false),
        ("exp", json!("soon"), false),
        ("exp", Value::Null, false),
        ("iat", json!(NOW), true),
        ("iat", json!("now"), false),
        ("iat", json!(NOW + 61), false),
        ("nbf", json!(NOW), true),
        ("nbf", json!(NOW + 61), false),
        ("sub", json!("42"), true),
        ("sub", json!(2), false),
        ("sub", json!(""), false),
        ("sub", Value::Null, false),
        ("jti", json!("another"), true),
        ("jti", json!(1), false),
        ("jti", Value::Null, false),
        ("iss", json!("https://two.example"), true),
        ("iss", json!("https://three.example"), false),
        ("iss", Value::Null, false),
        ("aud", json!("back-office"), true),
        ("aud", json!(["other", "app"]), true),
        ("aud", json!("other"), false),
        ("aud", Value::Null, false),
    ] {
        assert_eq!(accepts(&auth, &with(claim, &value)).await?, is_accepted, "{claim}: {value}");
    }
    // Nor is one accepted that another key signed, or that says another algorithm than that of the key.
    let others =
        [SigningKey::secret(Algorithm::HS512, &[8; 64])?, SigningKey::secret(Algorithm::HS256, &SECRET)?];
    for key in others {
        assert!(auth.verify(&key.sign(&claims())?).await.is_err());
    }
    Ok(())
}

#[tokio::test]
async fn the_leeway_is_configured() -> Result<(), BoxError> {
    for (leeway, late, is_accepted) in
        [(0, 0, false), (0, 1, false), (60, 59, true), (60, 60, false), (300, 299, true), (300, 300, false)]
    {
        let auth = trusting(partner()).leeway(Duration::from_secs(leeway)).build()?;
        let token = with("exp", &json!(NOW - late));
        assert_eq!(
            accepts(&auth, &token).await?,
            is_accepted,
            "{late} seconds late, with a leeway of {leeway}"
        );
    }
    assert!(trusting(partner()).leeway(Duration::from_secs(301)).build().is_err());
    Ok(())
}

#[tokio::test]
async fn a_token_for_a_single_audience_names_no_other() -> Result<(), BoxError> {
    let auth = trusting(partner().single_audience()).build()?;
    for (audience, is_accepted) in
        [(json!("app"), true), (json!(["app"]), true), (json!(["app", "other"]), false)]
    {
        assert_eq!(accepts(&auth, &with("aud", &audience)).await?, is_accepted, "{audience}");
    }
    Ok(())
}

#[tokio::test]
async fn the_user_is_found_by_another_claim() -> Result<(), BoxError> {
    let auth = trusting(partner().subject_at("email")).build()?;
    let caller = auth.verify(&key()?.sign(&claims())?).await?;
    assert_eq!((caller.subject(), caller.claim("sub")), ("ben@new.example", Some(&json!("2"))));
    assert!(!accepts(&auth, &with("email", &Value::Null)).await?);
    Ok(())
}

/// Tokens of theirs may differ: a number for `sub` or `jti`, `null` for what is absent. Each is a setting of the issuer, and no check less.
#[tokio::test]
async fn what_differs_is_a_setting() -> Result<(), BoxError> {
    let auth = trusting(partner().accept_integer_sub().accept_integer_jti().accept_null_claims()).build()?;
    let mut null = claims();
    null["nbf"] = Value::Null;
    for claims in [with("sub", &json!(2)), with("jti", &json!(1)), null] {
        assert!(accepts(&auth, &claims).await?, "{claims}");
        assert!(!accepts(&trusting(partner()).build()?, &claims).await?, "{claims}");
    }
    Ok(())
}

/// The tokens of the service itself: its own issuer and audiences, with its own key.
#[tokio::test]
async fn issuer_and_audience_are_verified() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let own = part(&running.log_in("ben").await.access, 1);
    let signed = |claim: &str, value: Value| {
        let mut claims = own.clone();
        claims[claim] = value;
        Ok::<_, BoxError>(key()?.sign(&claims)?)
    };
    assert!(running.accepts(&signed("aud", json!("app"))?).await);
    for (claim, value) in [
        ("aud", json!("other")),
        ("aud", json!([])),
        ("iss", json!("https://address-book.example/")),
        ("iss", json!("https://other.example")),
    ] {
        assert!(!running.accepts(&signed(claim, value.clone())?).await, "{claim}: {value}");
    }
    Ok(())
}
