//! Callers that log in, refresh and log out at the same time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use auth_runtime::session::{Subject, TokenService};
use benches::cpu;
use tokio::task::JoinSet;

/// In this order: a session is begun, continued, and ended.
pub const OPERATIONS: [Operation; 3] = [Operation::Login, Operation::Refresh, Operation::Logout];

/// How long the logins of a round take, about.
const ROUND: Duration = Duration::from_millis(150);

/// How many sessions a caller begins before it is known how many fill a round.
const FIRST: usize = 8;

/// So that the sessions of a round take little memory.
const MOST: usize = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Login,
    Refresh,
    Logout,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Logout => "logout",
        }
    }
}

/// What all callers together have done.
pub struct Done {
    pub count: f64,
    pub elapsed: Duration,
    /// The time of this process on cores.
    pub on_cores: Duration,
}

/// The callers of one store.
pub struct Work {
    tokens: TokenService,
    /// The refresh tokens of the sessions of each caller.
    sessions: Vec<Vec<String>>,
    /// How many sessions each begins in a round.
    count: usize,
}

impl Work {
    pub fn new(tokens: TokenService, at_once: usize) -> Self {
        Self { tokens, sessions: vec![Vec::new(); at_once], count: FIRST }
    }

    /// Does it with every session of a round.
    pub async fn run(&mut self, operation: Operation) -> Done {
        let (began, before, mut tasks) = (Instant::now(), cpu::of_process(), JoinSet::new());
        let count = self.count;
        for sessions in std::mem::take(&mut self.sessions) {
            let tokens = self.tokens.clone();
            tasks.spawn(async move {
                match operation {
                    Operation::Login => log_in(&tokens, count).await,
                    Operation::Refresh => refresh(&tokens, sessions).await,
                    Operation::Logout => log_out(&tokens, sessions).await,
                }
            });
        }
        self.sessions = tasks.join_all().await;
        let (elapsed, on_cores) = (began.elapsed(), cpu::of_process() - before);
        let done = count * self.sessions.len();
        if operation == Operation::Logout && count == FIRST {
            let fills = FIRST as f64 * ROUND.as_secs_f64() / elapsed.as_secs_f64();
            self.count = (fills as usize).clamp(FIRST + 1, MOST);
        }
        Done { count: done as f64, elapsed, on_cores }
    }
}

/// Each is a session of another user.
async fn log_in(tokens: &TokenService, count: usize) -> Vec<String> {
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        let user = Subject::new(format!("user {}", NUMBERS.fetch_add(1, Ordering::Relaxed)));
        sessions.push(tokens.issue(&user).await.expect("a session").refresh_token);
    }
    sessions
}

async fn refresh(tokens: &TokenService, sessions: Vec<String>) -> Vec<String> {
    let mut refreshed = Vec::with_capacity(sessions.len());
    for session in &sessions {
        let next = tokens.refresh(session).await.expect("a session is continued").refresh_token;
        assert_ne!(*session, next, "a refresh token is used once");
        refreshed.push(next);
    }
    refreshed
}

async fn log_out(tokens: &TokenService, sessions: Vec<String>) -> Vec<String> {
    for session in sessions {
        assert!(tokens.log_out(&session).await.expect("a session is ended"), "it was not ended before");
    }
    Vec::new()
}
