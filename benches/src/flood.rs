//! How long a known caller takes while a second thread sends tokens of made-up keys without a pause, and the server that is asked for these
//! keys is hostile: the ratio to the same in peace.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin flood`. Rounds of some milliseconds alternate, with the flood and without, and
//! the ratio of each pair is taken before the median is. What is measured is the time that the caller's thread has on a core. It ends with 1 if a
//! median is above the bound.

#[path = "flood/hostile.rs"]
mod hostile;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use auth_runtime::clock::Clock;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, AuthBuilder};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use benches::cpu;
use benches::rounds::{ROUND, ROUNDS, calls_a_round, percentiles};
use serde_json::json;

use self::hostile::{Asked, REPLIES, Reply};

const ISSUER: &str = "https://id.example";

/// How long the tokens are valid, in seconds: for longer than the clock is set ahead.
const LIFETIME: u64 = 100_000;

/// The id of the key that the provider has.
const KNOWN: &str = "known";

/// What the median of no ratio may exceed. The two threads share the memory, and no work.
const BOUND: f64 = 1.5;

/// After it, the engine asks for unknown keys again.
const COOL_DOWN: u64 = 31;

/// How many made-up keys there are.
const MADE_UP: usize = 1000;

/// How many tokens of the flood wait at most: the engine lets as many wait.
const WAITING: usize = 1000;

/// The switch of the flood, and what it has done.
#[derive(Default)]
struct Flood {
    is_wanted: AtomicBool,
    is_on: AtomicBool,
    /// Whether its thread is to end.
    is_over: AtomicBool,
    sent: AtomicUsize,
    /// How often the provider was asked.
    asked: Arc<Asked>,
}

/// The clock of the system, set ahead.
#[derive(Debug)]
struct Clocks {
    start: Instant,
    ahead: AtomicU64,
}

impl Clock for Clocks {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.ahead.load(SeqCst))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed() + Duration::from_secs(self.ahead.load(SeqCst))
    }
}

fn main() -> ExitCode {
    println!(
        "{ROUNDS} rounds of {} ms each, with a flood and without in turn; median [10th to 90th percentile]",
        ROUND.as_millis()
    );
    println!(
        "{:<37} {:>12} {:>28} {:>18} {:>9}",
        "", "in peace", "in a flood / in peace", "made-up tokens", "fetches"
    );
    let mut worst: f64 = 0.0;
    for reply in REPLIES {
        worst = worst.max(measure("remembered", reply, Auth::builder()));
        worst = worst.max(measure("verified each time", reply, Auth::builder().token_cache(0, 0)));
    }
    println!("the greatest median is {worst:.2}, and may be {BOUND:.2}");
    if worst > BOUND { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The median of the ratio.
fn measure(name: &str, reply: Reply, builder: AuthBuilder) -> f64 {
    let flood = Arc::new(Flood::default());
    let key = Ed25519KeyPair::generate().expect("a key");
    let url = hostile::start(set(&key), reply, Arc::clone(&flood.asked));
    let clock = Arc::new(Clocks { start: Instant::now(), ahead: AtomicU64::new(0) });
    let builder = builder.clock(Arc::clone(&clock)).max_token_lifetime(Duration::from_secs(LIFETIME));
    let auth =
        builder.issuer(TrustedIssuer::new(ISSUER).audience("api").jwks_url(url)).build().expect("an engine");
    let token = token(&key, KNOWN);
    let made_up: Vec<String> = (0..MADE_UP).map(|n| self::token(&key, &format!("made up {n}"))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
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
    let calls = || {
        for _ in 0..count {
            black_box(call());
        }
    };
    let rounds = (0..ROUNDS).map(|_| {
        // What was answered badly is asked for again in the next round; what is not answered yet is waited for.
        let asked = flood.asked.begun.load(SeqCst);
        let is_answered = asked == flood.asked.ended.load(SeqCst);
        clock.ahead.fetch_add(if is_answered { COOL_DOWN } else { 0 }, SeqCst);
        let [flooded, peace] = [true, false].map(|is_wanted| {
            flood.turn(is_wanted);
            let time = cpu::time(calls) / f64::from(count);
            if is_wanted && is_answered {
                flood.turn(false);
                flood.wait_for_answer(asked);
            }
            time
        });
        assert!(call(), "a known token waits, or is rejected");
        (peace, flooded / peace)
    });
    let (peace, ratios): (Vec<f64>, Vec<f64>) = rounds.unzip();
    flood.is_over.store(true, SeqCst);
    let ([_, peace, _], [low, median, high]) = (percentiles(peace), percentiles(ratios));
    let ratio = format!("{median:.2} [{low:.2} to {high:.2}]");
    let (sent, asked) = (flood.sent.load(SeqCst), flood.asked.begun.load(SeqCst));
    let name = format!("{}, {name}", reply.name);
    println!("{name:<37} {:>9.2} µs {ratio:>28} {sent:>18} {asked:>9}", peace * 1e6);
    median
}

impl Flood {
    /// Waits until one more has been answered, for a second at most, and the engine has seen that.
    fn wait_for_answer(&self, answered: usize) {
        let start = Instant::now();
        while self.asked.ended.load(SeqCst) <= answered && start.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(5));
    }

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
    let claims = json!({"iss": ISSUER, "aud": "api", "sub": "alice", "iat": now, "exp": now + LIFETIME});
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).as_ref());
    format!("{message}.{signature}")
}

/// The key set of the provider.
fn set(key: &Ed25519KeyPair) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": KNOWN, "x": x}]}).to_string()
}

/// Sends made-up tokens while it is wanted. The last ones wait.
async fn attack(auth: &Auth, made_up: &[String], flood: &Flood) {
    while !flood.is_over.load(SeqCst) {
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
