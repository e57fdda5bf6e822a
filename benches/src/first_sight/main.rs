//! What the first sight of a token costs, by the size of its payload: the bare check of the signature, a strict reader that is written by
//! hand for one issuer, `jsonwebtoken::decode` into a type, and this library.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin first-sight`, with `-- --write` for the README, and `-- HS256` for one
//! algorithm. The four take turns in one run, by the CPU time of the thread, so that other work of the machine counts little; the figures are medians of the rounds' ratios.
//! `-- calls SIZE NAME` verifies a token of HS256 10,000 times, with `ours`, `hand`, `theirs` or `bare`: for a profiler.

mod by_hand;
mod tokens;

use std::hint::black_box;

use auth_runtime::Auth;
use auth_runtime::testing::verify_token;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as sig, KeyPair as _};
use aws_lc_rs::{hmac, rsa::KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::{Times, Variant, take_turns};
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use self::by_hand::{BareCheck, ByHand};

const ROUNDS: usize = 301;

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

struct Scheme {
    algorithm: Algorithm,
    sign: Box<dyn Fn(&[u8]) -> Vec<u8>>,
    bare: fn(&Scheme) -> BareCheck,
    public: Vec<u8>,
    ours: Auth,
    theirs: (DecodingKey, Validation),
}

struct Runs {
    bare: Box<dyn Fn() -> bool>,
    hand: Box<dyn Fn() -> bool>,
    theirs: Box<dyn Fn() -> bool>,
    ours: Box<dyn Fn() -> bool>,
}

const BARE: &str = "bare";
const CONTROL: &str = "bare again";
const HAND: &str = "hand";
const THEIRS: &str = "theirs";
const THIS: &str = "this";

fn main() {
    let (arguments, write) = arguments();
    if let [calls, size, name] = arguments.as_slice()
        && calls == "calls"
    {
        return repeat(size.parse().unwrap(), name);
    }
    assert!(arguments.is_empty() || !write, "the README has all algorithms");
    let crates = ["jsonwebtoken", "aws-lc-rs"];
    let mut report = Report::begin("first-sight", env!("CARGO_MANIFEST_DIR"), &crates, write);
    let head = [
        "",
        "payload [B]",
        "bare [µs]",
        "hand ÷ bare",
        "this ÷ bare",
        "theirs ÷ bare",
        "this ÷ hand",
        "theirs ÷ this",
    ];
    let mut table = Table::new(head);
    for scheme in schemes() {
        if arguments.first().is_none_or(|wanted| wanted == scheme.algorithm.name()) {
            for size in tokens::SIZES {
                let times = measure(&scheme, size);
                let ratio = |one, other| format!("{:.2}", times.ratio(one, other).median);
                let cells = [
                    scheme.algorithm.name().to_owned(),
                    tokens::claims(size).len().to_string(),
                    format!("{:.2}", times.each(BARE).micros().median),
                    ratio(HAND, BARE),
                    ratio(THIS, BARE),
                    ratio(THEIRS, BARE),
                    ratio(THIS, HAND),
                    ratio(THEIRS, THIS),
                ];
                table.guarded_row(cells, &times);
            }
        }
    }
    report.table(&table);
    report.line(format!("{ROUNDS} rounds in turns, by CPU time; medians"));
    report.finish();
}

/// Calls one of them many times.
fn repeat(size: usize, name: &str) {
    let scheme = hs256();
    let runs = runs(&scheme, size);
    let run = match name {
        "ours" => runs.ours,
        "hand" => runs.hand,
        "theirs" => runs.theirs,
        _ => runs.bare,
    };
    for _ in 0..10_000 {
        assert!(run());
    }
}

fn measure(scheme: &Scheme, size: usize) -> Times {
    let Runs { bare, hand, theirs, ours } = &runs(scheme, size);
    let pair = [Variant::repeated(BARE, bare), Variant::repeated(CONTROL, bare)];
    let others = [(HAND, hand), (THEIRS, theirs), (THIS, ours)];
    take_turns(pair, others.map(|(name, run)| Variant::repeated(name, run)).into(), ROUNDS)
}

fn runs(scheme: &Scheme, size: usize) -> Runs {
    let token = tokens::token(scheme.algorithm.name(), &tokens::claims(size), &scheme.sign);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (message, signature) = (message.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap());
    let check = (scheme.bare)(scheme);
    let by_hand = ByHand::new(&token, (scheme.bare)(scheme));
    let (auth, theirs) = (scheme.ours.clone(), scheme.theirs.clone());
    let (for_hand, for_theirs, for_ours) = (token.clone(), token.clone(), token);
    Runs {
        bare: Box::new(move || check(black_box(message.as_bytes()), black_box(&signature))),
        hand: Box::new(move || black_box(by_hand.verify(black_box(&for_hand))).is_some()),
        theirs: Box::new(move || {
            black_box(jsonwebtoken::decode::<Claims>(black_box(&for_theirs), &theirs.0, &theirs.1)).is_ok()
        }),
        ours: Box::new(move || black_box(verify_token(&auth, black_box(&for_ours))).is_ok()),
    }
}

fn scheme(
    algorithm: Algorithm,
    key: Key,
    theirs: (DecodingKey, jsonwebtoken::Algorithm),
    public: Vec<u8>,
    bare: fn(&Scheme) -> BareCheck,
    sign: impl Fn(&[u8]) -> Vec<u8> + 'static,
) -> Scheme {
    let issuer = TrustedIssuer::new("https://id.example.com").audience("orders").key(key.with_id("2026-11"));
    let mut validation = Validation::new(theirs.1);
    validation.set_audience(&["orders"]);
    validation.set_issuer(&["https://id.example.com"]);
    let ours = Auth::builder().issuer(issuer).build().unwrap();
    Scheme { algorithm, sign: Box::new(sign), bare, public, ours, theirs: (theirs.0, validation) }
}

fn public_check(public: &[u8], algorithm: &'static dyn sig::VerificationAlgorithm) -> BareCheck {
    let key = sig::ParsedPublicKey::new(algorithm, public).unwrap();
    Box::new(move |message, signature| key.verify_sig(message, signature).is_ok())
}

fn hs256() -> Scheme {
    let secret = [7_u8; 64];
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    scheme(
        Algorithm::HS256,
        Key::secret(Algorithm::HS256, secret),
        (DecodingKey::from_secret(&secret), jsonwebtoken::Algorithm::HS256),
        secret.to_vec(),
        |scheme| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &scheme.public);
            Box::new(move |message, signature| hmac::verify(&key, message, signature).is_ok())
        },
        move |message| hmac::sign(&key, message).as_ref().to_vec(),
    )
}

