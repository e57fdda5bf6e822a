use serde_json::{Value, json};

use super::super::rsa::has_roca_fingerprint;
use super::*;

/// 65537.
const F4: &[u8] = &[1, 0, 1];

/// The modulus of a new key.
fn modulus() -> Vec<u8> {
    use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
    let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let super::super::der::PublicNumbers::Rsa { n, .. } =
        super::super::der::rsa_public_key(pair.public_key().as_ref()).unwrap()
    else {
        panic!()
    };
    n.to_vec()
}

fn pkcs1(n: &[u8], e: &[u8]) -> Vec<u8> {
    sequence(&[&integer(n), &integer(e)])
}

/// A key in every format.
fn formats(n: &[u8], e: &[u8]) -> Vec<(&'static str, Key)> {
    let pkcs1 = pkcs1(n, e);
    let mut keys = encoded(Algorithm::RS256, &info(&[ID_RSA, NULL], &pkcs1));
    keys.push(("PKCS #1 in PEM", Key::pem(Algorithm::RS256, pem("RSA PUBLIC KEY", &pkcs1))));
    keys.push(("PKCS #1 in DER", Key::der(Algorithm::RS256, pkcs1)));
    keys.push(("JWK", Key::jwk(json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) }).to_string())));
    keys
}

/// The number times a small one.
fn times(number: &[u8], factor: u32) -> Vec<u8> {
    let mut carry = 0;
    let mut product: Vec<u8> = number
        .iter()
        .rev()
        .map(|byte| {
            carry += u32::from(*byte) * factor;
            let low = carry as u8;
            carry >>= 8;
            low
        })
        .collect();
    while carry > 0 {
        product.push(carry as u8);
        carry >>= 8;
    }
    product.reverse();
    product
}

#[test]
fn numbers_that_are_refused() {
    let n = modulus();
    let even = [&n[..255], &[n[255] - 1]].concat();
    let small = [&n[..127], &[1]].concat();
    let large = [&[0x80], [0; 1024].as_slice(), &[1]].concat();
    let cases: Vec<(&[u8], &[u8], &str)> = vec![
        (&n, F4, ""),
        (&n, &[3], ""),
        // 33 bits
        (&n, &[1, 0, 0, 0, 1], ""),
        (&n, &[2, 0, 0, 0, 1], "34 bits, and the maximum is 33"),
        (&n, &[0x80, 0, 0, 0, 0, 0, 0, 1], "64 bits, and the maximum is 33"),
        (&n, &n, "2048 bits, and the maximum is 33"),
        (&n, &[1], "exponent is 1 or even"),
        (&n, &[2], "exponent is 1 or even"),
        (&n, &[1, 0, 0], "exponent is 1 or even"),
        (&n, &[0], "exponent is 1 or even"),
        (&even, F4, "modulus is even"),
        (&small, F4, "1024 bits, and the minimum is 2048"),
        (&large, F4, "8208 bits, and the maximum is 8192"),
    ];
    for (n, e, expected) in cases {
        for (format, key) in formats(n, e) {
            let reason = refusal(&key);
            assert!(
                if expected.is_empty() { reason.is_empty() } else { reason.contains(expected) },
                "{format} with e = {e:02x?}: {reason:?} does not contain {expected:?}"
            );
        }
    }
    for factor in [3, 5, 251, 743, 751] {
        for (format, key) in formats(&times(&n, factor), F4) {
            assert!(refusal(&key).contains("small factor"), "{format}: {factor}");
        }
    }
}

