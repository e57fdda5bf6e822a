//! The keys that sign tokens, and what the peers want to know of them.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const KEY_ID: &str = "2026-11";

/// The secret of HS256, the same in every process. Text, since one of the peers takes a `str`.
pub const SECRET: &str = "a secret of HS256, 32 bytes long";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];

    /// As a header of JOSE has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

pub struct Key {
    pub algorithm: Algorithm,
    sign: Box<dyn Fn(&[u8]) -> Vec<u8>>,
    /// The secret, the RSA key as in PKCS #1, the point of the curve, or the 32 bytes of Ed25519.
    pub material: Vec<u8>,
    /// The public key in PEM; nothing for HS256.
    pub pem: String,
    /// The key as a JWK, for verification.
    pub jwk: Value,
}

impl Key {
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Hs256 => hs256(SECRET),
            Algorithm::Rs256 => rs256(),
            Algorithm::Es256 => es256(),
            Algorithm::EdDsa => ed_dsa(),
        }
    }

    /// A key that signs in the same way and under the same name, and that nobody trusts.
    pub fn another(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Hs256 => hs256("another secret, of 32 bytes, too"),
            _ => Self::new(algorithm),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        (self.sign)(message)
    }

    /// The key set of the issuer.
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.jwk] }).to_string()
    }

    fn made(
        algorithm: Algorithm,
        sign: impl Fn(&[u8]) -> Vec<u8> + 'static,
        material: &[u8],
        spki: Option<PublicKeyX509Der<'_>>,
        members: Value,
    ) -> Self {
        let pem =
            spki.map(|spki| pem::encode(&pem::Pem::new("PUBLIC KEY", spki.as_ref()))).unwrap_or_default();
        let mut jwk = json!({ "kid": KEY_ID, "alg": algorithm.name(), "use": "sig" });
        for (name, value) in members.as_object().expect("members") {
            jwk[name] = value.clone();
        }
        Self { algorithm, sign: Box::new(sign), material: material.to_vec(), pem, jwk }
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hs256(secret: &str) -> Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let sign = move |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
    let members = json!({ "kty": "oct", "k": encoded(secret.as_bytes()) });
    Key::made(Algorithm::Hs256, sign, secret.as_bytes(), None, members)
}

fn rs256() -> Key {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let public = pair.public_key();
    let members = json!({
        "kty": "RSA",
        "n": encoded(public.modulus().big_endian_without_leading_zero()),
        "e": encoded(public.exponent().big_endian_without_leading_zero()),
    });
    let (material, spki) = (public.as_ref().to_vec(), public.as_der().expect("a public key"));
    let sign = move |message: &[u8]| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("a signature");
        signature
    };
    Key::made(Algorithm::Rs256, sign, &material, Some(spki), members)
}

fn es256() -> Key {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let point = pair.public_key().as_ref().to_vec();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a public key");
    let (x, y) = point[1..].split_at(32);
    let members = json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) });
    let sign = move |message: &[u8]| {
        pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    };
    Key::made(Algorithm::Es256, sign, &point, Some(spki), members)
}

fn ed_dsa() -> Key {
    let pair = Ed25519KeyPair::generate().expect("a key");
    let public = pair.public_key().as_ref().to_vec();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a public key");
    let members = json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(&public) });
    let sign = move |message: &[u8]| pair.sign(message).as_ref().to_vec();
    Key::made(Algorithm::EdDsa, sign, &public, Some(spki), members)
}
