//! Wycheproof's JSON Web Signatures and the examples of RFC 7520, RFC 8037 and RFC 7797, through the signature step.
//!
//! The vectors are not part of this repository: where its neighbour `shared` is missing, each test says so and passes.

use std::path::PathBuf;

use serde_json::Value;

use super::super::jwt::signature_verifies;
use super::Key;

fn read(file: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors").join(file);
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            println!("not run: there is no ../shared/vectors/{file} beside this checkout");
            None
        }
    }
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
fn wycheproof() {
    let Some(file) = read("wycheproof_json_web_signature_test.json") else { return };
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
fn cookbook(file: &str) -> Option<(Value, String)> {
    let example = read(&format!("rfc7520/{file}"))?;
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
        _ => format!("{}.{}.{}", protected.as_str()?, super::base64url(b"$.02"), signature.as_str()?),
    };
    Some((jwk, compact))
}

#[test]
fn the_cookbook_of_rfc_7520_and_ed25519_of_rfc_8037() {
    for file in [
        "4_1.rsa_v15_signature.json",
        "4_2.rsa-pss_signature.json",
        "4_3.ecdsa_signature.json",
        "4_4.hmac-sha2_integrity_protection.json",
        "curve25519_jws.json",
    ] {
        let Some((jwk, compact)) = cookbook(file) else { return };
        assert!(accepts(&jwk, &compact), "{file}");
        let (rest, signature) = compact.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        assert!(!accepts(&jwk, &format!("{rest}.{other}{}", &signature[1..])), "{file}, another signature");
    }
}

/// RFC 7797 §6: whoever does not understand `b64` must refuse it.
#[test]
fn the_unencoded_payload_of_rfc_7797_is_refused() {
    let Some((jwk, compact)) = cookbook("rfc7797_4.2.hmac-sha2_b64_false.json") else { return };
    assert!(!accepts(&jwk, &compact));
    let parts: Vec<_> = compact.split('.').collect();
    assert!(!accepts(&jwk, &format!("{}.$.02.{}", parts[0], parts[2])));
}
