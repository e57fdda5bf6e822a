//! Every byte of a good token changed, one after the other; and keys of another kind than the token says.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use serde_json::json;

use super::{any_claims, base64url, key, verify};
use crate::verify::{Algorithm, Key, VerifyError};

#[test]
fn each_byte_of_header_payload_and_signature() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm).with_id("k");
        let verifier = any_claims(key.verifying_key());
        let token = key.sign(&json!({ "sub": "alice", "exp": 1 })).unwrap();
        assert!(verify(&verifier, &token).is_ok(), "{algorithm}");
        for (index, byte) in token.bytes().enumerate() {
            // Another letter of the alphabet, one out of it, and the bit that a careless decoder drops.
            for other in [if byte == b'A' { b'B' } else { b'A' }, b'*', b'=', byte ^ 1] {
                let mut bytes = token.clone().into_bytes();
                bytes[index] = other;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                if changed != token {
                    assert!(
                        verify(&verifier, &changed).is_err(),
                        "{algorithm}: {other} at {index} of {token}"
                    );
                }
            }
        }
        for end in 0..token.len() {
            assert!(verify(&verifier, &token[..end]).is_err(), "{algorithm}: the first {end} bytes");
        }
    }
}

/// No key accepts a token of another algorithm, or of another key of the same.
#[test]
fn another_key() {
    let keys: Vec<_> = Algorithm::ALL.iter().map(|&algorithm| (algorithm, key(algorithm))).collect();
    for (algorithm, signing) in &keys {
        let token = signing.sign(&json!({ "sub": "alice" })).unwrap();
        for (other, verifying) in &keys {
            let result = verify(&any_claims(verifying.verifying_key()), &token);
            if algorithm == other {
                assert!(result.is_ok());
            } else {
                assert_eq!(result.err(), Some(VerifyError::AlgorithmNotAllowed), "{algorithm} by {other}");
            }
        }
        if !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
            let result = verify(&any_claims(key(*algorithm).verifying_key()), &token);
            assert_eq!(result.err(), Some(VerifyError::BadSignature), "{algorithm}");
        }
    }
}

/// RFC 8725 §2.1: a public key, in any of its forms, as the secret of an HMAC.
#[test]
fn key_confusion() {
    let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let pkcs1 = pair.public_key().as_ref().to_vec();
    let x509: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let pem = |tag: &str, der: &[u8]| pem::encode(&pem::Pem::new(tag, der)).into_bytes();
    let verifier = any_claims(Key::der(Algorithm::RS256, x509.as_ref()));
    let forms = [
        pkcs1.clone(),
        x509.as_ref().to_vec(),
        pem("PUBLIC KEY", x509.as_ref()),
        pem("RSA PUBLIC KEY", &pkcs1),
        pem("PUBLIC KEY", x509.as_ref()).trim_ascii().to_vec(),
    ];
    for secret in forms {
        for (algorithm, hash) in [
            (Algorithm::HS256, hmac::HMAC_SHA256),
            (Algorithm::HS384, hmac::HMAC_SHA384),
            (Algorithm::HS512, hmac::HMAC_SHA512),
        ] {
            let header = base64url(json!({ "alg": algorithm.name() }).to_string().as_bytes());
            let message = format!("{header}.{}", base64url(br#"{"sub":"mallory"}"#));
            let signature = hmac::sign(&hmac::Key::new(hash, &secret), message.as_bytes());
            let token = format!("{message}.{}", base64url(signature.as_ref()));
            assert_eq!(verify(&verifier, &token).err(), Some(VerifyError::AlgorithmNotAllowed));
            // Nor can it be configured as a secret, by accident.
            assert!(Key::secret(algorithm, secret.as_slice()).prepare().is_err());
        }
    }
}

/// RFC 8725 §3.2: `none` is no algorithm, however it is spelt, with a signature or without.
#[test]
fn none() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let verifier = any_claims(key.verifying_key());
        let good = key.sign(&json!({ "sub": "alice" })).unwrap();
        let signature = good.rsplit('.').next().unwrap();
        for bits in 0..16_u8 {
            let name: String = "none"
                .chars()
                .enumerate()
                .map(|(index, c)| if bits & (1 << index) == 0 { c } else { c.to_ascii_uppercase() })
                .collect();
            let header = base64url(json!({ "alg": name }).to_string().as_bytes());
            let payload = base64url(br#"{"sub":"mallory"}"#);
            for signature in ["", signature] {
                let result = verify(&verifier, &format!("{header}.{payload}.{signature}"));
                assert_eq!(result.err(), Some(VerifyError::AlgorithmNotAllowed), "{name}");
            }
        }
    }
}

/// r or s of zero, of the group's order, of all ones, and signatures of another length or in DER.
#[test]
fn ecdsa_edge_values() {
    let order = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    for (algorithm, order) in [
        (Algorithm::ES256, order("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")),
        (
            Algorithm::ES384,
            order(
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            ),
        ),
        (
            Algorithm::ES512,
            order(
                "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
            ),
        ),
    ] {
        let key = key(algorithm);
        let verifier = any_claims(key.verifying_key());
        let good = key.sign(&json!({ "sub": "alice" })).unwrap();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let size = order.len();
        let (zero, ones) = (vec![0; size], vec![0xff; size]);
        let real = {
            use base64::Engine as _;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap()
        };
        assert_eq!(real.len(), 2 * size);
        let (r, s) = real.split_at(size);
        let mut bad: Vec<Vec<u8>> = Vec::new();
        for edge in [&zero, &order, &ones] {
            bad.push([edge, s].concat());
            bad.push([r, edge].concat());
            bad.push([edge.as_slice(), edge].concat());
        }
        bad.push(Vec::new());
        bad.push(r.to_vec());
        bad.push(real[..real.len() - 1].to_vec());
        bad.push([real.as_slice(), &[0]].concat());
        bad.push([&[0], real.as_slice()].concat());
        // The same numbers in DER, which is not JWS's form (RFC 7518 §3.4).
        let integer = |number: &[u8]| [&[2, u8::try_from(size + 1).unwrap(), 0], number].concat();
        let body = [integer(r), integer(s)].concat();
        bad.push([&[0x30, 0x81, u8::try_from(body.len()).unwrap()], body.as_slice()].concat());
        for signature in bad {
            let token = format!("{message}.{}", base64url(&signature));
            assert_eq!(verify(&verifier, &token).err(), Some(VerifyError::BadSignature), "{algorithm}");
        }
    }
}

/// A `kid` picks among the keys that have one, and nothing else.
#[test]
fn a_swapped_kid() {
    let (one, two) = (key(Algorithm::EdDSA).with_id("one"), key(Algorithm::EdDSA).with_id("two"));
    let issuer = super::TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience();
    let verifier = super::verifier(issuer.key(one.verifying_key()).key(two.verifying_key()));
    let claims = json!({ "sub": "alice" });
    assert!(verify(&verifier, &one.sign(&claims).unwrap()).is_ok());
    let swapped = one.clone().with_id("two").sign(&claims).unwrap();
    assert_eq!(verify(&verifier, &swapped).err(), Some(VerifyError::BadSignature));
    for id in ["three", "", "one\0", "ONE", "../one", "one' OR '1'='1"] {
        let unknown = one.clone().with_id(id).sign(&claims).unwrap();
        assert_eq!(verify(&verifier, &unknown).err(), Some(VerifyError::UnknownKey), "{id:?}");
    }
}