/// Keys that the vulnerable library made: `mod03.txt`, `mod09.txt` and `pubkey03.pem` of `crocs-muni/roca`, the tests of the detector
/// that the discoverers published.
const ROCA: [&str; 3] = [
    "9dcd7420e420c270a68060eb8b5aa7457a9f6648f86fafed2775cc1f79ae962f1e63f1b9e51c55f9ea6fdc7332e9b0058c9ff2eb1fc898\
     55029cf6aafe21e689feb38ac9ffb12f1ce371bb5d0e9aae64161abce74b4244bf68f1edb4411f756a097c8929c14740245ea355f8332d\
     1aa36bb50c7dcb4505da8de02e4e53d38f8df06097da7524df0df93db48eac8cc4af2d3a16257eb2b2adca6ba464e5974fa92550d31b1b\
     abf161e7692d00b86e3dd886ecab4abfbe1a8f8cc263ff4af55cdb45f4249a5193925f5e983d762f0b6800943eb0267b08f42ed311ce1f\
     5c86eacbc8ce4d3cb7a2fee1ef5641423a1cf4114e5ecf50034a60a412523af9e6f4aa11",
    "c39a928060db513091b604eadad719ed94e246de8fe15fb76efab5cfabbc3fc5486fe2ef2a5a5a8472f0c5be089edec071fb284df4467f\
     a1fa6c8f0b013d3173fe636744666289bf67b5c998c87b59015d94bb9c20d30a70cfe275e42fd3c6f44d4c5252f9c6b6803f92afd92815\
     3bdb90ef08ede934c076f33543f9a1c362130929b9a1324c5ebee6831c251c48a7dee24d75ac538ce9a58d7ff09c12a5d772b6c33f4265\
     a4e4830bd73ad221d24d4d3f092e24279c15fc1d10ca69561f4f071313c86b11ab36a5dd28df392f581834eecfdc9e183a466198e33cf0\
     1d273bd41d4b7e288cc66f24eba04676bd2090f6f73830336a317bc2d423b558b9d8f632e12af7b0e7fc9bdb69282e81fdf41a68cf4e85\
     f01fc343dfe52a3ad01f67459d380165159e1209ef1ce4ecd26648e061faf0896551f7f1f92d6b6a19af0ab7f1f092d7e168bcec0ee478\
     b8618489a8967a71e5e0a5c197662d8e9756f090a177109d4a34ae20a18c5629efea5ca66623960fc325f779cdae891a7ec051f00e837b\
     8f2fb9fd19f6a35832ca0e5ce8375972c42a308f7d5ca0434022c131874087e826ed737994e46fbe44f5f1e908934f6033e6851ebd0544\
     7dddbaa51c0671849cafd3a503cdc150101914edf33b140c168c3dbea4791e74ea619ab1b31c90691de1d425b746b222a2b26ed54222cb\
     caf27a054f9f66f77be6466198c33e37dd",
    "01a9c5a687db8fb2a30f82dff8dda154c291ef27b04b25e185b8ab20c4c6a5f604859fe59ede54a0af7c0e7288800ad7193bb731a5bf1e\
     1170d7a1c66930d41ea3eb21dedf7b8af5d42a91c34f72045b96efd57cb182301ddcc26967e5508e9ab889986d57e837dfe70f99fc37c4\
     98f43c17c3b9b064cf704443d7a033e03a821697aabf30fb29ee7d33b3767965a89058e3b39754bd3a1c007d28a23b0cfa79f9d711ac6e\
     4c4b4f77b0634b1ecd68591af03c7d53b62a5f2d91163d4ef4f8f26831ae461ed85ec5f788c5123ffc12c87420fdcfea1d1b4a52c35218\
     24fb3998348739b62a986d8e76b2289bc2eb8bc06d138147851b83a07183d210559f906321",
];

/// `test_fake_mods` there: powers modulo every prime, with exponents that contradict each other.
const NOT_ROCA: [&str; 2] = [
    "671f033425b5ae00140c5b04dbcaeada430ae348cf3bf18d6ec4621ea824c52dd2b0ac85762b28a5d39ff23da73d4fcb241bf97b696e40\
     3eca234e05db9fe9ace2da265887c7b2ac7f9e7ed5bf6d919d43286776cf57c07d3411e15f729fa6e563858059334d072638d9dfbfc4f3\
     2474b6c6071092f5a961a7271f3209b37d9d",
    "c502de5c89ed9ee651a3c60e9519647031ed16d8597ae653bbc88706c3648edf38c2446205ea4cd33b10813bae1d7f5e86cbeedcdb9e14\
     e616ee775040288731f24624f63aafcf788aa80b54edb41cf0dd38731297ef2bc61144c8410b625bfa36d9d4c6cfad7f647505dd7343f3\
     209ed8a22209cc18bc2501d913b9f5b0753d",
];

#[test]
fn keys_with_the_roca_weakness_are_refused() {
    for n in ROCA.map(hex) {
        for (format, key) in formats(&n, F4) {
            assert!(refusal(&key).contains("CVE-2017-15361"), "{format}: {}", refusal(&key));
        }
    }
    let mut power = vec![1];
    for exponent in 0..130 {
        assert!(has_roca_fingerprint(&power), "65537^{exponent}");
        assert!(!has_roca_fingerprint(&times(&power, 173 * 179)), "65537^{exponent} · 173 · 179");
        power = times(&power, 65_537);
    }
    for n in NOT_ROCA.map(hex) {
        assert!(!has_roca_fingerprint(&n));
    }
    for _ in 0..4 {
        assert!(!has_roca_fingerprint(&modulus()));
    }
}

