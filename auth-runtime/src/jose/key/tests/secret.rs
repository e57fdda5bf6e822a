use super::*;

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Why the secret is refused, by what signs with it and by what verifies with it alike.
fn secret_refusal(algorithm: Algorithm, secret: &[u8]) -> String {
    let signing =
        SigningKey::secret(algorithm, secret).err().map_or(String::new(), |error| error.to_string());
    assert_eq!(signing, refusal(&Key::secret(algorithm, secret)));
    let jwk = serde_json::json!({ "kty": "oct", "alg": algorithm.name(), "k": base64url(secret) });
    assert_eq!(signing, refusal(&Key::jwk(jwk.to_string())));
    signing
}

/// RFC 7518 §3.2.
#[test]
fn a_secret_is_as_long_as_the_hash() {
    for (algorithm, bytes) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        for length in [0, 1, 15, bytes - 1] {
            let reason = secret_refusal(algorithm, &vec![7; length]);
            assert!(
                reason.contains(&format!("has {length} bytes, and {algorithm} needs at least {bytes}")),
                "{reason}"
            );
        }
        assert_eq!(secret_refusal(algorithm, &vec![7; bytes]), "");
    }
}

/// RFC 8725 §2.1: a public key must not become the secret of an HMAC.
#[test]
fn a_key_of_another_kind_is_no_secret() {
    let private = SigningKey::generate_pem(Algorithm::ES256).unwrap();
    let public = info(&[ID_ED25519], &[9; 32]);
    let pem = pem("PUBLIC KEY", &public);
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        let order = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(order).collect()
    };
    let pkcs1 = sequence(&[&integer(&[0xc1; 256]), &integer(&[1, 0, 1])]);
    // What is signed, the algorithm, and the signature as a bit string.
    let signature = [&[3, 65, 0][..], &[9; 64]].concat();
    let certificate =
        sequence(&[&sequence(&[&integer(&[1]), &public]), &sequence(&[ID_ED25519]), &signature]);
    for (secret, expected) in [
        (pem.clone().into_bytes(), "is a PEM,"),
        (private.into_bytes(), "is a PEM,"),
        (format!(" \r\n\t{pem}").into_bytes(), "is a PEM,"),
        (format!("\u{feff}{pem}").into_bytes(), "is a PEM,"),
        (format!("\u{feff}\n{pem}").into_bytes(), "is a PEM,"),
        (utf16(&pem, true), "is a PEM,"),
        (utf16(&pem, false), "is a PEM,"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB".to_vec(), "is a PEM,"),
        (b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA".to_vec(), "is a PEM,"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI".to_vec(), "is a key of SSH"),
        (b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTI".to_vec(), "is a key of SSH"),
        (br#" {"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_vec(), "is a JWK"),
        (br#"{"keys":[{"kty":"OKP","crv":"Ed25519"}]}"#.to_vec(), "is a JWK"),
        (public.clone(), "is a public key or a certificate in DER"),
        (certificate.clone(), "is a public key or a certificate in DER"),
        (base64(&certificate).into_bytes(), "is a public key or a certificate in base64"),
        (pkcs1.clone(), "is a public key or a certificate in DER"),
        (base64(&public).into_bytes(), "is a public key or a certificate in base64"),
        (
            format!("{}\n{}\n", &base64(&pkcs1)[..64], &base64(&pkcs1)[64..]).into_bytes(),
            "is a public key or a certificate in base64",
        ),
        (base64(pem.as_bytes()).into_bytes(), "is a PEM in base64"),
        // What is wrong is the kind, also when it is too short.
        (b"-----BEGIN ".to_vec(), "is a PEM,"),
    ] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let reason = secret_refusal(algorithm, &secret);
            assert!(reason.contains(expected), "{secret:02x?}: {reason:?} lacks {expected:?}");
        }
    }
    let long = "a passphrase of more than sixty-four bytes: correct horse battery staple";
    for secret in [
        long.to_owned(),
        format!("{long}{pem}"),
        format!("{{{long}}}"),
        format!(r#"{{"passphrase":"{long}"}}"#),
        base64(long.as_bytes()),
        "-".repeat(64),
        "0".repeat(64),
    ] {
        assert_eq!(secret_refusal(Algorithm::HS512, secret.as_bytes()), "", "{secret}");
    }
}

#[test]
fn random_bytes_are_a_secret() {
    use proptest::prelude::*;
    auth_tests_random::runner(2_000)
        .run(&prop::collection::vec(any::<u8>(), 64..80), |secret| {
            prop_assert_eq!(secret_refusal(Algorithm::HS512, &secret), "");
            prop_assert_eq!(secret_refusal(Algorithm::HS256, base64(&secret).as_bytes()), "");
            Ok(())
        })
        .unwrap();
}
