//! Sets of keys: an id that several have, and keys without `alg`.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

use super::{base64url, key, verifier, verify};
use crate::error::ConfigErrors;
use crate::session::SigningKey;
use crate::verify::{Algorithm, JwtVerifier, Key, TrustedIssuer, VerifyError};

fn jwk(key: &SigningKey) -> Value {
    Value::Object(key.verifying_key().prepare().unwrap().to_jwk().unwrap())
}

fn issuer() -> TrustedIssuer {
    TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience()
}

fn with_set(keys: &[Value]) -> TrustedIssuer {
    issuer().jwks(json!({ "keys": keys }).to_string())
}

fn outcome(verifier: &JwtVerifier, key: &SigningKey) -> Option<VerifyError> {
    verify(verifier, &key.sign(&json!({})).unwrap()).err()
}

fn errors(issuer: TrustedIssuer) -> Vec<String> {
    let mut errors = ConfigErrors::default();
    JwtVerifier::new(&[issuer], 1024, &mut errors);
    errors.into_vec()
}

/// RFC 7517 §4.5: ids SHOULD be distinct, so they may not be.
#[test]
fn keys_of_one_id_are_all_tried() {
    let eddsa = || key(Algorithm::EdDSA).with_id("k");
    let (one, two, three, other) = (eddsa(), eddsa(), key(Algorithm::ES256).with_id("k"), eddsa());
    let verifier =
        verifier(with_set(&[jwk(&one), jwk(&two), jwk(&three)]).key(key(Algorithm::ES384).verifying_key()));
    // Also after the header was remembered for another key.
    for _ in 0..3 {
        for accepted in [&one, &two, &three] {
            assert_eq!(outcome(&verifier, accepted), None, "{accepted:?}");
        }
        assert_eq!(outcome(&verifier, &other), Some(VerifyError::BadSignature));
        assert_eq!(outcome(&verifier, &one.clone().with_id("x")), Some(VerifyError::UnknownKey));
    }
}

/// A set that holds a thousand keys of one id does not make a token cost a thousand verifications.
#[test]
fn at_most_sixteen_keys_are_tried() {
    for id in [Some("k"), None] {
        let named = |key: SigningKey| match id {
            Some(id) => key.with_id(id),
            None => key,
        };
        let keys: Vec<_> = (0..18).map(|_| named(key(Algorithm::EdDSA))).collect();
        let set: Vec<_> = keys.iter().map(jwk).collect();
        for count in [15, 16, 17, 18] {
            let verifier = verifier(with_set(&set[..count]));
            for (index, key) in keys.iter().enumerate() {
                let expected = match index {
                    _ if index < count.min(16) => None,
                    _ if count > 16 => Some(VerifyError::TooManyKeys),
                    _ => Some(VerifyError::BadSignature),
                };
                assert_eq!(outcome(&verifier, key), expected, "key {index} of {count} with the id {id:?}");
            }
        }
    }
}

#[test]
fn a_key_with_the_id_is_tried_before_those_without_one() {
    let ours = key(Algorithm::EdDSA).with_id("k");
    let mut set: Vec<_> = (0..20).map(|_| jwk(&key(Algorithm::EdDSA))).collect();
    set.push(jwk(&ours));
    assert_eq!(outcome(&verifier(with_set(&set)), &ours), None);
}

#[test]
fn of_keys_that_are_added_one_by_one_each_can_be_chosen() {
    let with_id = |id: &str| key(Algorithm::EdDSA).with_id(id).verifying_key();
    for other in [with_id("k"), key(Algorithm::ES256).with_id("k").verifying_key()] {
        let found = errors(issuer().key(with_id("k")).key(other));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("two keys have the id `k`"), "{found:?}");
    }
    let of_set = with_set(&[jwk(&key(Algorithm::EdDSA).with_id("k"))]);
    assert_eq!(errors(of_set.key(with_id("k"))), [""; 0], "the set is the issuer's");

    let without_id = |count: usize| {
        let secret = |n: usize| Key::secret(Algorithm::HS256, [u8::try_from(n).unwrap(); 32]);
        (0..count).map(secret).fold(issuer(), TrustedIssuer::key)
    };
    assert_eq!(errors(without_id(16)), [""; 0]);
    for count in [17, 18] {
        let found = errors(without_id(count));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("more than 16 keys for HS256 have no id"), "{found:?}");
    }
}

