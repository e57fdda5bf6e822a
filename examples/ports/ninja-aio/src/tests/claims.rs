//! What the claims of a token must be.

use auth_runtime::verify::Key;

use super::*;

/// The agency, and an engine that trusts it.
pub(super) struct Agency {
    pub(super) key: SigningKey,
    test: TestAuth,
}

impl Agency {
    pub(super) fn new() -> Self {
        let key = SigningKey::generate(Algorithm::RS256).unwrap();
        Self { test: trusting(key.verifying_key()), key }
    }

    /// Whether a token with these claims is accepted.
    async fn accepts(&self, claims: &Value) -> bool {
        self.test.auth().verify(&self.key.sign(claims).unwrap()).await.is_ok()
    }

    /// Whether it is, with another value of this claim; `null`: without the claim.
    async fn accepts_with(&self, claim: &str, value: &Value) -> bool {
        self.accepts(&changed(&claims(), claim, value)).await
    }
}

pub(super) fn trusting(key: Key) -> TestAuth {
    TestAuth::with(|builder| builder.issuer(issuers::agency(key)))
}

/// The claims of a token that is accepted.
pub(super) fn claims() -> Value {
    json!({
        "iss": issuers::AGENCY, "aud": issuers::AUDIENCE, "sub": "wire", "iat": NOW, "exp": NOW + 900, "jti": "1",
        "typ": "access", "desk": "news",
    })
}

/// These claims with another value of one of them; `null`: without it.
pub(super) fn changed(claims: &Value, claim: &str, value: &Value) -> Value {
    let mut claims = claims.clone();
    let members = claims.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(claim),
        value => members.insert(claim.to_owned(), value.clone()),
    };
    claims
}

#[tokio::test]
async fn an_issuer_is_a_key_and_rules_for_claims() {
    let (agency, another) = (Agency::new(), Agency::new());
    assert!(agency.accepts(&claims()).await);
    // The same claims, signed by somebody else.
    let forged = another.key.sign(&claims()).unwrap();
    assert!(agency.test.auth().verify(&forged).await.is_err());
    for (claim, value) in [
        ("iss", json!("https://agency.example/")),
        ("iss", json!(PROVIDER)),
        ("iss", Value::Null),
        ("aud", json!("magazines")),
        ("aud", Value::Null),
        ("sub", Value::Null),
    ] {
        assert!(!agency.accepts_with(claim, &value).await, "{claim}: {value}");
    }
}

#[tokio::test]
async fn an_essential_claim_is_there() {
    let agency = Agency::new();
    assert!(agency.accepts_with("jti", &json!("another")).await);
    assert!(!agency.accepts_with("jti", &Value::Null).await);
    // `null` is written as such.
    let mut null = claims();
    null["jti"] = Value::Null;
    assert!(!agency.accepts(&null).await);
}

#[tokio::test]
async fn a_claim_has_its_value() {
    let agency = Agency::new();
    for value in
        [json!("refresh"), json!("Access"), json!("access "), json!(["access"]), json!(1), Value::Null]
    {
        assert!(!agency.accepts_with("typ", &value).await, "{value}");
    }
}

#[tokio::test]
async fn a_claim_has_one_of_its_values() {
    let agency = Agency::new();
    for (value, is_accepted) in [
        (json!("news"), true),
        (json!("sports"), true),
        (json!("weather"), false),
        (json!(""), false),
        (Value::Null, false),
    ] {
        assert_eq!(agency.accepts_with("desk", &value).await, is_accepted, "{value}");
    }
    for (value, is_accepted) in [
        (json!("magazine-staging"), true),
        (json!(["other", "magazine-staging"]), true),
        (json!("magazine-test"), false),
        (json!([]), false),
    ] {
        assert_eq!(agency.accepts_with("aud", &value).await, is_accepted, "{value}");
    }
}

#[tokio::test]
async fn a_claim_that_may_be_absent_has_its_value_if_it_is_there() {
    let agency = Agency::new();
    for (value, is_accepted) in [
        (Value::Null, true),
        (json!("read"), true),
        (json!("read write"), false),
        (json!("write"), false),
        (json!(""), false),
    ] {
        assert_eq!(agency.accepts_with("scope", &value).await, is_accepted, "{value}");
    }
}

/// In a handler, and in a check.
#[tokio::test]
async fn claims_are_read_by_name() {
    let agency = Agency::new();
    let magazine =
        Magazine::with(|builder| builder.issuer(issuers::agency(agency.key.verifying_key()))).await;
    for desk in ["news", "sports"] {
        let claims = changed(&claims(), "desk", &json!(desk));
        let claims = changed(&claims, "allowed_ips", &json!(["127.0.0.1"]));
        let wire = magazine.service.get("/wire", Some(&agency.key.sign(&claims).unwrap())).await;
        assert_eq!((wire.status, &wire.json()["desk"]), (200, &json!(desk)));
    }
}

/// Among them those that no rule names. What is in the header is for who verifies the token, and is not there.
#[tokio::test]
async fn a_caller_has_all_claims_and_no_header() {
    let agency = Agency::new();
    let claims = changed(&claims(), "bureau", &json!({ "city": "Ulm" }));
    let caller = agency.test.auth().verify(&agency.key.sign(&claims).unwrap()).await.unwrap();
    assert_eq!((caller.subject(), caller.token_id()), ("wire", Some("1")));
    assert_eq!(caller.claim("bureau"), Some(&json!({ "city": "Ulm" })));
    assert_eq!(caller.claim("alg"), None);
    assert_eq!(caller.claims::<Value>().unwrap(), claims);
}
