//! The strict first step, and the claims: each rule with a token that keeps it and one that does not.

use serde_json::{Value, json};

use super::{any_claims, base64url, key, verifier, verify};
use crate::error::ConfigErrors;
use crate::session::SigningKey;
use crate::verify::{Algorithm, ClaimRule, JwtVerifier, Key, TrustedIssuer, VerifyError};

pub(super) const SECRET: [u8; 32] = [7; 32];

/// A token whose parts are given to the letter, with a signature that is right for them.
pub(super) fn signed(header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", base64url(header), base64url(payload));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &SECRET);
    let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", base64url(signature.as_ref()))
}

fn hs256() -> JwtVerifier {
    any_claims(Key::secret(Algorithm::HS256, SECRET))
}

fn refusal(token: &str) -> Option<VerifyError> {
    verify(&hs256(), token).err()
}

#[test]
fn the_form() {
    let good = signed(br#"{"alg":"HS256"}"#, b"{}");
    assert_eq!(refusal(&good), None);
    let parts: Vec<&str> = good.split('.').collect();
    for bad in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        parts[..2].join("."),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{}", parts[2]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{good}="),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        // the JSON serialization, and the five parts of a JWE
        format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, parts[0], parts[1], parts[2]),
        format!("{good}.{}.{}", parts[1], parts[2]),
        format!(" {good}"),
        format!("{good}\n"),
        good.replacen('.', ".\n", 1),
        format!("{}+.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}/.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}é.{}.{}", parts[0], parts[1], parts[2]),
    ] {
        assert!(refusal(&bad).is_some(), "{bad:?}");
    }
}

