use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use serde_json::json;

use super::*;

/// The encodings of the eight points of low order, canonical or not: the list of libsodium 1.0.20, `ge25519_has_small_order`, each
/// with both signs of x.
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn both_signs(mut y: Vec<u8>) -> [Vec<u8>; 2] {
    let positive = y.clone();
    y[31] |= 0x80;
    [positive, y]
}

fn low_order() -> Vec<Vec<u8>> {
    LOW_ORDER.into_iter().flat_map(|y| both_signs(hex(y))).collect()
}

/// An Ed25519 key in every format.
fn ed25519(x: &[u8]) -> Vec<(&'static str, Key)> {
    let mut keys = encoded(Algorithm::EdDSA, &info(&[ID_ED25519], x));
    keys.push(("JWK", Key::jwk(json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(x) }).to_string())));
    keys
}

fn assert_refused(x: &[u8], expected: &str) {
    for (format, key) in ed25519(x) {
        let reason = refusal(&key);
        assert!(reason.contains(expected), "{format} of {x:02x?}: {reason:?} does not contain {expected:?}");
    }
}

#[test]
fn ed25519_points_of_low_order_are_refused() {
    let encodings = low_order();
    for point in EIGHT_TORSION {
        assert!(encodings.contains(&point.compress().to_bytes().to_vec()), "{point:?}");
    }
    for x in &encodings {
        assert_refused(x, "Ed25519 key is");
        let canonical = EIGHT_TORSION.iter().any(|point| point.compress().as_bytes().as_slice() == x);
        if canonical {
            assert_refused(x, "a point of low order, for which everyone can sign");
        }
    }
    assert_eq!(encodings.len(), 14);
}

/// Why they are refused: aws-lc accepts this signature, which is made without a private key, for every message.
#[test]
fn a_signature_for_a_point_of_low_order_needs_no_private_key() {
    let identity = hex(LOW_ORDER[1]);
    let forged = [identity.as_slice(), &[0; 32]].concat();
    let key = ParsedPublicKey::new(&ED25519, &identity).unwrap();
    assert!(key.verify_sig(b"a message", &forged).is_ok() && key.verify_sig(b"another", &forged).is_ok());
}

/// RFC 8032 §5.1.3: y is less than p = 2^255 - 19, and x = 0 has no sign.
#[test]
fn ed25519_encodings_that_are_not_canonical_are_refused() {
    for above in 0..19 {
        let mut y = [0xff; 32];
        y[0] = 0xed + above;
        y[31] = 0x7f;
        for x in both_signs(y.to_vec()) {
            assert_refused(&x, "Ed25519 key is");
        }
    }
    for length in [0, 31, 33, 64] {
        assert_refused(&vec![9; length], "32 bytes");
    }
}

#[test]
fn ed25519_points_off_the_curve_or_of_mixed_order_are_refused() {
    let off_curve = (2..40_u8)
        .map(|y| {
            let mut x = [0; 32];
            x[0] = y;
            x
        })
        .filter(|x| CompressedEdwardsY(*x).decompress().is_none());
    let mut count = 0;
    for x in off_curve {
        assert_refused(&x, "not a point on the curve");
        count += 1;
    }
    assert!(count > 5);
    let jwk =
        SigningKey::generate(Algorithm::EdDSA).unwrap().verifying_key().prepare().unwrap().to_jwk().unwrap();
    let x = from_base64url(jwk["x"].as_str().unwrap());
    for (format, key) in ed25519(&x) {
        assert_eq!(refusal(&key), "", "{format}");
    }
    let point = CompressedEdwardsY::from_slice(&x).unwrap().decompress().unwrap();
    for torsion in EIGHT_TORSION.into_iter().skip(1) {
        assert_refused((point + torsion).compress().as_bytes(), "not in the group of prime order");
    }
}

struct Curve {
    algorithm: Algorithm,
    crv: &'static str,
    oid: &'static [u8],
    size: usize,
}

