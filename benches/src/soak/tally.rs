//! The answers by kind of request and status, and which promises were broken.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use benches::quickstart::client::Answer;

/// So many failures are described. Further ones are counted.
const MOST_DESCRIBED: usize = 40;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Status(u16),
    /// The server closed the connection without an answer, which is right for some hostile requests.
    Closed,
    /// The server was killed before it had answered.
    Killed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Closed => f.write_str("closed"),
            Self::Killed => f.write_str("killed"),
        }
    }
}

/// What may be answered to a kind of request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) statuses: &'static [u16],
    /// Whether the server may close the connection without an answer.
    pub(crate) or_closed: bool,
}

impl Expected {
    pub(crate) const fn one_of(statuses: &'static [u16]) -> Self {
        Self { statuses, or_closed: false }
    }

    pub(crate) const fn or_closed(statuses: &'static [u16]) -> Self {
        Self { statuses, or_closed: true }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_kind: Mutex<BTreeMap<&'static str, BTreeMap<Outcome, u64>>>,
    failures: Mutex<Vec<String>>,
    failed: AtomicU64,
    /// What was acknowledged and did not hold.
    lost: AtomicU64,
}

impl Tally {
    /// Counts what became of a request, and returns the answer if it is one of the expected ones. `is_killed`: the server was killed,
    /// or is about to be.
    pub(crate) fn judge(
        &self,
        kind: &'static str,
        expected: Expected,
        answer: io::Result<Answer>,
        is_killed: bool,
    ) -> Option<Answer> {
        let (outcome, answer) = match answer {
            Ok(answer) => (Outcome::Status(answer.status), Some(answer)),
            Err(_) if is_killed => (Outcome::Killed, None),
            Err(error) => {
                if !expected.or_closed {
                    self.fail(format!("{kind}: no answer ({error})"));
                }
                (Outcome::Closed, None)
            }
        };
        *self.by_kind.lock().unwrap().entry(kind).or_default().entry(outcome).or_default() += 1;
        let answer = answer?;
        if expected.statuses.contains(&answer.status) {
            return Some(answer);
        }
        let body: String = answer.body.chars().take(200).collect();
        self.fail(format!("{kind}: answered {}, not one of {:?}: {body}", answer.status, expected.statuses));
        None
    }

    /// A promise is broken.
    pub(crate) fn fail(&self, text: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut failures = self.failures.lock().unwrap();
        if failures.len() < MOST_DESCRIBED {
            failures.push(text);
        }
    }

    /// What was acknowledged does not hold.
    pub(crate) fn lose(&self, text: String) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.fail(format!("LOST: {text}"));
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }

    /// A line for each kind: its answers by status.
    pub(crate) fn lines(&self) -> Vec<String> {
        let by_kind = self.by_kind.lock().unwrap();
        let line = |(kind, outcomes): (&&str, &BTreeMap<Outcome, u64>)| {
            let outcomes = outcomes.iter().map(|(outcome, count)| format!("{count} × {outcome}"));
            format!("  {kind:<34} {}", outcomes.collect::<Vec<_>>().join(", "))
        };
        by_kind.iter().map(line).collect()
    }

    /// How many requests were answered, and how many of them with 5xx other than 503.
    pub(crate) fn answered(&self) -> (u64, u64) {
        let by_kind = self.by_kind.lock().unwrap();
        let (mut all, mut errors) = (0, 0);
        for (outcome, count) in by_kind.values().flatten() {
            if let Outcome::Status(status) = outcome {
                all += count;
                errors += if *status >= 500 && *status != 503 { *count } else { 0 };
            }
        }
        (all, errors)
    }
}