/// RFC 8725 §3.1, as revised: what the application names is all that is accepted, whatever the provider publishes.
#[test]
fn a_key_whose_alg_is_not_named_is_left_out() {
    use Algorithm::{ES256, EdDSA, PS384, RS256};

    let (mut ps384, rsa) = rsa();
    ps384["alg"] = "PS384".into();
    let (p256, ed25519) = (key(ES256), key(EdDSA));
    // The names of RFC 9864 are those of the same algorithm.
    let mut of_ed25519 = jwk(&ed25519);
    of_ed25519["alg"] = "Ed25519".into();
    let set = [ps384.clone(), jwk(&p256), of_ed25519];
    let signers = [rsa(PS384), rsa(RS256), p256, ed25519];
    for (named, accepted) in [
        (None, [true, false, true, true]),
        (Some(vec![PS384]), [true, false, false, false]),
        (Some(vec![ES256]), [false, false, true, false]),
        (Some(vec![EdDSA, RS256]), [false, false, false, true]),
        (Some(vec![PS384, ES256, EdDSA]), [true, false, true, true]),
    ] {
        let issuer = match &named {
            Some(named) => with_set(&set).jwks_algorithms(named.clone()),
            None => with_set(&set),
        };
        let verifier = verifier(issuer);
        let found = signers.each_ref().map(|key| outcome(&verifier, key).is_none());
        assert_eq!(found, accepted, "{named:?}");
        let refused = outcome(&verifier, &signers[1]);
        assert_eq!(refused, Some(VerifyError::AlgorithmNotAllowed), "{named:?}");
    }
    let found = errors(with_set(&[ps384]).jwks_algorithms([RS256]));
    assert!(found[0].contains("its `alg` is PS384, which `jwks_algorithms` does not name"), "{found:?}");
}

/// An RSA key, as a JWK without `alg` and as a signing key for each algorithm of its type.
fn rsa() -> (Value, impl Fn(Algorithm) -> SigningKey) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", private.as_ref()));
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let jwk = json!({ "kty": "RSA", "n": base64url(&public.n), "e": base64url(&public.e) });
    (jwk, move |algorithm| SigningKey::pem(algorithm, pem.as_bytes()).unwrap())
}

#[test]
fn keys_without_alg_are_for_the_named_algorithms() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, RS256, RS512};

    let (rsa_jwk, rsa) = rsa();
    let (p256, ed25519) = (key(ES256), key(EdDSA));
    let without_alg = |key: &SigningKey| {
        let mut jwk = jwk(key);
        jwk.as_object_mut().unwrap().remove("alg");
        jwk
    };
    let set = [rsa_jwk.clone(), without_alg(&p256), without_alg(&ed25519)];
    let signers = [rsa(RS256), rsa(RS512), rsa(PS256), rsa(PS384), p256, ed25519];
    for (named, accepted) in [
        (None, [true, false, false, false, true, true]),
        (Some(vec![PS256]), [false, false, true, false, false, false]),
        (Some(vec![RS256, PS256, ES384, ES256]), [true, false, true, false, true, false]),
        (Some(vec![EdDSA]), [false, false, false, false, false, true]),
        (Some(vec![RS512, PS384, EdDSA]), [false, true, false, true, false, true]),
    ] {
        let issuer = match &named {
            Some(named) => with_set(&set).jwks_algorithms(named.clone()),
            None => with_set(&set),
        };
        let verifier = verifier(issuer);
        let found = signers.each_ref().map(|key| outcome(&verifier, key).is_none());
        assert_eq!(found, accepted, "{named:?}");
    }

    let rsa_alone = || with_set(std::slice::from_ref(&rsa_jwk));
    for (issuer, expected) in [
        (rsa_alone().jwks_algorithms([]), "`jwks_algorithms` is empty"),
        (rsa_alone().jwks_algorithms([RS256, Algorithm::HS256]), "names HS256, which verifies with a secret"),
        (rsa_alone().jwks_algorithms([ES256]), "`jwks_algorithms` names none that its type allows"),
        (issuer().key(Key::jwk(rsa_jwk.to_string())).jwks_algorithms([RS256]), "the issuer has no key set"),
    ] {
        let found = errors(issuer);
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:?}");
    }
}
