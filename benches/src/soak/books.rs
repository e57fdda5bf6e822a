//! What the server has acknowledged, so that it can be asked again after a restart.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

/// Access tokens are valid for 15 minutes. One that is older than this is not used.
pub(crate) const ACCESS_TOKEN_AGE: Duration = Duration::from_secs(14 * 60);

/// The server ends the oldest session of a user that has more than 100.
const MOST_SESSIONS: usize = 95;

/// Login attempts of an account at once: the server allows 10.
const ATTEMPTS: f64 = 9.0;

/// A little slower than the server's: one more every 30 seconds.
const REPLENISH_ONE_EVERY: f64 = 32.0;

/// Connections of one user at the same time.
pub(crate) const CLIENTS: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) at: Instant,
}

/// A session that was acknowledged, with its newest tokens.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) tokens: Tokens,
    /// The tokens before these, the newest last.
    pub(crate) former: Vec<Tokens>,
    /// Whether a guarded route was called with the newest access token.
    pub(crate) is_used: bool,
}

impl Session {
    pub(crate) fn new(tokens: Tokens) -> Self {
        Self { tokens, former: Vec::new(), is_used: false }
    }

    pub(crate) fn rotate(&mut self, next: Tokens) {
        self.former.push(std::mem::replace(&mut self.tokens, next));
        self.is_used = false;
        if self.former.len() > 2 {
            self.former.remove(0);
        }
    }

    /// The session has ended: so have all of its tokens.
    pub(crate) fn end(self, how: &'static str) -> Vec<Ended> {
        self.former.into_iter().chain([self.tokens]).map(|tokens| Ended { tokens, how }).collect()
    }
}

/// Tokens of a session that has ended, which was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) tokens: Tokens,
    pub(crate) how: &'static str,
}

/// A user of the quickstart.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) is_admin: bool,
    pub(crate) clients: [Client; CLIENTS],
    /// Held to write while the user is logged out everywhere: what is answered before and after it is then known.
    pub(crate) everywhere: RwLock<()>,
    budget: Mutex<(f64, Instant)>,
    /// How many sessions the server may have of this user, with those whose login or logout was not acknowledged.
    sessions_at_most: AtomicUsize,
}

/// One client of a user, with an address of its own.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) address: Ipv4Addr,
    pub(crate) sessions: Mutex<Vec<Session>>,
}

impl Account {
    fn new(number: u8, name: &'static str, password: &'static str) -> Self {
        let client = |client: usize| Client {
            address: Ipv4Addr::new(127, 9, number + 1, client as u8 + 1),
            sessions: Mutex::default(),
        };
        Self {
            name,
            password,
            is_admin: number == 0,
            clients: std::array::from_fn(client),
            everywhere: RwLock::default(),
            budget: Mutex::new((ATTEMPTS, Instant::now())),
            sessions_at_most: AtomicUsize::new(0),
        }
    }

    /// The server has restarted: it has forgotten the attempts.
    pub(crate) fn refill(&self) {
        *self.budget.lock().unwrap() = (ATTEMPTS, Instant::now());
    }

    /// Takes a login attempt, if as many as `reserve` are left then. The server would answer 429 to more.
    pub(crate) fn take_attempt(&self, reserve: u8) -> bool {
        let mut budget = self.budget.lock().unwrap();
        let (left, at) = *budget;
        let left = (left + at.elapsed().as_secs_f64() / REPLENISH_ONE_EVERY).min(ATTEMPTS);
        let is_taken =
            left >= f64::from(reserve) + 1.0 && self.sessions_at_most.load(Ordering::Relaxed) < MOST_SESSIONS;
        *budget = (if is_taken { left - 1.0 } else { left }, Instant::now());
        is_taken
    }

    pub(crate) fn session_may_begin(&self) {
        self.sessions_at_most.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn session_has_ended(&self) {
        self.sessions_at_most.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn all_sessions_have_ended(&self) {
        self.sessions_at_most.store(0, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) accounts: [Account; 2],
    pub(crate) ended: Mutex<Vec<Ended>>,
    /// Sessions of which an answer was lost, so that it is not known what holds of them.
    pub(crate) unknown: AtomicUsize,
}

impl Books {
    pub(crate) fn new() -> Self {
        Self {
            accounts: [Account::new(0, "alice", "wonderland"), Account::new(1, "bob", "builder")],
            ended: Mutex::default(),
            unknown: AtomicUsize::new(0),
        }
    }
}
