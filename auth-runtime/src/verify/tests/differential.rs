//! This verifier and `jsonwebtoken` on the same tokens: they agree, or ours is the stricter for a reason that is listed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use auth_tests_random::{runner, times};
use jsonwebtoken::{DecodingKey, Validation};
use proptest::prelude::*;
use serde_json::Value;

use super::{any_claims, base64url, key, verify};
use crate::verify::{Algorithm, Key, VerifyError};

const SECRET: [u8; 32] = [7; 32];

fn they_accept(token: &str) -> bool {
    // Tests of this crate run in a process of their own. In a tree with both providers there is no default.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &DecodingKey::from_secret(&SECRET), &validation).is_ok()
}

/// Why ours may refuse what theirs accepts. Anything else is an error of one of the two.
fn listed(error: &VerifyError) -> Option<&'static str> {
    Some(match error {
        VerifyError::Malformed("the header is not one strict JSON object") => {
            "a name stands twice in the header"
        }
        VerifyError::Malformed("the claims are not one strict JSON object") => {
            "a name stands twice in the claims, or they are deep, or no object"
        }
        VerifyError::Malformed("the header has `crit` or `b64`") => {
            "RFC 7515 §4.1.11: nothing critical is understood"
        }
        VerifyError::Malformed("the header's `kid` is longer than 256 bytes") => "a bound",
        VerifyError::TypeNotAllowed => "RFC 8725 §3.11: explicit typing",
        VerifyError::InvalidClaim(_) | VerifyError::NullClaim(_) | VerifyError::IntegerClaim(_) => {
            "a wrong type is a refusal, never an absent claim"
        }
        VerifyError::SenderConstrained => "RFC 7800: a bound token without its proof",
        _ => return None,
    })
}

fn parts() -> impl Strategy<Value = (String, String)> {
    let header = prop::sample::select(vec![
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"at+jwt","alg":"HS256","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"dpop+jwt"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","x":1,"x":2}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":5}"#,
        r#"{"ALG":"HS256"}"#,
        "{}",
        "[]",
        "",
    ]);
    let member = prop::sample::select(vec![
        r#""sub":"alice""#,
        r#""sub":5"#,
        r#""exp":1e10"#,
        r#""exp":"1""#,
        r#""nbf":0.5"#,
        r#""aud":["a","b"]"#,
        r#""aud":[1]"#,
        r#""iss":null"#,
        r#""cnf":{}"#,
        r#""roles":["a",{"b":1,"b":2}]"#,
        r#""x":"\ud800""#,
        r#""x":1e999"#,
        r#""x":"é\u0000""#,
        r#""x":"#,
        r#""deep":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"#,
    ]);
    let claims = prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")));
    let odd = prop::sample::select(vec!["", "null", "[]", "{}x", "\"a\""]).prop_map(str::to_owned);
    (header.prop_map(str::to_owned), prop_oneof![9 => claims, 1 => odd])
}

fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &SECRET);
    format!("{message}.{}", base64url(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref()))
}

#[test]
fn random_tokens() {
    let ours = any_claims(Key::secret(Algorithm::HS256, SECRET));
    let counts = RefCell::new(BTreeMap::<&str, u32>::new());
    // A third as signed, the others changed somewhere afterwards.
    let change =
        prop_oneof![1 => Just(None), 2 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some)];
    runner(5_000)
        .run(&(parts(), change), |((header, claims), change)| {
            let mut token = signed(&header, &claims).into_bytes();
            if let Some((index, byte)) = change {
                let at = index.index(token.len());
                token[at] = byte;
            }
            let Ok(token) = String::from_utf8(token) else { return Ok(()) };
            let class = match (verify(&ours, &token), they_accept(&token)) {
                (Ok(_), true) => "both accept",
                (Err(_), false) => "both refuse",
                (Ok(_), false) => {
                    return Err(TestCaseError::fail(format!("only ours accepts {header} {claims}")));
                }
                (Err(error), true) => match listed(&error) {
                    Some(reason) => reason,
                    None => return Err(TestCaseError::fail(format!("{error}: {header} {claims}"))),
                },
            };
            *counts.borrow_mut().entry(class).or_default() += 1;
            Ok(())
        })
        .unwrap();
    let counts = counts.into_inner();
    assert!(counts["both accept"] > times(30) && counts["both refuse"] > times(500), "{counts:?}");
}

/// Near to a good token of each algorithm, and not it: never accepted, and never a panic.
#[test]
fn near_tokens() {
    let keys: Vec<_> = [Algorithm::HS256, Algorithm::ES256, Algorithm::EdDSA].map(key).into_iter().collect();
    let good: Vec<_> =
        keys.iter().map(|key| key.sign(&serde_json::json!({ "sub": "alice" })).unwrap()).collect();
    let verifiers: Vec<_> = keys.iter().map(|key| any_claims(key.verifying_key())).collect();
    let edit = (0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<char>());
    let inputs = (0..keys.len(), prop::collection::vec(edit, 1..6));
    runner(200)
        .run(&inputs, |(which, edits)| {
            let mut token: Vec<char> = good[which].chars().collect();
            for (kind, one, other, character) in edits {
                if token.is_empty() {
                    break;
                }
                let (at, to) = (one.index(token.len()), other.index(token.len()));
                match kind {
                    0 => token[at] = character,
                    1 => token.insert(at, if character.is_ascii() { character } else { '.' }),
                    2 => drop(token.remove(at)),
                    3 => token.swap(at, to),
                    _ => token.truncate(at),
                }
            }
            let token: String = token.into_iter().collect();
            if token != good[which] {
                for verifier in &verifiers {
                    prop_assert!(verify(verifier, &token).is_err(), "{}", token);
                }
            }
            Ok(())
        })
        .unwrap();
}
