//! The peers in turns, with tokens that are new or known.

use std::cell::RefCell;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::HeaderValue;
use bench_harness::cpu;
use bench_harness::turns::{Times, Variant, take_turns};
use bench_peers::app::App;
use bench_peers::key::Key;
use bench_peers::peers::{CONTROL, GUARDED, PLAIN, PLAIN_07, Peer, SMALL_CACHE, named};
use bench_peers::proof;
use bench_peers::tokens::{Form, claims, credentials};
use tokio::runtime::Runtime;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// Each is seen once.
    New,
    /// There is one, and all have seen it before.
    Known,
}

impl Tokens {
    /// How many requests a round has.
    fn requests(self) -> usize {
        match self {
            Self::New => 40,
            Self::Known => 100,
        }
    }
}

/// A peer with its router, and what it accepts although it should not.
pub struct Candidate {
    pub peer: &'static Peer,
    app: RefCell<Box<dyn App>>,
    pub accepted_flaws: Vec<&'static str>,
}

impl Candidate {
    /// A peer is measured after it was seen to verify.
    ///
    /// # Errors
    ///
    /// Why it does not verify tokens of this key.
    pub fn new(peer: &'static Peer, key: &Key, runtime: &Runtime) -> Result<Self, String> {
        let mut app = peer.app(key, runtime)?;
        let accepted_flaws = proof::accepted_flaws(&mut *app, runtime, key, peer.form)?;
        Ok(Self { peer, app: RefCell::new(app), accepted_flaws })
    }

    fn plain(name: &'static str, key: &Key, runtime: &Runtime) -> Self {
        let app = named(name).app(key, runtime).expect("a plain router");
        Self { peer: named(name), app: RefCell::new(app), accepted_flaws: Vec::new() }
    }
}

/// Those that verify tokens of this key, and why the others do not.
pub fn candidates(key: &Key, runtime: &Runtime) -> (Vec<Candidate>, Vec<String>) {
    let (mut candidates, mut reasons) = (Vec::new(), Vec::new());
    for peer in &GUARDED {
        match Candidate::new(peer, key, runtime) {
            Ok(candidate) => candidates.push(candidate),
            Err(reason) => reasons.push(format!("{} {reason}", peer.name)),
        }
    }
    (candidates, reasons)
}

/// What is asked for in each round: a slice of these, or the only one again and again.
struct Credentials {
    keycloak: Vec<HeaderValue>,
    gate: Vec<HeaderValue>,
}

impl Credentials {
    fn new(candidates: &[Candidate], key: &Key, size: usize, count: usize) -> Self {
        let made = |form| new_credentials(key, form, size, count);
        let has_gate = candidates.iter().any(|candidate| candidate.peer.form == Form::Gate);
        Self { keycloak: made(Form::Keycloak), gate: if has_gate { made(Form::Gate) } else { Vec::new() } }
    }

    fn of(&self, form: Form) -> &[HeaderValue] {
        match form {
            Form::Keycloak => &self.keycloak,
            Form::Gate => &self.gate,
        }
    }
}

/// Of no other measurement, or the tokens would be known.
fn new_credentials(key: &Key, form: Form, size: usize, count: usize) -> Vec<HeaderValue> {
    static MADE: AtomicUsize = AtomicUsize::new(1);
    let first = MADE.fetch_add(count, Ordering::Relaxed);
    credentials(key, &claims(form, size), first..first + count)
}

/// Has the plain routers and these peers take turns, with payloads of one size.
pub fn times(
    candidates: &[Candidate],
    key: &Key,
    runtime: &Runtime,
    tokens: Tokens,
    size: usize,
    rounds: usize,
) -> Times {
    let requests = tokens.requests();
    let count = match tokens {
        // One round more, which warms up.
        Tokens::New => (rounds + 1) * requests,
        Tokens::Known => 1,
    };
    for full in candidates.iter().filter(|candidate| candidate.peer.has_small_cache && tokens == Tokens::New)
    {
        // An entry has the token, and what was read of it.
        let others = new_credentials(key, full.peer.form, size, SMALL_CACHE / (2 * size));
        let mut app = full.app.borrow_mut();
        app.prepare(&others);
        app.answer(runtime);
    }
    let credentials = Credentials::new(candidates, key, size, count);
    let [plain, control, plain_07] =
        [PLAIN, CONTROL, PLAIN_07].map(|name| Candidate::plain(name, key, runtime));
    let variant = |candidate| variant(candidate, &credentials, runtime, requests);
    let others = slice::from_ref(&plain_07).iter().chain(candidates).map(variant).collect();
    take_turns([variant(&plain), variant(&control)], others, rounds)
}

fn variant<'a>(
    candidate: &'a Candidate,
    credentials: &'a Credentials,
    runtime: &'a Runtime,
    requests: usize,
) -> Variant<'a> {
    let mut credentials = credentials.of(candidate.peer.form).iter().cycle();
    Variant::measured(candidate.peer.name, move || {
        let of_round: Vec<HeaderValue> = credentials.by_ref().take(requests).cloned().collect();
        let mut app = candidate.app.borrow_mut();
        app.prepare(&of_round);
        cpu::time(|| app.answer(runtime)) / requests as f64
    })
}
