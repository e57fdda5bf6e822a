//! What verifying a token costs: this library, against the bare check of the signature with aws-lc-rs, and against
//! `jsonwebtoken::decode`. Run it with `cargo run --release --manifest-path benches/Cargo.toml --bin verify`, and `-- --write` for the README.
//!
//! They take turns in rounds of a millisecond, and the ratio of each round is taken before the median is.

use std::hint::black_box;

use auth_runtime::Auth;
use auth_runtime::testing::verify_token;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as sig, KeyPair as _};
use aws_lc_rs::{hmac, rsa::KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::{Times, Variant, take_turns};
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

/// What a service reads of a token, for `jsonwebtoken` to deserialize.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    iat: u64,
    jti: String,
    roles: Vec<String>,
    scope: String,
}

/// Whether a signature of a message is valid.
type BareCheck = Box<dyn Fn(&[u8], &[u8]) -> bool>;

struct Case {
    algorithm: Algorithm,
    token: String,
    ours: Auth,
    bare: BareCheck,
    theirs: Option<(DecodingKey, Validation)>,
}

const ROUNDS: usize = 200;

const BARE: &str = "bare check";
const CONTROL: &str = "bare check again";
const THIS: &str = "this";
const THEIRS: &str = "jsonwebtoken::decode";

fn main() {
    let (arguments, write) = arguments();
    assert!(arguments.is_empty(), "there is no argument but --write");
    let mut report =
        Report::begin("verify", env!("CARGO_MANIFEST_DIR"), &["jsonwebtoken", "aws-lc-rs"], write);
    let mut table = Table::new(["", "bare check [µs]", "this ÷ bare check", "this ÷ jsonwebtoken::decode"]);
    for case in cases() {
        let times = measure(&case);
        let theirs = match case.theirs {
            Some(_) => times.ratio(THIS, THEIRS).text(2),
            None => "it has no such algorithm".to_owned(),
        };
        let cells = [
            case.algorithm.name().to_owned(),
            times.each(BARE).micros().text(2),
            times.ratio(THIS, BARE).text(2),
        ];
        table.guarded_row(cells.into_iter().chain([theirs]), &times);
    }
    report.table(&table);
    report.finish();
}

fn measure(case: &Case) -> Times {
    let (message, signature) = case.token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let bare = |name| {
        let signature = &signature;
        Variant::repeated(name, move || (case.bare)(black_box(message.as_bytes()), black_box(signature)))
    };
    let ours = || black_box(verify_token(&case.ours, black_box(&case.token))).is_ok();
    let mut others = vec![Variant::repeated(THIS, ours)];
    if let Some((key, validation)) = &case.theirs {
        let decode = move || {
            black_box(jsonwebtoken::decode::<Claims>(black_box(&case.token), key, validation)).is_ok()
        };
        others.push(Variant::repeated(THEIRS, decode));
    }
    take_turns([bare(BARE), bare(CONTROL)], others, ROUNDS)
}

