//! How long a known caller takes while a second thread sends tokens of made-up keys without a pause, and the provider that is asked for these
//! keys never answers: the ratio to the same in peace.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin flood`. Rounds of some milliseconds alternate, with the flood and without, and
//! the ratio of each pair is taken before the median is. The two threads need a core each.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, AuthBuilder};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use benches::rounds::{ROUND, ROUNDS, calls_a_round, percentiles, time};
use serde_json::json;

const ISSUER: &str = "https://id.example";

/// The id of the key that the provider has.
const KNOWN: &str = "known";

/// How many made-up keys there are.
const MADE_UP: usize = 1000;

/// How many tokens of the flood wait at most: the engine lets as many wait.
const WAITING: usize = 1000;

/// The switch of the flood, and what it has done.
#[derive(Default)]
struct Flood {
    is_wanted: AtomicBool,
    is_on: AtomicBool,
    sent: AtomicUsize,
    /// How often the provider was asked.
    asked: Arc<AtomicUsize>,
}

fn main() {
    println!("{ROUNDS} rounds of {} ms each, with a flood and without in turn; median [10th to 90th percentile]", ROUND.as_millis());
    println!("{:<22} {:>12} {:>28} {:>18} {:>9}", "", "in peace", "in a flood / in peace", "made-up tokens", "fetches");
    measure("remembered", Auth::builder());
    measure("verified each time", Auth::builder().token_cache(0, 0));
}

fn measure(name: &str, builder: AuthBuilder) {
    let flood = Arc::new(Flood::default());
    let key = Ed25519KeyPair::generate().expect("a key");
    let auth = builder.issuer(issuer(&key, Arc::clone(&flood.asked))).build().expect("an engine");
    let token = token(&key, KNOWN);
    let made_up: Vec<String> = (0..MADE_UP).map(|n| self::token(&key, &format!("made up {n}"))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(auth.start()).expect("the first set of keys");

    let (of_flood, attacked, handle) = (Arc::clone(&flood), auth.clone(), runtime.handle().clone());
    std::thread::spawn(move || runtime.block_on(attack(&attacked, &made_up, &of_flood)));
    let _context = handle.enter();
    let call = || {
        let verified = pin!(auth.verify(black_box(&token))).poll(&mut Context::from_waker(Waker::noop()));
        matches!(verified, Poll::Ready(Ok(_)))
    };
    assert!(call(), "a known token waits, or is rejected");
    let count = calls_a_round(&call);
    let rounds = (0..ROUNDS).map(|_| {
        let [peace, flooded] = [false, true].map(|is_wanted| {
            flood.turn(is_wanted);
            time(count, &call)
        });
        assert!(call(), "a known token waits, or is rejected");
        (peace, flooded / peace)
    });
    let (peace, ratios): (Vec<f64>, Vec<f64>) = rounds.unzip();
    let ([_, peace, _], [low, ratio, high]) = (percentiles(peace), percentiles(ratios));
    let ratio = format!("{ratio:.2} [{low:.2} to {high:.2}]");
    let (sent, asked) = (flood.sent.load(SeqCst), flood.asked.load(SeqCst));
    println!("{name:<22} {:>9.2} µs {ratio:>28} {sent:>18} {asked:>9}", peace * 1e6);
}

impl Flood {
    /// Turns it on or off, and returns once it is.
    fn turn(&self, is_wanted: bool) {
        self.is_wanted.store(is_wanted, SeqCst);
        while self.is_on.load(SeqCst) != is_wanted {
            std::thread::yield_now();
        }
    }
}

/// A token that names a key by this id.
fn token(key: &Ed25519KeyPair, id: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
    let header = json!({"alg": "EdDSA", "kid": id});
    let claims = json!({"iss": ISSUER, "aud": "api", "sub": "alice", "iat": now, "exp": now + 3600});
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).as_ref());
    format!("{message}.{signature}")
}

/// An issuer whose provider answers once, and never again.
fn issuer(key: &Ed25519KeyPair, asked: Arc<AtomicUsize>) -> TrustedIssuer {
    let x = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
    let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": KNOWN, "x": x}]}).to_string();
    TrustedIssuer::new(ISSUER).audience("api").jwks_from(move || {
        let (keys, is_first) = (keys.clone(), asked.fetch_add(1, SeqCst) == 0);
        async move {
            match is_first {
                true => Ok::<_, String>(keys),
                false => std::future::pending().await,
            }
        }
    })
}

/// Sends made-up tokens while it is wanted. The last ones wait.
async fn attack(auth: &Auth, made_up: &[String], flood: &Flood) {
    loop {
        flood.is_on.store(flood.is_wanted.load(SeqCst), SeqCst);
        if !flood.is_on.load(SeqCst) {
            tokio::time::sleep(Duration::from_micros(100)).await;
            continue;
        }
        let mut waiting = VecDeque::new();
        for token in made_up {
            let mut verified = Box::pin(auth.verify(token));
            if poll_fn(|context| Poll::Ready(verified.as_mut().poll(context).is_pending())).await {
                waiting.push_back(verified);
            }
            if waiting.len() > WAITING {
                waiting.pop_front();
            }
            flood.sent.fetch_add(1, SeqCst);
            if !flood.is_wanted.load(SeqCst) {
                break;
            }
        }
        tokio::task::yield_now().await;
    }
}