#[test]
fn the_encoding_is_der() {
    let n = modulus();
    let key = pkcs1(&n, F4);
    let whole = info(&[ID_RSA, NULL], &key);
    let behind = |der: &[u8]| [der, &[0]].concat();
    let negative = sequence(&[&element(2, &n), &integer(F4)]);
    let padded = sequence(&[&element(2, &[&[0, 0], n.as_slice()].concat()), &integer(F4)]);
    let three = sequence(&[&integer(&n), &integer(F4), &integer(F4)]);
    for (der, expected) in [
        (behind(&whole), "bytes behind its end"),
        (info(&[ID_RSA, NULL], &behind(&key)), "bytes behind its end"),
        (sequence(&[&sequence(&[ID_RSA, NULL]), &bits(&key), NULL]), "not a public key"),
        (info(&[ID_RSA], &key), "parameters NULL"),
        (info(&[ID_RSA, &integer(&[1])], &key), "parameters NULL"),
        (info(&[ID_RSA, NULL], &negative), "damaged"),
        (info(&[ID_RSA, NULL], &padded), "damaged"),
        (info(&[ID_RSA, NULL], &three), "not a public key"),
        (
            sequence(&[&sequence(&[ID_RSA, NULL]), &element(3, &[&[1], key.as_slice()].concat())]),
            "not a public key",
        ),
        ([&[0x30, 0x83, 0, (key.len() >> 8) as u8, key.len() as u8], &key[4..]].concat(), "not a public key"),
        (info(&[ID_ED25519], &key), "another kind"),
    ] {
        for (format, key) in encoded(Algorithm::RS256, &der) {
            let reason = refusal(&key);
            assert!(reason.contains(expected), "{format}: {reason:?} lacks {expected:?}");
        }
    }
    for (format, key) in [
        ("PEM", Key::pem(Algorithm::RS256, pem("RSA PUBLIC KEY", &behind(&key)))),
        ("DER", Key::der(Algorithm::RS256, behind(&key))),
    ] {
        assert!(refusal(&key).contains("bytes behind its end"), "PKCS #1 in {format}: {}", refusal(&key));
    }
    // The label says what the block holds.
    assert!(!refusal(&Key::pem(Algorithm::RS256, pem("PUBLIC KEY", &key))).is_empty());
    assert!(!refusal(&Key::pem(Algorithm::RS256, pem("RSA PUBLIC KEY", &whole))).is_empty());
}

/// RFC 4055 §1.2 and §3.1.
#[test]
fn a_key_for_rsassa_pss_is_for_the_algorithm_that_it_names() {
    const ID_PSS: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
    const ID_MGF1: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
    let key = pkcs1(&modulus(), F4);
    let hash =
        |number: u8, null: &[u8]| sequence(&[&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, number], null]);
    let parameters = |hash: &[u8], mask: &[u8], salt: u8| {
        sequence(&[
            &element(0xa0, hash),
            &element(0xa1, &sequence(&[ID_MGF1, mask])),
            &element(0xa2, &integer(&[salt])),
        ])
    };
    let algorithms = [Algorithm::PS256, Algorithm::PS384, Algorithm::PS512, Algorithm::RS256];
    let accepted = |parameters: &[u8]| {
        algorithms.map(|algorithm| {
            let [pem, der] = encoded(algorithm, &info(&[ID_PSS, parameters], &key)).try_into().unwrap();
            assert_eq!(refusal(&pem.1), refusal(&der.1));
            refusal(&pem.1).is_empty()
        })
    };
    assert_eq!(accepted(&[]), [true, true, true, false], "without parameters");
    for (number, salt) in [(1, 32), (2, 48), (3, 64)] {
        let own = |index: u8| index + 1 == number;
        let expected = [own(0), own(1), own(2), false];
        let plain = hash(number, &[]);
        assert_eq!(accepted(&parameters(&hash(number, NULL), &hash(number, NULL), salt)), expected);
        assert_eq!(accepted(&parameters(&plain, &plain, salt)), expected, "absent parameters of the hash");
        assert_eq!(accepted(&parameters(&plain, &plain, 0)), expected, "the salt of the key is a minimum");
        assert_eq!(accepted(&parameters(&plain, &plain, salt + 1)), [false; 4]);
        assert_eq!(accepted(&parameters(&plain, &hash(number % 3 + 1, NULL), salt)), [false; 4]);
    }
    assert_eq!(accepted(&sequence(&[])), [false; 4], "SHA-1");
    assert_eq!(accepted(NULL), [false; 4]);
}

/// RFC 7518 §6.3.2 and §6.4.
#[test]
fn a_public_jwk_has_no_private_members() {
    let n = modulus();
    let with = |name: &str, value: Value| {
        let mut jwk = json!({ "kty": "RSA", "n": base64url(&n), "e": "AQAB" });
        jwk[name] = value;
        Key::jwk(jwk.to_string())
    };
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(refusal(&with(name, json!("AQAB"))).contains("private parts"), "{name}");
        assert_eq!(refusal(&with(name, json!("AQAB")).dangerously_allow_private_parts()), "", "{name}");
    }
    let others = json!([{ "r": "AQAB", "d": "AQAB", "t": "AQAB" }]);
    assert!(refusal(&with("oth", others.clone())).contains("private parts"));
    assert_eq!(refusal(&with("oth", others).dangerously_allow_private_parts()), "");
    for key in [with("k", json!("AQAB")), with("k", json!("AQAB")).dangerously_allow_private_parts()] {
        assert!(refusal(&key).contains("has no `k`"), "{}", refusal(&key));
    }
}
