use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as P256_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::*;

/// SEC 1 with the name of the curve, as `openssl ec` writes it.
fn sec1() -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(&P256_SIGNING).unwrap();
    let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    let der = der.as_ref().to_vec();
    assert!(der.windows(P256.len()).any(|window| window == P256));
    der
}

fn pkcs8(algorithm: Algorithm) -> String {
    SigningKey::generate_pem(algorithm).unwrap()
}

fn der_of(pem: &str) -> Vec<u8> {
    ::pem::parse(pem).unwrap().into_contents()
}

/// Why the private key is refused, by what signs with it and by what verifies with it alike.
fn private_refusal(algorithm: Algorithm, text: &str) -> String {
    let signing = SigningKey::pem(algorithm, text.as_bytes());
    let verifying = Key::pem(algorithm, text).dangerously_allow_private_parts();
    match (signing, refusal(&verifying).as_str()) {
        (Ok(signing), "") => {
            let (signing, verifying) =
                (signing.verifying_key().prepare().unwrap(), verifying.prepare().unwrap());
            assert_eq!(signing.thumbprint(), verifying.thumbprint());
            String::new()
        }
        (Err(error), reason) => {
            let prefix = format!("this is not a private key for {algorithm}: ");
            let why = reason.strip_prefix(&prefix).unwrap_or(reason);
            assert!(error.to_string().contains(why), "{error} does not contain {why}");
            reason.to_owned()
        }
        (Ok(_), reason) => panic!("signs with what is refused to verify: {reason}"),
    }
}

#[test]
fn the_forms_of_a_private_key() {
    let sec1 = sec1();
    let ec = pem("EC PRIVATE KEY", &sec1);
    let parameters = pem("EC PARAMETERS", P256);
    let as_openssl_writes_it = format!("{parameters}{ec}");
    for text in [&ec, &as_openssl_writes_it] {
        assert_eq!(private_refusal(Algorithm::ES256, text), "");
        assert!(refusal(&Key::pem(Algorithm::ES256, text.as_str())).contains("this is the private key"));
        assert!(!private_refusal(Algorithm::ES384, text).is_empty());
        assert!(!private_refusal(Algorithm::EdDSA, text).is_empty());
        assert!(!private_refusal(Algorithm::RS256, text).is_empty());
    }
    let token = SigningKey::pem(Algorithm::ES256, ec.as_bytes()).unwrap().sign(&json!({})).unwrap();
    let key = Key::pem(Algorithm::ES256, ec).dangerously_allow_private_parts();
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert!(key.prepare().unwrap().verifies(message.as_bytes(), &from_base64url(signature)));
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS512,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::ES512,
        Algorithm::EdDSA,
    ] {
        let text = pkcs8(algorithm);
        assert_eq!(private_refusal(algorithm, &text), "", "{algorithm}");
        let der = Key::der(algorithm, der_of(&text)).dangerously_allow_private_parts();
        assert!(refusal(&der).contains("this is the private key"), "{algorithm}: {}", refusal(&der));
    }
}

#[test]
fn a_private_key_is_der_alone_and_names_its_curve() {
    let sec1 = sec1();
    let behind = |der: &[u8]| [der, &[0]].concat();
    let explicit = sequence(&[&integer(&[1]), P256]);
    // The version and the private number in front, the public key behind.
    let with_curve = |parameters: &[u8]| {
        let at = sec1.windows(P256.len()).position(|window| window == P256).unwrap() - 2;
        let (head, tail) = (&sec1[2..at], &sec1[at + 2 + P256.len()..]);
        sequence(&[head, parameters, tail])
    };
    for (content, expected) in [
        (with_curve(&element(0xa0, P256)), ""),
        (with_curve(&[]), ""),
        (behind(&sec1), "bytes behind its end"),
        (with_curve(&element(0xa0, &explicit)), "writes out the parameters of its curve"),
        (with_curve(&element(0xa0, P384)), "another curve"),
        (with_curve(&element(0xa0, NULL)), "another curve"),
    ] {
        let reason = private_refusal(Algorithm::ES256, &pem("EC PRIVATE KEY", &content));
        assert!(
            reason.contains(expected) && reason.is_empty() == expected.is_empty(),
            "{reason:?}: {expected:?}"
        );
        let pkcs8 = |identifier: &[&[u8]]| {
            let key = sequence(&[&integer(&[0]), &sequence(identifier), &element(4, &content)]);
            private_refusal(Algorithm::ES256, &pem("PRIVATE KEY", &key))
        };
        // Without the sign byte, 0 is `02 01 00` all the same.
        let inner = pkcs8(&[ID_ELLIPTIC, P256]);
        assert!(
            inner.contains(expected) && inner.is_empty() == expected.is_empty(),
            "{inner:?}: {expected:?}"
        );
        assert!(pkcs8(&[ID_ELLIPTIC, &explicit]).contains("writes out the parameters"));
        assert!(pkcs8(&[ID_ELLIPTIC, P384]).contains("another curve"));
        assert!(pkcs8(&[ID_ELLIPTIC]).contains("names no curve"));
    }
    let mut wrong_public = sec1.clone();
    let last = wrong_public.len() - 1;
    wrong_public[last] ^= 1;
    assert!(!private_refusal(Algorithm::ES256, &pem("EC PRIVATE KEY", &wrong_public)).is_empty());
    for algorithm in [Algorithm::RS256, Algorithm::ES384, Algorithm::EdDSA] {
        let der = der_of(&pkcs8(algorithm));
        let reason = private_refusal(algorithm, &pem("PRIVATE KEY", &behind(&der)));
        assert!(reason.contains("bytes behind its end"), "{algorithm}: {reason}");
    }
}

