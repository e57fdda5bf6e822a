//! The vectors of Wycheproof, through the import of keys in every format that they have and the signature step.
//!
//! Each label is satisfied, or the library is stricter for a reason that is listed with its count. An invalid vector is never accepted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Algorithm, Key, P256, P384, P521, PreparedKey, base64url, hex, info};

/// What came of the vectors of one kind.
#[derive(Default, Debug, PartialEq)]
struct Tally {
    valid: usize,
    invalid: usize,
    acceptable: usize,
    /// Vectors that are labeled acceptable and are accepted, by their flags.
    accepted: BTreeMap<String, usize>,
    /// Vectors that are labeled valid or acceptable and are refused, by reason.
    stricter: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// `reason` says why a vector that could be accepted must be refused.
    fn count(&mut self, test: &Value, accepted: bool, reason: Option<&'static str>) {
        match test["result"].as_str().unwrap() {
            "valid" => self.valid += 1,
            "acceptable" => self.acceptable += 1,
            "invalid" => {
                self.invalid += 1;
                assert!(!accepted, "invalid, and accepted: {test}");
                return;
            }
            other => panic!("an unknown label: {other}"),
        }
        if !accepted {
            let reason = reason.unwrap_or_else(|| panic!("refused without a listed reason: {test}"));
            *self.stricter.entry(reason).or_default() += 1;
        } else if test["result"] == "acceptable" {
            *self.accepted.entry(flags(test).join(" ")).or_default() += 1;
        }
    }
}

