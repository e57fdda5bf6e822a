//! Forms of claims that an issuer is configured to accept: `null` for an absent claim, integers, rules for absent claims.

use serde_json::{Value, json};

use super::strict::signed;
use super::{verifier, verify};
use crate::error::ConfigErrors;
use crate::verify::{
    Algorithm, ClaimName, ClaimRule, JwtVerifier, Key, TrustedIssuer, VerifiedToken, VerifyError,
};

fn with_key(issuer: TrustedIssuer) -> TrustedIssuer {
    issuer.key(Key::secret(Algorithm::HS256, super::strict::SECRET))
}

fn issuer() -> TrustedIssuer {
    with_key(TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience())
}

fn read(issuer: TrustedIssuer, claims: &str) -> Result<VerifiedToken, VerifyError> {
    verify(&verifier(issuer), &signed(br#"{"alg":"HS256"}"#, claims.as_bytes()))
}

const NULLABLE: &[&str] =
    &["iss", "sub", "aud", "nbf", "iat", "jti", "sid", "auth_time", "acr", "amr", "cnf"];

#[test]
fn null_counts_as_absent_only_where_the_issuer_says_so() {
    for name in NULLABLE {
        let claims = format!(r#"{{"{name}":null}}"#);
        assert_eq!(read(issuer(), &claims).err(), Some(VerifyError::NullClaim(name)));
        let token = read(issuer().accept_null_claims(), &claims).unwrap();
        let claims = token.claims();
        assert!(claims.issuer().is_none() && claims.audience().is_none() && claims.token_id().is_none());
        assert!(claims.not_before.is_none() && claims.issued_at.is_none() && claims.auth_time.is_none());
        assert!(claims.session_id().is_none() && claims.acr().is_none() && !claims.sender_constrained);
        assert_eq!(token.subject(), None);
    }
    for claims in [r#"{"exp":null}"#, r#"{"aud":[null]}"#, r#"{"amr":[null]}"#] {
        assert!(matches!(
            read(issuer().accept_null_claims(), claims).err(),
            Some(VerifyError::InvalidClaim(_))
        ));
    }
    // It is absent, and what is required is missing.
    let strict = with_key(TrustedIssuer::new("i").audience("a").accept_null_claims());
    for (claims, missing) in [(r#"{"iss":null,"aud":"a"}"#, "iss"), (r#"{"iss":"i","aud":null}"#, "aud")] {
        assert_eq!(read(strict.clone(), claims).err(), Some(VerifyError::MissingClaim(missing)));
    }
    let no_audience = TrustedIssuer::new("i").dangerously_expect_no_audience().accept_null_claims();
    assert!(read(with_key(no_audience), r#"{"iss":"i","aud":null}"#).is_ok());
}

#[test]
fn names_may_be_null_only_where_the_issuer_says_so() {
    for claim in ["roles", "scope", "scp", "permissions"] {
        let claims = format!(r#"{{"{claim}":null}}"#);
        let problem = read(issuer(), &claims).unwrap().names().unwrap_err();
        assert!(problem.contains("`TrustedIssuer::accept_null_claims()`"), "{problem}");
        let names = read(issuer().accept_null_claims(), &claims).unwrap().names().unwrap();
        assert!(names.roles.is_empty() && names.scopes.is_empty() && names.permissions.is_empty());
    }
    let next = read(issuer().accept_null_claims(), r#"{"scope":null,"scp":"a b"}"#).unwrap();
    assert_eq!(next.names().unwrap().scopes, ["a", "b"].map(Box::<str>::from));
    let list = read(issuer().accept_null_claims(), r#"{"roles":[null]}"#).unwrap();
    assert!(list.names().is_err());
}

/// The text of an integer is the subject, to the last digit. No number type is in between.
#[test]
fn integers_as_subjects() {
    let by_claim =
        |claims: &str| read(issuer().subject_at("user_id"), claims).unwrap().subject().map(str::to_owned);
    for integer in [
        "0",
        "42",
        "-1",
        "-0",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890123456789",
        &"9".repeat(308),
    ] {
        assert_eq!(by_claim(&format!(r#"{{"user_id":{integer}}}"#)).as_deref(), Some(integer));
        assert_eq!(by_claim(&format!(r#"{{ "user_id" : {integer} }}"#)).as_deref(), Some(integer));
        let claims = format!(r#"{{"user_id":7,"user":{{"id":{integer},"x":{{"id":5}}}}}}"#);
        for name in ["user.id".into(), ClaimName::path(["user", "id"])] {
            let token = read(issuer().subject_at(name), &claims).unwrap();
            assert_eq!(token.subject(), Some(integer));
        }
        let sub = format!(r#"{{"sub":{integer}}}"#);
        assert_eq!(read(issuer(), &sub).err(), Some(VerifyError::IntegerClaim("sub")));
        assert_eq!(read(issuer().subject_at("sub"), &sub).err(), Some(VerifyError::IntegerClaim("sub")));
        let token = read(issuer().accept_integer_sub(), &sub).unwrap();
        assert_eq!(token.subject(), Some(integer));
    }
    for other in ["1.0", "1.5", "1e3", "1E3", "1e-3", "true", "null", "[1]", r#"{"a":1}"#, r#""""#] {
        assert_eq!(by_claim(&format!(r#"{{"user_id":{other}}}"#)), None, "{other}");
        for issuer in [issuer(), issuer().accept_integer_sub()] {
            let token = read(issuer, &format!(r#"{{"sub":{other}}}"#));
            assert!(token.is_err() || token.unwrap().subject().is_none(), "{other}");
        }
    }
    assert!(read(issuer().subject_at("user_id"), &format!(r#"{{"user_id":{}}}"#, "9".repeat(400))).is_err());
    assert_eq!(by_claim(r#"{"user_id":"42"}"#).as_deref(), Some("42"));
    // A `sub` that is not the subject is a string too, or the issuer is configured so.
    let both = r#"{"sub":1,"user_id":2}"#;
    assert_eq!(read(issuer().subject_at("user_id"), both).err(), Some(VerifyError::IntegerClaim("sub")));
    let token = read(issuer().subject_at("user_id").accept_integer_sub(), both).unwrap();
    assert_eq!(token.subject(), Some("2"));
}

#[test]
fn integers_as_token_ids() {
    for integer in ["0", "7", "18446744073709551616"] {
        let claims = format!(r#"{{"jti":{integer}}}"#);
        assert_eq!(read(issuer(), &claims).err(), Some(VerifyError::IntegerClaim("jti")));
        let token = read(issuer().accept_integer_jti(), &claims).unwrap();
        assert_eq!(token.claims().token_id(), Some(integer));
    }
    for other in ["1.5", "1e3", "true", "[]"] {
        let claims = format!(r#"{{"jti":{other}}}"#);
        assert_eq!(
            read(issuer().accept_integer_jti(), &claims).err(),
            Some(VerifyError::InvalidClaim("jti")),
            "{other}"
        );
    }
}

#[test]
fn rules_for_absent_claims() {
    let access_or_absent = || ClaimRule::absent_or(ClaimRule::equals("access"));
    let long = || ClaimRule::satisfies(|value| value.as_str().is_some_and(|text| text.len() > 3));
    for (rule, name, claims, accepted) in [
        (ClaimRule::absent(), "a", json!({}), true),
        (ClaimRule::absent(), "a", json!({ "a": "x" }), false),
        (ClaimRule::absent(), "a", json!({ "a": false }), false),
        (ClaimRule::absent(), "a", json!({ "a": null }), false),
        (ClaimRule::absent(), "a.b", json!({ "a": {} }), true),
        (ClaimRule::absent(), "a.b", json!({ "a": { "b": 1 } }), false),
        (ClaimRule::absent(), "a.b", json!({ "a": "refresh" }), false),
        (ClaimRule::absent(), "a.b", json!({ "a.b": 1 }), true),
        (access_or_absent(), "a", json!({}), true),
        (access_or_absent(), "a", json!({ "a": "access" }), true),
        (access_or_absent(), "a", json!({ "a": "refresh" }), false),
        (access_or_absent(), "a", json!({ "a": null }), false),
        (access_or_absent(), "a.b", json!({ "a": ["access"] }), false),
        (ClaimRule::absent_or(long()), "a", json!({}), true),
        (ClaimRule::absent_or(long()), "a", json!({ "a": "long" }), true),
        (ClaimRule::absent_or(long()), "a", json!({ "a": "no" }), false),
        (ClaimRule::absent_or(ClaimRule::Present), "a", json!({ "a": null }), false),
    ] {
        let expected = if accepted { None } else { Some(VerifyError::ClaimRejected) };
        let found = read(issuer().claim(name, rule.clone()), &claims.to_string());
        assert_eq!(found.as_ref().err(), expected.as_ref(), "{rule:?} of {name} for {claims}");
        if let Ok(token) = found {
            assert_eq!(token.may_be_remembered, !rule.has_predicate(), "{rule:?}");
        }
    }
    for (rule, accepted) in [
        (ClaimRule::absent(), true),
        (access_or_absent(), true),
        (ClaimRule::Present, false),
        (ClaimRule::equals(Value::Null), false),
        (ClaimRule::satisfies(|_| true), false),
    ] {
        let issuer = issuer().accept_null_claims().claim("a", rule.clone());
        assert_eq!(read(issuer, r#"{"a":null}"#).is_ok(), accepted, "{rule:?} where `null` is absent");
    }
    let mut errors = ConfigErrors::default();
    let none = ClaimRule::absent_or(ClaimRule::one_of([""; 0]));
    JwtVerifier::new(&[issuer().claim("a", none)], 1024, &mut errors);
    assert!(errors.into_vec()[0].contains("`ClaimRule::one_of` has no values"));
}
