//! What signing a token costs: `SigningKey::sign`, from claims to the compact token, against the bare signature of the same bytes
//! with aws-lc-rs and a prepared key. Run it with `cargo run --release --manifest-path benches/Cargo.toml --bin sign`, and `-- --write` for the
//! README.
//!
//! `SigningKey::sign` serializes the claims as JSON, encodes them and the signature in base64url and puts the token
//! together. All of that counts as signing. The bare signature is of a header and a payload that are encoded already.
//!
//! They take turns in rounds of a millisecond or one signature, and the ratio of each round is taken before the median is.

use std::hint::black_box;

use auth_runtime::session::SigningKey;
use auth_runtime::verify::Algorithm;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as sig, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::{Times, Variant, take_turns};
use serde_json::{Value, json};

/// At most this × the bare signature, in the median, for the algorithms that sign most tokens.
const GOAL: f64 = 1.10;
const WITH_GOAL: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

const ROUNDS: usize = 200;

const BARE: &str = "bare signature";
const CONTROL: &str = "bare signature again";
const THIS: &str = "this";

fn main() {
    let (arguments, write) = arguments();
    assert!(arguments.is_empty(), "there is no argument but --write");
    let mut report = Report::begin("sign", env!("CARGO_MANIFEST_DIR"), &["aws-lc-rs"], write);
    let mut table = Table::new(["", "bare signature [µs]", "this ÷ bare signature"]);
    let mut missed = Vec::new();
    for &algorithm in Algorithm::ALL {
        let times = measure(algorithm);
        let ratio = times.ratio(THIS, BARE);
        let cells = [algorithm.name().to_owned(), times.each(BARE).micros().text(2), ratio.text(2)];
        table.guarded_row(cells, &times);
        if WITH_GOAL.contains(&algorithm) && ratio.median > GOAL {
            missed.push(algorithm.name());
        }
    }
    report.table(&table);
    let goal = format!("the goal of at most {GOAL:.2} for RS256, ES256 and EdDSA");
    if missed.is_empty() {
        report.line(format!("{goal} is met"));
    } else {
        report.line(format!("{goal} is missed by {}", missed.join(", ")));
    }
    report.finish();
    if !missed.is_empty() {
        std::process::exit(1);
    }
}

fn measure(algorithm: Algorithm) -> Times {
    let (key, bare) = keys(algorithm);
    let claims = claims();
    let token = key.sign(&claims).unwrap();
    let message = token.rsplit_once('.').unwrap().0.as_bytes();
    let bare = |name| {
        let bare = &bare;
        Variant::repeated(name, move || !black_box(bare(black_box(message))).is_empty())
    };
    let ours = Variant::repeated(THIS, || !black_box(key.sign(black_box(&claims)).unwrap()).is_empty());
    take_turns([bare(BARE), bare(CONTROL)], vec![ours], ROUNDS)
}

/// The claims of an access token, as `TokenIssuer` has them.
fn claims() -> Value {
    json!({
        "iss": "https://id.example.com", "sub": "5f0c6f0e-8a9b-4c1d-9e2f-3a4b5c6d7e8f", "aud": "orders",
        "client_id": "orders", "exp": 1_900_000_900, "iat": 1_900_000_000, "auth_time": 1_900_000_000,
        "jti": "6FnIIZrnBwqZ7B9LLNNjyw", "sid": "0Xb6Vq2mRZKCpM1kX9oH2A", "roles": ["editor", "author"],
        "scope": "article:read article:write",
    })
}

/// One key, as this library has it and bare.
fn keys(algorithm: Algorithm) -> (SigningKey, Sign) {
    let secret = [7_u8; 64];
    let hmac = |hash: hmac::Algorithm| -> (SigningKey, Sign) {
        let bare = hmac::Key::new(hash, &secret);
        let sign = move |message: &[u8]| hmac::sign(&bare, message).as_ref().to_vec();
        (SigningKey::secret(algorithm, &secret).unwrap(), Box::new(sign))
    };
    let generate = || {
        let text = SigningKey::generate_pem(algorithm).unwrap();
        let pkcs8 = pem::parse(&text).unwrap().into_contents();
        (SigningKey::pem(algorithm, text.as_bytes()).unwrap(), pkcs8)
    };
    let rsa = |encoding: &'static dyn sig::RsaEncoding| -> (SigningKey, Sign) {
        let (key, pkcs8) = generate();
        let bare = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; bare.public_modulus_len()];
            bare.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        (key, Box::new(sign))
    };
    let ecdsa = |curve: &'static sig::EcdsaSigningAlgorithm| -> (SigningKey, Sign) {
        let (key, pkcs8) = generate();
        let bare = EcdsaKeyPair::from_pkcs8(curve, &pkcs8).unwrap();
        let sign = move |message: &[u8]| bare.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        (key, Box::new(sign))
    };
    let (key, sign) = match algorithm {
        Algorithm::HS256 => hmac(hmac::HMAC_SHA256),
        Algorithm::HS384 => hmac(hmac::HMAC_SHA384),
        Algorithm::HS512 => hmac(hmac::HMAC_SHA512),
        Algorithm::RS256 => rsa(&sig::RSA_PKCS1_SHA256),
        Algorithm::RS384 => rsa(&sig::RSA_PKCS1_SHA384),
        Algorithm::RS512 => rsa(&sig::RSA_PKCS1_SHA512),
        Algorithm::PS256 => rsa(&sig::RSA_PSS_SHA256),
        Algorithm::PS384 => rsa(&sig::RSA_PSS_SHA384),
        Algorithm::PS512 => rsa(&sig::RSA_PSS_SHA512),
        Algorithm::ES256 => ecdsa(&sig::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => ecdsa(&sig::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::ES512 => ecdsa(&sig::ECDSA_P521_SHA512_FIXED_SIGNING),
        Algorithm::EdDSA => {
            let (key, pkcs8) = generate();
            let bare = Ed25519KeyPair::from_pkcs8(&pkcs8).unwrap();
            let sign = move |message: &[u8]| bare.sign(message).as_ref().to_vec();
            (key, Box::new(sign) as Sign)
        }
        other => panic!("this bench does not know {other}"),
    };
    (key.with_id("2026-11"), sign)
}