/// The number of vectors that are valid, invalid and acceptable; which acceptable ones are accepted; and which others are refused.
fn expected(run: [usize; 3], accepted: &[(&str, usize)], stricter: &[(&'static str, usize)]) -> Tally {
    let [valid, invalid, acceptable] = run;
    let accepted = accepted.iter().map(|(flags, count)| ((*flags).to_owned(), *count)).collect();
    Tally { valid, invalid, acceptable, accepted, stricter: stricter.iter().copied().collect() }
}

/// Calls back with each group and vector of a file.
fn vectors(json: &str, mut each: impl FnMut(&Value, &[Value])) {
    let file: Value = serde_json::from_str(json).unwrap();
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let tests = group["tests"].as_array().unwrap();
        count += tests.len();
        each(group, tests);
    }
    assert_eq!(file["numberOfTests"], count);
}

fn bytes(value: &Value) -> Vec<u8> {
    hex(value.as_str().unwrap())
}

/// The key, if it can be used with the algorithm. All its formats must say the same.
fn import(algorithm: Algorithm, formats: Vec<Key>) -> Option<PreparedKey> {
    let mut keys: Vec<_> = formats.iter().map(|key| key.prepare().ok()).collect();
    let thumbprints: Vec<_> =
        keys.iter().map(|key| key.as_ref().map(|key| key.thumbprint().unwrap())).collect();
    assert!(
        thumbprints.windows(2).all(|pair| pair[0] == pair[1]),
        "{algorithm}: {formats:?} {thumbprints:?}"
    );
    keys.pop().flatten()
}

/// The formats in which a group has its key.
fn formats(algorithm: Algorithm, group: &Value, jwk: &str) -> Vec<Key> {
    let mut keys = vec![
        Key::pem(algorithm, group["publicKeyPem"].as_str().unwrap()),
        Key::der(algorithm, bytes(&group["publicKeyDer"])),
    ];
    // PKCS #1 has no place for the parameters of a key.
    if let Some(asn) = group.get("publicKeyAsn").filter(|_| group["type"] != "RsassaPssWithParametersVerify")
    {
        keys.push(Key::der(algorithm, bytes(asn)));
    }
    if let Some(jwk) = group.get(jwk).filter(|jwk| !jwk.is_null()) {
        let mut jwk = jwk.clone();
        jwk["alg"] = algorithm.name().into();
        keys.push(Key::jwk(jwk.to_string()));
    }
    keys
}

/// The group's key for each algorithm that takes it.
fn keys(group: &Value, jwk: &str, algorithms: &[Algorithm]) -> Vec<PreparedKey> {
    algorithms.iter().filter_map(|&algorithm| import(algorithm, formats(algorithm, group, jwk))).collect()
}

/// Whether the key for the group's algorithm accepts the signature. The same key for another algorithm must refuse it, unless the
/// vector is made for another one.
fn verify(algorithm: Option<Algorithm>, keys: &[PreparedKey], test: &Value) -> bool {
    let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
    let (of_group, others): (Vec<_>, Vec<_>) = keys.iter().partition(|key| Some(key.algorithm) == algorithm);
    let accepts = |keys: &[&PreparedKey]| keys.iter().any(|key| key.verifies(&message, &signature));
    let for_another = flags(test).iter().any(|flag| ["WrongHash", "WrongPrimitive"].contains(flag))
        || test["comment"].as_str().unwrap().starts_with("s_len changed to ");
    assert!(for_another || !accepts(&others), "accepted for another algorithm: {test}");
    accepts(&of_group)
}

fn flags(test: &Value) -> Vec<&str> {
    test["flags"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// The algorithm of a curve, and its hash (RFC 7518 §3.4).
fn of_curve(curve: &str) -> Option<(Algorithm, &'static str)> {
    match curve {
        "secp256r1" => Some((Algorithm::ES256, "SHA-256")),
        "secp384r1" => Some((Algorithm::ES384, "SHA-384")),
        "secp521r1" => Some((Algorithm::ES512, "SHA-512")),
        _ => None,
    }
}

#[test]
fn ecdsa() {
    use wycheproof::ecdsa::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        vectors(name.json_data(), |group, tests| {
            let keys = keys(group, "publicKeyJwk", &[Algorithm::ES256, Algorithm::ES384, Algorithm::ES512]);
            let algorithm = of_curve(group["publicKey"]["curve"].as_str().unwrap());
            assert_eq!(keys.len(), usize::from(algorithm.is_some()), "{group}");
            let reason = match (algorithm, group["type"].as_str().unwrap()) {
                (None, _) => Some("the curve has no algorithm"),
                (Some((_, hash)), _) if group["sha"] != hash => Some("the hash is not that of the curve"),
                (_, "EcdsaP1363Verify") => None,
                _ => Some("the signature is in DER"),
            };
            for test in tests {
                tally.count(test, verify(algorithm.map(|(algorithm, _)| algorithm), &keys, test), reason);
            }
        });
    }
    let stricter = [
        ("the curve has no algorithm", 9064),
        ("the hash is not that of the curve", 3475),
        ("the signature is in DER", 600),
    ];
    assert_eq!(tally, expected([13_736, 16_167, 0], &[], &stricter));
}

#[test]
fn eddsa() {
    use wycheproof::eddsa::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        vectors(name.json_data(), |group, tests| {
            let keys = keys(group, "publicKeyJwk", &[Algorithm::EdDSA]);
            let curve = group["publicKey"]["curve"].as_str().unwrap();
            assert_eq!(keys.len(), usize::from(curve == "edwards25519"), "{group}");
            let reason = (curve == "edwards448").then_some("Ed448 is not supported");
            for test in tests {
                tally.count(test, verify(Some(Algorithm::EdDSA), &keys, test), reason);
            }
        });
    }
    assert_eq!(tally, expected([105, 133, 0], &[], &[("Ed448 is not supported", 17)]));
}

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

#[test]
fn rsa_pkcs1() {
    use wycheproof::rsa_pkcs1_verify::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        vectors(name.json_data(), |group, tests| {
            let keys = keys(group, "keyJwk", &RSA);
            let algorithm = match group["sha"].as_str().unwrap() {
                "SHA-256" => Some(Algorithm::RS256),
                "SHA-384" => Some(Algorithm::RS384),
                "SHA-512" => Some(Algorithm::RS512),
                _ => None,
            };
            for test in tests {
                let reason = match algorithm {
                    None => Some("the hash has no algorithm"),
                    Some(_) if flags(test).contains(&"MissingNull") => {
                        Some("the hash has no parameters in the padding (RFC 8017 §9.2)")
                    }
                    Some(_) => None,
                };
                tally.count(test, verify(algorithm, &keys, test), reason);
            }
        });
    }
    let stricter = [
        ("the hash has no algorithm", 96),
        ("the hash has no parameters in the padding (RFC 8017 §9.2)", 12),
    ];
    assert_eq!(tally, expected([173, 6005, 24], &[], &stricter));
}

#[test]
fn rsa_pss() {
    use wycheproof::rsa_pss_verify::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        vectors(name.json_data(), |group, tests| {
            let keys = keys(group, "publicKeyJwk", &RSA);
            let hash = group["sha"].as_str().unwrap();
            let (algorithm, reason) = match (hash, group["sLen"].as_u64().unwrap()) {
                ("SHA-256" | "SHA-384" | "SHA-512", _) if group["mgfSha"] != hash => {
                    (None, Some("the hash of MGF1 is another"))
                }
                ("SHA-256", 32) => (Some(Algorithm::PS256), None),
                ("SHA-384", 48) => (Some(Algorithm::PS384), None),
                ("SHA-512", 64) => (Some(Algorithm::PS512), None),
                ("SHA-256" | "SHA-384" | "SHA-512", _) => (None, Some("the salt is not as long as the hash")),
                _ => (None, Some("the hash has no algorithm")),
            };
            for test in tests {
                tally.count(test, verify(algorithm, &keys, test), reason);
            }
        });
    }
    let stricter = [
        ("the hash has no algorithm", 878),
        ("the salt is not as long as the hash", 416),
        ("the hash of MGF1 is another", 339),
    ];
    assert_eq!(tally, expected([2408, 1089, 0], &[], &stricter));
}

