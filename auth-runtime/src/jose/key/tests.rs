//! Which keys are accepted, in every format; and the test vectors of Wycheproof through import and signature.

mod elliptic;
mod private;
mod rsa;
mod secret;
mod wycheproof;

use super::{Key, PreparedKey};
use crate::jose::{Algorithm, SigningKey};

/// Why the key is refused; empty if it is accepted.
fn refusal(key: &Key) -> String {
    key.prepare().err().unwrap_or_default()
}

fn pem(label: &str, der: &[u8]) -> String {
    ::pem::encode(&::pem::Pem::new(label, der))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn from_base64url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|digit| (digit as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// One element of DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    der.extend(content);
    der
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn bits(content: &[u8]) -> Vec<u8> {
    element(3, &[&[0], content].concat())
}

const ID_ELLIPTIC: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x22];
const P521: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x23];
const ID_ED25519: &[u8] = &[6, 3, 0x2b, 0x65, 0x70];
const ID_RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const NULL: &[u8] = &[5, 0];

/// SubjectPublicKeyInfo.
fn info(identifier: &[&[u8]], key: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(identifier), &bits(key)])
}

/// A positive integer.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    element(2, &[sign, bytes].concat())
}

/// A key as PEM and as DER.
fn encoded(algorithm: Algorithm, der: &[u8]) -> Vec<(&'static str, Key)> {
    vec![("PEM", Key::pem(algorithm, pem("PUBLIC KEY", der))), ("DER", Key::der(algorithm, der))]
}