fn schemes() -> Vec<Scheme> {
    let mut schemes = vec![hs256()];
    type Rsa = (Algorithm, jsonwebtoken::Algorithm, &'static dyn sig::RsaEncoding, fn(&Scheme) -> BareCheck);
    let rsa_schemes: [Rsa; 2] = [
        (Algorithm::RS256, jsonwebtoken::Algorithm::RS256, &sig::RSA_PKCS1_SHA256, |scheme| {
            public_check(&scheme.public, &sig::RSA_PKCS1_2048_8192_SHA256)
        }),
        (Algorithm::PS256, jsonwebtoken::Algorithm::PS256, &sig::RSA_PSS_SHA256, |scheme| {
            public_check(&scheme.public, &sig::RSA_PSS_2048_8192_SHA256)
        }),
    ];
    for (algorithm, theirs, encoding, bare) in rsa_schemes {
        let rsa = sig::RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = rsa.public_key().as_ref().to_vec();
        let key = Key::der(algorithm, public.clone());
        schemes.push(scheme(
            algorithm,
            key,
            (DecodingKey::from_rsa_der(&public), theirs),
            public,
            bare,
            move |message| {
                let mut signature = vec![0; rsa.public_modulus_len()];
                rsa.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            },
        ));
    }
    let pair = sig::EcdsaKeyPair::generate(&sig::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let info: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    schemes.push(scheme(
        Algorithm::ES256,
        Key::der(Algorithm::ES256, info.as_ref()),
        (DecodingKey::from_ec_der(&public), jsonwebtoken::Algorithm::ES256),
        public,
        |scheme| public_check(&scheme.public, &sig::ECDSA_P256_SHA256_FIXED),
        move |message| pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
    ));
    let pair = sig::Ed25519KeyPair::generate().unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let info: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    schemes.push(scheme(
        Algorithm::EdDSA,
        Key::der(Algorithm::EdDSA, info.as_ref()),
        (DecodingKey::from_ed_der(&public), jsonwebtoken::Algorithm::EdDSA),
        public,
        |scheme| public_check(&scheme.public, &sig::ED25519),
        move |message| pair.sign(message).as_ref().to_vec(),
    ));
    schemes
}