#[test]
fn mac() {
    use wycheproof::mac::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        let algorithm = match name {
            TestName::HmacSha256 => Some((Algorithm::HS256, 256)),
            TestName::HmacSha384 => Some((Algorithm::HS384, 384)),
            TestName::HmacSha512 => Some((Algorithm::HS512, 512)),
            _ => None,
        };
        vectors(name.json_data(), |group, tests| {
            let reason = match algorithm {
                None => Some("the MAC has no algorithm"),
                Some((_, bits)) if group["keySize"].as_u64() < Some(bits) => {
                    Some("the secret is shorter than the hash")
                }
                Some((_, bits)) if group["tagSize"] != bits => Some("the tag is truncated"),
                Some(_) => None,
            };
            for test in tests {
                let secret = bytes(&test["key"]);
                let accepted = Algorithm::ALL.iter().filter(|algorithm| algorithm.takes_secret()).any(|&algorithm| {
                    let jwk = serde_json::json!({ "kty": "oct", "k": base64url(&secret), "alg": algorithm.name() });
                    let keys = [Key::secret(algorithm, secret.as_slice()), Key::jwk(jwk.to_string())]
                        .map(|key| key.prepare().ok());
                    let [secret, jwk] = keys.map(|key| {
                        key.is_some_and(|key| key.verifies(&bytes(&test["msg"]), &bytes(&test["tag"])))
                    });
                    assert_eq!(secret, jwk);
                    secret
                });
                tally.count(test, accepted, reason);
            }
        });
    }
    let stricter = [
        ("the MAC has no algorithm", 1148),
        ("the secret is shorter than the hash", 18),
        ("the tag is truncated", 90),
    ];
    assert_eq!(tally, expected([1346, 2302, 0], &[], &stricter));
}

/// A point without an encoding is given the encodings of a public key on its curve.
fn ecdh_formats(algorithm: Algorithm, name: &str, encoding: &str, public: &[u8]) -> Vec<Key> {
    if encoding == "asn" {
        return vec![Key::der(algorithm, public), Key::pem(algorithm, super::pem("PUBLIC KEY", public))];
    }
    let (oid, crv) = match name {
        "secp256r1" => (P256, "P-256"),
        "secp384r1" => (P384, "P-384"),
        "secp521r1" => (P521, "P-521"),
        _ => (super::NULL, ""),
    };
    let mut keys = vec![Key::der(algorithm, info(&[super::ID_ELLIPTIC, oid], public))];
    if let Some((4, coordinates)) = public.split_first().map(|(first, rest)| (*first, rest)) {
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        let jwk = serde_json::json!({
            "kty": "EC", "crv": crv, "alg": algorithm.name(), "x": base64url(x), "y": base64url(y),
        });
        keys.push(Key::jwk(jwk.to_string()));
    }
    keys
}

/// Of a key agreement, the public keys alone concern a verifier.
#[test]
fn public_keys_of_ecdh() {
    use wycheproof::ecdh::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        vectors(name.json_data(), |group, tests| {
            let (curve, encoding) = (group["curve"].as_str().unwrap(), group["encoding"].as_str().unwrap());
            let algorithm = of_curve(curve).map(|(algorithm, _)| algorithm);
            for test in tests {
                let public = bytes(&test["public"]);
                let accepted = algorithm.is_some_and(|algorithm| {
                    import(algorithm, ecdh_formats(algorithm, curve, encoding, &public)).is_some()
                });
                let reason = match algorithm {
                    None => Some("the curve has no algorithm"),
                    Some(_) if flags(test).contains(&"InvalidAsn") => Some("the encoding is not DER"),
                    Some(_) if flags(test).contains(&"UnnamedCurve") => {
                        Some("the parameters of the curve are written out")
                    }
                    Some(_) => None,
                };
                tally.count(test, accepted, reason);
            }
        });
    }
    let stricter = [
        ("the curve has no algorithm", 5617),
        ("the encoding is not DER", 664),
        ("the parameters of the curve are written out", 21),
    ];
    assert_eq!(tally, expected([7474, 623, 2300], &[("CompressedPublic CompressedPoint", 6)], &stricter));
}