fn token(algorithm: Algorithm, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let header = serde_json::json!({ "typ": "at+jwt", "alg": algorithm.name(), "kid": "2026-11" });
    let claims = serde_json::json!({
        "iss": "https://id.example.com", "sub": "5f0c6f0e-8a9b-4c1d-9e2f-3a4b5c6d7e8f", "aud": "orders",
        "exp": now + 900, "iat": now, "jti": "6FnIIZrnBwqZ7B9LLNNjyw", "roles": ["editor", "author"],
        "scope": "article:read article:write",
    });
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn case(
    algorithm: Algorithm,
    key: Key,
    theirs: Option<(DecodingKey, jsonwebtoken::Algorithm)>,
    sign: impl Fn(&[u8]) -> Vec<u8>,
    bare: impl Fn(&[u8], &[u8]) -> bool + 'static,
) -> Case {
    let issuer = TrustedIssuer::new("https://id.example.com").audience("orders").key(key.with_id("2026-11"));
    let theirs = theirs.map(|(key, algorithm)| {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["orders"]);
        validation.set_issuer(&["https://id.example.com"]);
        (key, validation)
    });
    let ours = Auth::builder().issuer(issuer).build().unwrap();
    Case { algorithm, token: token(algorithm, sign), ours, bare: Box::new(bare), theirs }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let secret = [7_u8; 64];
    for (algorithm, theirs, hash) in [
        (Algorithm::HS256, jsonwebtoken::Algorithm::HS256, hmac::HMAC_SHA256),
        (Algorithm::HS384, jsonwebtoken::Algorithm::HS384, hmac::HMAC_SHA384),
        (Algorithm::HS512, jsonwebtoken::Algorithm::HS512, hmac::HMAC_SHA512),
    ] {
        let key = hmac::Key::new(hash, &secret);
        let sign = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
        let bare = hmac::Key::new(hash, &secret);
        cases.push(case(
            algorithm,
            Key::secret(algorithm, secret),
            Some((DecodingKey::from_secret(&secret), theirs)),
            sign,
            move |message, signature| hmac::verify(&bare, message, signature).is_ok(),
        ));
    }

    let rsa = sig::RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let _: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let public = rsa.public_key().as_ref().to_vec();
    type Rsa =
        (Algorithm, jsonwebtoken::Algorithm, &'static dyn sig::RsaEncoding, &'static sig::RsaParameters);
    let rsa_algorithms: [Rsa; 6] = [
        (
            Algorithm::RS256,
            jsonwebtoken::Algorithm::RS256,
            &sig::RSA_PKCS1_SHA256,
            &sig::RSA_PKCS1_2048_8192_SHA256,
        ),
        (
            Algorithm::RS384,
            jsonwebtoken::Algorithm::RS384,
            &sig::RSA_PKCS1_SHA384,
            &sig::RSA_PKCS1_2048_8192_SHA384,
        ),
        (
            Algorithm::RS512,
            jsonwebtoken::Algorithm::RS512,
            &sig::RSA_PKCS1_SHA512,
            &sig::RSA_PKCS1_2048_8192_SHA512,
        ),
        (
            Algorithm::PS256,
            jsonwebtoken::Algorithm::PS256,
            &sig::RSA_PSS_SHA256,
            &sig::RSA_PSS_2048_8192_SHA256,
        ),
        (
            Algorithm::PS384,
            jsonwebtoken::Algorithm::PS384,
            &sig::RSA_PSS_SHA384,
            &sig::RSA_PSS_2048_8192_SHA384,
        ),
        (
            Algorithm::PS512,
            jsonwebtoken::Algorithm::PS512,
            &sig::RSA_PSS_SHA512,
            &sig::RSA_PSS_2048_8192_SHA512,
        ),
    ];
    for (algorithm, theirs, encoding, parameters) in rsa_algorithms {
        let sign = |message: &[u8]| {
            let mut signature = vec![0; rsa.public_modulus_len()];
            rsa.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        let bare = sig::ParsedPublicKey::new(parameters, &public).unwrap();
        cases.push(case(
            algorithm,
            Key::der(algorithm, public.clone()),
            Some((DecodingKey::from_rsa_der(&public), theirs)),
            sign,
            move |message, signature| bare.verify_sig(message, signature).is_ok(),
        ));
    }

    type Ec = (
        Algorithm,
        Option<jsonwebtoken::Algorithm>,
        &'static sig::EcdsaSigningAlgorithm,
        &'static sig::EcdsaVerificationAlgorithm,
    );
    let curves: [Ec; 3] = [
        (
            Algorithm::ES256,
            Some(jsonwebtoken::Algorithm::ES256),
            &sig::ECDSA_P256_SHA256_FIXED_SIGNING,
            &sig::ECDSA_P256_SHA256_FIXED,
        ),
        (
            Algorithm::ES384,
            Some(jsonwebtoken::Algorithm::ES384),
            &sig::ECDSA_P384_SHA384_FIXED_SIGNING,
            &sig::ECDSA_P384_SHA384_FIXED,
        ),
        (Algorithm::ES512, None, &sig::ECDSA_P521_SHA512_FIXED_SIGNING, &sig::ECDSA_P521_SHA512_FIXED),
    ];
    for (algorithm, theirs, signing, verifying) in curves {
        let pair = sig::EcdsaKeyPair::generate(signing).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        let bare = sig::ParsedPublicKey::new(verifying, &public).unwrap();
        let info: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        cases.push(case(
            algorithm,
            Key::der(algorithm, info.as_ref()),
            theirs.map(|theirs| (DecodingKey::from_ec_der(&public), theirs)),
            |message| pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            move |message, signature| bare.verify_sig(message, signature).is_ok(),
        ));
    }

    let pair = sig::Ed25519KeyPair::generate().unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let bare = sig::ParsedPublicKey::new(&sig::ED25519, &public).unwrap();
    let info: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    cases.push(case(
        Algorithm::EdDSA,
        Key::der(Algorithm::EdDSA, info.as_ref()),
        Some((DecodingKey::from_ed_der(&public), jsonwebtoken::Algorithm::EdDSA)),
        |message| pair.sign(message).as_ref().to_vec(),
        move |message, signature| bare.verify_sig(message, signature).is_ok(),
    ));
    cases
}