/// A reader that takes the first block and one that takes the last must not have different keys.
#[test]
fn a_pem_has_one_key() {
    let ec = pem("EC PRIVATE KEY", &sec1());
    let parameters = |oid: &[u8]| pem("EC PARAMETERS", oid);
    let other = pkcs8(Algorithm::ES256);
    let own = parameters(P256);
    let explicit = parameters(&sequence(&[&integer(&[1]), P256]));
    let headers = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n";
    for (text, expected) in [
        (format!("{ec}{other}"), "2 blocks"),
        (format!("{other}{ec}"), "2 blocks"),
        (format!("{ec}{own}"), "2 blocks"),
        (format!("{own}{own}{ec}"), "3 blocks"),
        (format!("{own}{ec}{other}"), "3 blocks"),
        (format!("{ec}-----BEGIN EC PRIVATE KEY-----\n"), "2 blocks"),
        (format!("{ec}{}", pem("CERTIFICATE", b"x")), "2 blocks"),
        (format!("{}{ec}", parameters(P384)), "do not fit ES256: it is on another curve"),
        (format!("{explicit}{ec}"), "do not fit ES256: it writes out the parameters"),
        (format!("{}{ec}", parameters(&[P256, &[0]].concat())), "do not fit ES256: there are bytes behind"),
        (own.clone(), "no private key"),
        (headers.into(), "encrypted with a password"),
        (pem("ENCRYPTED PRIVATE KEY", b"x"), "encrypted with a password"),
        (pem("CERTIFICATE", b"x"), "this is a certificate"),
        (ec.replace("END EC", "END RSA"), "not a PEM"),
        (String::new(), "not a PEM"),
    ] {
        let reason = SigningKey::pem(Algorithm::ES256, text.as_bytes()).unwrap_err().to_string();
        assert!(reason.contains(expected), "{text}: {reason:?} lacks {expected:?}");
        let key = Key::pem(Algorithm::ES256, text.as_str()).dangerously_allow_private_parts();
        assert!(!refusal(&key).is_empty(), "{text}");
    }
    let jwk = SigningKey::pem(Algorithm::ES256, ec.as_bytes())
        .unwrap()
        .verifying_key()
        .prepare()
        .unwrap()
        .to_jwk()
        .unwrap();
    let point = [
        &[4],
        from_base64url(jwk["x"].as_str().unwrap()).as_slice(),
        &from_base64url(jwk["y"].as_str().unwrap()),
    ]
    .concat();
    let public = pem("PUBLIC KEY", &info(&[ID_ELLIPTIC, P256], &point));
    for (text, expected) in [
        (public.clone(), ""),
        (format!("Some words in front.\n\n{public}and behind\n"), ""),
        (public.replace('\n', "\r\n"), ""),
        (format!("{own}{public}"), ""),
        (format!("{}{public}", parameters(P521)), "do not fit ES256"),
        (format!("{public}{public}"), "2 blocks"),
        (format!("{public}{ec}"), "2 blocks"),
        (format!("{ec}{public}"), "2 blocks"),
        (format!("{public}-----BEGIN PUBLIC KEY-----"), "2 blocks"),
        (own, "a PEM of the kind `EC PARAMETERS` contains no public key"),
    ] {
        let reason = refusal(&Key::pem(Algorithm::ES256, text.as_str()));
        assert!(reason.contains(expected) && reason.is_empty() == expected.is_empty(), "{text}: {reason:?}");
    }
}