const CURVES: [Curve; 3] = [
    Curve { algorithm: Algorithm::ES256, crv: "P-256", oid: P256, size: 32 },
    Curve { algorithm: Algorithm::ES384, crv: "P-384", oid: P384, size: 48 },
    Curve { algorithm: Algorithm::ES512, crv: "P-521", oid: P521, size: 66 },
];

impl Curve {
    /// x and y of a new key.
    fn point(&self) -> Vec<u8> {
        let der = SigningKey::generate(self.algorithm).unwrap().verifying_key().prepare().unwrap();
        let jwk = der.to_jwk().unwrap();
        [&jwk["x"], &jwk["y"]].map(|coordinate| from_base64url(coordinate.as_str().unwrap())).concat()
    }

    fn info(&self, point: &[u8]) -> Vec<u8> {
        info(&[ID_ELLIPTIC, self.oid], point)
    }
}

#[test]
fn the_forms_of_a_point() {
    for curve in &CURVES {
        let point = curve.point();
        let (x, y) = point.split_at(curve.size);
        let odd = y.last().unwrap() % 2;
        let uncompressed = [&[4], x, y].concat();
        let compressed = [&[2 + odd], x].concat();
        let jwk = json!({ "kty": "EC", "crv": curve.crv, "x": base64url(x), "y": base64url(y) });
        let thumbprint = Key::jwk(jwk.to_string()).prepare().unwrap().thumbprint();
        assert!(thumbprint.is_some());
        for form in [&uncompressed, &compressed] {
            for (format, key) in encoded(curve.algorithm, &curve.info(form)) {
                assert_eq!(key.prepare().unwrap().thumbprint(), thumbprint, "{format}");
            }
        }
        let off_curve = [&[4], x, x].concat();
        let infinity_padded = vec![0; uncompressed.len()];
        for (form, expected) in [
            ([&[6 + odd], x, y].concat(), "hybrid form"),
            ([&[7 - odd], x, y].concat(), "hybrid form"),
            (vec![0], "no known form"),
            (infinity_padded, "no known form"),
            (vec![], "no known form"),
            (off_curve, "not a point on the curve"),
            ([uncompressed.as_slice(), &[0]].concat(), "not a point on the curve"),
            (uncompressed[..uncompressed.len() - 1].to_vec(), "not a point on the curve"),
            ([&[4], [0xff; 66].split_at(curve.size).0, y].concat(), "not a point on the curve"),
        ] {
            for (format, key) in encoded(curve.algorithm, &curve.info(&form)) {
                let reason = refusal(&key);
                assert!(reason.contains(expected), "{format} of {form:02x?}: {reason:?} lacks {expected:?}");
            }
        }
    }
}

#[test]
fn a_key_names_the_curve_of_its_algorithm() {
    for curve in &CURVES {
        let point = [&[4], curve.point().as_slice()].concat();
        let explicit = sequence(&[&integer(&[1]), curve.oid]);
        for (der, expected) in [
            (info(&[ID_ELLIPTIC, &explicit], &point), "writes out the parameters of its curve"),
            (info(&[ID_ELLIPTIC], &point), "names no curve"),
            (info(&[ID_ELLIPTIC, NULL], &point), "another curve"),
            (info(&[ID_ED25519], &point), "another kind"),
            (info(&[ID_RSA, NULL], &point), "another kind"),
            (point, "another kind"),
        ] {
            for (format, key) in encoded(curve.algorithm, &der) {
                let reason = refusal(&key);
                assert!(reason.contains(expected), "{format}: {reason:?} lacks {expected:?}");
            }
        }
        for other in CURVES.iter().filter(|other| other.crv != curve.crv) {
            let der = other.info(&[&[4], other.point().as_slice()].concat());
            for (_, key) in encoded(curve.algorithm, &der) {
                assert!(refusal(&key).contains("another curve"), "{}", refusal(&key));
            }
        }
    }
    let parameters = info(&[ID_ED25519, NULL], &[9; 32]);
    assert!(refusal(&Key::der(Algorithm::EdDSA, parameters)).contains("has no parameters"));
}
