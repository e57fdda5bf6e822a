//! Wycheproof's JSON Web Signatures and the examples of RFC 7520, RFC 8037 and RFC 7797, through the signature step.
//!
//! The vectors are not part of this repository. They are in the folder that `AUTH_VECTORS` names, or in `shared/vectors` beside the
//! repository.

use std::path::Path;

use serde_json::Value;

use super::super::jwt::signature_verifies;
use super::Key;

fn read(file: &str) -> Value {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = std::env::var_os("AUTH_VECTORS").unwrap_or_else(|| "../shared/vectors".into());
    let path = repository.join(folder).join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{} can't be read: {error}. Name the folder of the published vectors in AUTH_VECTORS, and run `bash tests/run`",
            path.display()
        )
    });
    serde_json::from_slice(&bytes).unwrap()
}

/// Whether `jws` passes the strict first step and its signature is of this JWK.
fn accepts(jwk: &Value, jws: &str) -> bool {
    signature_verifies(&Key::jwk(jwk.to_string()), jws)
}

/// A strict verifier disagrees with these labels, and with no other.
const OTHERWISE: &[(u64, &str)] = &[
    (367, "byte for byte the same as the valid 357, and labelled invalid"),
    (370, "byte for byte the same as the valid 357, and labelled invalid"),
    (372, "labelled valid, and holds a `?`"),
    (373, "labelled valid, and holds a `?`"),
    (346, "labelled valid, and the key says PS256 where the header says PS384"),
    (350, "labelled valid, and the key says PS256 where the header says PS384"),
    (347, "labelled valid, and the key's algorithm is ES521, which does not exist"),
    (351, "labelled valid, and the key's algorithm is ES521, which does not exist"),
];

#[test]
#[ignore = "needs the published vectors: bash tests/run"]
fn wycheproof() {
    let file = read("wycheproof_json_web_signature_test.json");
    let mut count = 0;
    let mut disagreements = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        let jwk = group.get("public").or(group.get("private")).unwrap();
        for test in group["tests"].as_array().unwrap() {
            count += 1;
            let accepted = test["jws"].as_str().is_some_and(|jws| accepts(jwk, jws));
            if accepted != (test["result"] == "valid") {
                disagreements.push(test["tcId"].as_u64().unwrap());
            }
        }
    }
    assert_eq!(count, 401);
    let mut expected: Vec<_> = OTHERWISE.iter().map(|(id, _)| *id).collect();
    expected.sort_unstable();
    disagreements.sort_unstable();
    assert_eq!(disagreements, expected);
}

/// The example's key without its private part, and its compact form.
fn cookbook(file: &str) -> (Value, String) {
    let example = read(&format!("rfc7520/{file}"));
    let mut jwk = example["input"]["key"].clone();
    if jwk["kty"] != "oct" {
        jwk.as_object_mut()
            .unwrap()
            .retain(|name, _| !matches!(name.as_str(), "d" | "p" | "q" | "dp" | "dq" | "qi"));
        // RFC 7520's keys name no algorithm, and the examples of RSA use two.
        jwk["alg"] = example["input"]["alg"].clone();
    }
    let protected = &example["signing"]["protected_b64u"];
    let signature = &example["signing"]["sig"];
    let compact = match &example["output"]["compact"] {
        Value::String(compact) => compact.clone(),
        _ => {
            let [protected, signature] = [protected, signature].map(|part| part.as_str().unwrap());
            format!("{protected}.{}.{signature}", super::base64url(b"$.02"))
        }
    };
    (jwk, compact)
}

#[test]
#[ignore = "needs the published vectors: bash tests/run"]
fn the_cookbook_of_rfc_7520_and_ed25519_of_rfc_8037() {
    for file in [
        "4_1.rsa_v15_signature.json",
        "4_2.rsa-pss_signature.json",
        "4_3.ecdsa_signature.json",
        "4_4.hmac-sha2_integrity_protection.json",
        "curve25519_jws.json",
    ] {
        let (jwk, compact) = cookbook(file);
        assert!(accepts(&jwk, &compact), "{file}");
        let (rest, signature) = compact.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        assert!(!accepts(&jwk, &format!("{rest}.{other}{}", &signature[1..])), "{file}, another signature");
    }
}

/// RFC 7797 §6: a verifier that does not understand `b64` must reject it.
#[test]
#[ignore = "needs the published vectors: bash tests/run"]
fn the_unencoded_payload_of_rfc_7797_is_refused() {
    let (jwk, compact) = cookbook("rfc7797_4.2.hmac-sha2_b64_false.json");
    assert!(!accepts(&jwk, &compact));
    let parts: Vec<_> = compact.split('.').collect();
    assert!(!accepts(&jwk, &format!("{}.$.02.{}", parts[0], parts[2])));
}