/// RFC 7515 §2: the unused bits of the last character are zero, so a token has one spelling.
#[test]
fn the_last_character_is_canonical() {
    let good = signed(br#"{"alg":"HS256"}"#, b"{}");
    // 32 bytes of signature leave two unused bits: of the four letters that decode to them one is right.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let accepted = alphabet.chars().filter(|c| refusal(&format!("{}{c}", &good[..good.len() - 1])).is_none());
    assert_eq!(accepted.count(), 1);
}

#[test]
fn the_length_is_bounded_before_anything_is_decoded() {
    let token = signed(br#"{"alg":"HS256"}"#, format!(r#"{{"a":"{}"}}"#, "x".repeat(1000)).as_bytes());
    let issuer = TrustedIssuer::dangerously_accept_any_issuer()
        .dangerously_accept_any_audience()
        .key(Key::secret(Algorithm::HS256, SECRET));
    for (bytes, expected) in [
        (token.len(), None),
        (token.len() - 1, Some(VerifyError::Malformed("longer than the engine's `max_token_bytes`"))),
    ] {
        let mut errors = ConfigErrors::default();
        let verifier = JwtVerifier::new(std::slice::from_ref(&issuer), bytes, &mut errors);
        assert!(errors.into_vec().is_empty());
        assert_eq!(verify(&verifier, &token).err(), expected);
    }
}

#[test]
fn the_header() {
    for (header, accepted) in [
        (r#"{"alg":"HS256"}"#, true),
        (r#" {"alg":"HS256"} "#, true),
        (r#"{"alg":"HS256","typ":"JWT"}"#, true),
        (r#"{"alg":"HS256","typ":"jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"Application/AT+JWT"}"#, true),
        (r#"{"alg":"HS256","kid":"whatever"}"#, true),
        (r#"{"alg":"HS256","x":{"y":[1]}}"#, true),
        // never a source of trust, and no reason to refuse
        (
            r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"jku":"http://evil","x5u":"http://evil","x5c":["AA"]}"#,
            true,
        ),
        (r#"{"alg":"HS256","typ":"at+jwt2"}"#, false),
        (r#"{"alg":"HS256","typ":"dpop+jwt"}"#, false),
        (r#"{"alg":"HS256","typ":"application/application/jwt"}"#, false),
        (r#"{"alg":"HS256","typ":""}"#, false),
        (r#"{"alg":"HS256","typ":5}"#, false),
        (r#"{"alg":"HS256","typ":null}"#, false),
        (r#"{"alg":"hs256"}"#, false),
        (r#"{"alg":"HS256 "}"#, false),
        (r#"{"alg":["HS256"]}"#, false),
        (r#"{"alg":null}"#, false),
        (r#"{"Alg":"HS256"}"#, false),
        ("{}", false),
        ("null", false),
        (r#"["alg"]"#, false),
        (r#"{"alg":"HS256","alg":"HS256"}"#, false),
        (r#"{"alg":"none","alg":"HS256"}"#, false),
        (r#"{"alg":"HS256","\u0061lg":"HS256"}"#, false),
        (r#"{"alg":"HS256","x":1,"x":2}"#, false),
        (r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, false),
        (r#"{"alg":"HS256","crit":[]}"#, false),
        (r#"{"alg":"HS256","crit":null}"#, false),
        (r#"{"alg":"HS256","b64":true}"#, false),
        (r#"{"alg":"HS256","b64":false}"#, false),
        (r#"{"alg":"HS256","kid":5}"#, false),
        (r#"{"alg":"HS256","kid":["a"]}"#, false),
        (r#"{"alg":"HS256"}x"#, false),
        ("{\"alg\":\"HS256\",}", false),
        ("\u{feff}{\"alg\":\"HS256\"}", false),
    ] {
        assert_eq!(refusal(&signed(header.as_bytes(), b"{}")).is_none(), accepted, "{header}");
    }
    for (length, accepted) in [(256, true), (257, false)] {
        let header = json!({ "alg": "HS256", "kid": "k".repeat(length) }).to_string();
        assert_eq!(refusal(&signed(header.as_bytes(), b"{}")).is_none(), accepted, "a kid of {length}");
    }
    assert!(refusal(&signed(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}", b"{}")).is_some());
}

#[test]
fn the_claims_are_one_object_without_duplicates() {
    for (payload, accepted) in [
        ("{}", true),
        (r#"{"a":{"b":{"c":[1,2.5,null,true,"x"]}}}"#, true),
        ("", false),
        ("[]", false),
        ("null", false),
        (r#""sub""#, false),
        (r#"{"sub":"alice","sub":"mallory"}"#, false),
        (r#"{"a":{"b":1,"b":1}}"#, false),
        (r#"{"a":[[{"b":1,"b":1}]]}"#, false),
        (r#"{"sub":"a"}{"sub":"b"}"#, false),
        (r#"{"exp":"1"}"#, false),
        (r#"{"aud":{"a":"b"}}"#, false),
        (r#"{"cnf":{"jkt":"x"}}"#, false),
        (r#"{"cnf":null}"#, false),
    ] {
        assert_eq!(
            refusal(&signed(br#"{"alg":"HS256"}"#, payload.as_bytes())).is_none(),
            accepted,
            "{payload}"
        );
    }
}

/// RFC 9864 names it `Ed25519`, RFC 8037 `EdDSA`.
#[test]
fn ed25519_has_two_names() {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let jwk = |alg: &str| {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&public), "alg": alg }).to_string()
    };
    for of_key in ["EdDSA", "Ed25519"] {
        let verifier = any_claims(Key::jwk(jwk(of_key)));
        for (alg, accepted) in [("EdDSA", true), ("Ed25519", true), ("Ed448", false), ("ed25519", false)] {
            let header = json!({ "alg": alg }).to_string();
            let message = format!("{}.{}", base64url(header.as_bytes()), base64url(b"{}"));
            let token = format!("{message}.{}", base64url(pair.sign(message.as_bytes()).as_ref()));
            assert_eq!(verify(&verifier, &token).is_ok(), accepted, "{alg} by a key for {of_key}");
        }
    }
}

fn by(key: &SigningKey, issuer: TrustedIssuer, claims: &Value) -> Result<(), VerifyError> {
    verify(&verifier(issuer.key(key.verifying_key())), &key.sign(claims).unwrap()).map(drop)
}

/// RFC 7519 §4.1.3.
#[test]
fn audiences() {
    let key = key(Algorithm::EdDSA);
    let issuer = TrustedIssuer::dangerously_accept_any_issuer;
    for (issuer, aud, accepted) in [
        (issuer().audience("a").audience("b"), json!("b"), true),
        (issuer().audience("a"), json!(["x", "a"]), true),
        (issuer().audience("a"), json!("A"), false),
        (issuer().audience("a"), json!([]), false),
        (issuer().audience("a").single_audience(), json!("a"), true),
        (issuer().audience("a").single_audience(), json!(["a"]), true),
        (issuer().audience("a").single_audience(), json!(["a", "x"]), false),
        (issuer().audience("a").audience("b").single_audience(), json!(["a", "b"]), false),
        (issuer().dangerously_accept_any_audience(), json!("x"), true),
        (issuer().dangerously_expect_no_audience(), json!("x"), false),
        (issuer().dangerously_expect_no_audience(), json!([]), false),
    ] {
        assert_eq!(
            by(&key, issuer.clone(), &json!({ "aud": aud })).is_ok(),
            accepted,
            "{aud} for {issuer:?}"
        );
    }
    let none = json!({});
    assert_eq!(by(&key, issuer().audience("a"), &none), Err(VerifyError::MissingClaim("aud")));
    assert_eq!(by(&key, issuer().dangerously_expect_no_audience(), &none), Ok(()));
    assert_eq!(by(&key, issuer().dangerously_accept_any_audience(), &none), Ok(()));
}

#[test]
fn claims_that_an_issuers_tokens_must_have() {
    let key = key(Algorithm::EdDSA);
    let issuer = || TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience();
    let long = |value: &Value| value.as_str().is_some_and(|text| text.len() > 3);
    for (issuer, claims, accepted) in [
        (issuer().claim("a", ClaimRule::Present), json!({ "a": false }), true),
        (issuer().claim("a", ClaimRule::Present), json!({ "a": null }), false),
        (issuer().claim("a", ClaimRule::Present), json!({}), false),
        (issuer().claim("a.b", ClaimRule::equals(5)), json!({ "a": { "b": 5 } }), true),
        (issuer().claim("a.b", ClaimRule::equals(5)), json!({ "a": { "b": "5" } }), false),
        (issuer().claim("a.b", ClaimRule::equals(5)), json!({ "a.b": 5 }), false),
        (issuer().claim("a", ClaimRule::one_of(["x", "y"])), json!({ "a": "y" }), true),
        (issuer().claim("a", ClaimRule::one_of(["x", "y"])), json!({ "a": ["y"] }), false),
        (issuer().claim("a", ClaimRule::satisfies(long)), json!({ "a": "long" }), true),
        (issuer().claim("a", ClaimRule::satisfies(long)), json!({ "a": "no" }), false),
        (issuer().claim("a", ClaimRule::satisfies(|_| true)), json!({}), false),
        (issuer().claim("a", ClaimRule::Present).claim("b", ClaimRule::Present), json!({ "a": 1 }), false),
    ] {
        let expected = if accepted { Ok(()) } else { Err(VerifyError::ClaimRejected) };
        assert_eq!(by(&key, issuer.clone(), &claims), expected, "{claims} for {issuer:?}");
    }
}

/// RFC 9068 §4 and RFC 8725 §3.11: an issuer's tokens of another kind are no access tokens. Also once a header is remembered.
#[test]
fn explicit_typing() {
    let jwk = || Key::secret(Algorithm::HS256, SECRET);
    let only = verifier(
        TrustedIssuer::dangerously_accept_any_issuer()
            .dangerously_accept_any_audience()
            .key(jwk())
            .token_types(["at+jwt"]),
    );
    let id_tokens = verifier(
        TrustedIssuer::dangerously_accept_any_issuer()
            .dangerously_accept_any_audience()
            .key(jwk())
            .token_types(["logout+jwt", "JWT"]),
    );
    for _ in 0..2 {
        for (header, by_only, by_others) in [
            (r#"{"alg":"HS256","typ":"at+jwt"}"#, true, false),
            (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, true, false),
            (r#"{"alg":"HS256","typ":"JWT"}"#, false, true),
            (r#"{"alg":"HS256","typ":"logout+jwt"}"#, false, true),
            // without one it counts as `JWT`
            (r#"{"alg":"HS256"}"#, false, true),
        ] {
            let token = signed(header.as_bytes(), b"{}");
            assert_eq!(verify(&only, &token).is_ok(), by_only, "{header}");
            assert_eq!(verify(&id_tokens, &token).is_ok(), by_others, "{header}");
        }
    }
}

/// Each error of a key is named, with what to do.
#[test]
fn keys_that_are_refused() {
    let off_curve =
        json!({ "kty": "EC", "crv": "P-256", "x": base64url(&[1; 32]), "y": base64url(&[1; 32]) });
    let rsa = |bits: usize, e: &[u8]| {
        let mut n = vec![0xff; bits / 8];
        n[0] |= 0x80;
        json!({ "kty": "RSA", "n": base64url(&n), "e": base64url(e) })
    };
    let oct = |bytes: usize, alg: &str| json!({ "kty": "oct", "k": base64url(&vec![7; bytes]), "alg": alg });
    let with = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    for (jwk, expected) in [
        (off_curve, "not a point on the curve"),
        (rsa(1024, &[1, 0, 1]), "1024 bits, and the minimum is 2048"),
        (rsa(2048, &[1]), "exponent is 1 or even"),
        (rsa(2048, &[0, 1]), "exponent is 1 or even"),
        (rsa(2048, &[2]), "exponent is 1 or even"),
        (rsa(2048, &[]), "exponent is 1 or even"),
        (rsa(16_384, &[1, 0, 1]), "the maximum is 8192"),
        (oct(31, "HS256"), "31 bytes, and HS256 needs at least 32"),
        (oct(47, "HS384"), "47 bytes, and HS384 needs at least 48"),
        (oct(63, "HS512"), "63 bytes, and HS512 needs at least 64"),
        (oct(64, "RS256"), "verifies with a public key"),
        (oct(64, "none"), "its `alg` \"none\" is not supported"),
        (with(oct(32, "HS256"), "use", json!("enc")), "its `use` is not `sig`"),
        (with(oct(32, "HS256"), "key_ops", json!(["sign"])), "don't list `verify`"),
        (with(rsa(2048, &[1, 0, 1]), "d", json!("AA")), "contains private parts"),
        (with(rsa(2048, &[1, 0, 1]), "p", json!("AA")), "contains private parts"),
        (with(rsa(2048, &[1, 0, 1]), "alg", json!("ES256")), "an RSA key can't be for ES256"),
        (json!({ "kty": "EC", "crv": "P-256", "x": "AA" }), "`y` is missing"),
        (json!({ "kty": "EC", "crv": "secp256k1" }), "\"secp256k1\" is not supported"),
        (json!({ "kty": "OKP", "crv": "X25519", "x": "AA" }), "\"OKP\" with curve \"X25519\""),
        (json!({ "kty": "oct", "k": "not base64!" }), "not base64url"),
    ] {
        let reason = Key::jwk(jwk.to_string()).prepare().err().unwrap_or_default();
        assert!(reason.contains(expected), "{jwk}: {reason:?} does not contain {expected:?}");
    }
}

#[test]
fn private_parts_are_taken_only_when_it_is_said_aloud() {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&public), "d": "AA" }).to_string();
    assert!(Key::jwk(jwk.clone()).prepare().is_err());
    assert!(Key::jwk(jwk).dangerously_allow_private_parts().prepare().is_ok());

    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()));
    assert!(Key::pem(Algorithm::EdDSA, pem.as_str()).prepare().is_err());
    let verifier = any_claims(Key::pem(Algorithm::EdDSA, pem.as_str()).dangerously_allow_private_parts());
    let token = SigningKey::pem(Algorithm::EdDSA, pem.as_bytes()).unwrap().sign(&json!({})).unwrap();
    assert!(verify(&verifier, &token).is_ok());
    assert!(
        Key::pem(Algorithm::ES256, pem.as_str()).dangerously_allow_private_parts().prepare().is_err(),
        "of another algorithm"
    );
}

/// Whatever passes the reader can be read whole by `serde_json`, or claims would be missing when they are asked for.
#[test]
fn what_is_accepted_can_be_read_again() {
    use proptest::prelude::*;

    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"a\"",
        "\"b\"",
        "\"sub\"",
        "\"x\\ud800\"",
        "\"\\u0061\"",
        "\"\\n\"",
        "1",
        "-0.5",
        "1e999",
        "true",
        "null",
        " ",
        "\"iss\"",
        "\"aud\"",
    ]);
    let soup = prop::collection::vec(piece.clone(), 0..12).prop_map(|pieces| pieces.concat());
    let member = (piece.clone(), piece).prop_map(|(name, value)| format!("{name}:{value}"));
    let near = prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")));
    let accepted = std::cell::Cell::new(0);
    auth_tests_random::runner(2_000)
        .run(&prop_oneof![soup, near], |text| {
            if let Ok(claims) = crate::verify::TokenClaims::from_json(text.as_bytes()) {
                let again: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(&claims.to_map(), &again);
                accepted.set(accepted.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    assert!(accepted.get() > auth_tests_random::times(100), "{} were accepted", accepted.get());
}

#[test]
fn a_secret_in_a_published_set_is_left_out() {
    let secret = json!({ "kty": "oct", "k": base64url(&SECRET) });
    let reason =
        Key::prepare_set(&json!({ "keys": [secret] }).to_string(), 10, None, "an issuer").err().unwrap();
    assert!(reason.contains("a set of public keys must not contain a secret"), "{reason}");
}
