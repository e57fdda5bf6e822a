//! The contract of a store, as tests for any store: each function is a rule of a trait, and says what was found where a store breaks it.
//!
//! | file | what |
//! |---|---|
//! | `expansion` | the macro: a test for each rule |
//! | `rules` | the rules of each trait in words, and why they matter |
//! | `two_instances` | two instances that have the store open |
//! | `revocation_log`, `refresh_tokens`, `api_keys`, `attempts` | the rules as functions |

#[cfg(feature = "api-keys")]
pub mod api_keys;
#[cfg(feature = "token-routes")]
pub mod attempts;
mod expansion;
pub mod refresh_tokens;
pub mod revocation_log;
mod rules;
mod two_instances;

use std::fmt::{self, Debug, Display};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::{JoinError, JoinSet};

pub use self::two_instances::TwoInstances;
use crate::store::StoreError;

/// What a rule of the contract has found.
pub type Checked = Result<(), Broken>;

/// A store breaks a rule: what was found.
#[derive(Debug)]
pub struct Broken(String);

/// The longest text of a value in a message, in bytes.
const MAX_TEXT: usize = 600;

/// How many tasks add rows at a time: a store may have a pool of connections.
const WRITERS: usize = 32;

/// Runs the test of a rule on a runtime of its own, with two threads, so that a crate with a store needs no runtime for its tests.
///
/// # Panics
/// If the store breaks the rule.
#[allow(clippy::panic, reason = "a panic fails the test")]
#[track_caller]
pub fn run(store: &str, contract: &str, rule: &str, why: &str, test: impl Future<Output = Checked>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("the system starts a runtime");
    if let Err(broken) = runtime.block_on(test) {
        panic!(
            "{store} breaks a rule of `{contract}`: {rule}.\nWhy it matters: {why}.\nWhat was found: {broken}"
        );
    }
}

impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self(format!("a call failed: {error}"))
    }
}

impl From<JoinError> for Broken {
    fn from(error: JoinError) -> Self {
        Self(format!("a call panicked: {error}"))
    }
}

/// Checks that something holds; otherwise `found` says what was found.
fn ensure(holds: bool, found: impl Display) -> Checked {
    if holds { Ok(()) } else { Err(Broken(found.to_string())) }
}

/// Checks that what was found is what was expected; `of` says of what.
fn equal<T: Debug + PartialEq<U>, U: Debug>(found: T, expected: U, of: impl Display) -> Checked {
    ensure(found == expected, format_args!("{of}: found {}, expected {}", short(&found), short(&expected)))
}

/// The value as text, cut where it is long.
fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.get(..text.floor_char_boundary(MAX_TEXT)) {
        Some(start) if start.len() < text.len() => format!("{start}.. ({} bytes)", text.len()),
        _ => text,
    }
}

/// Awaits the tasks, and returns what they return.
async fn all<T: 'static>(mut tasks: JoinSet<Result<T, StoreError>>) -> Result<Vec<T>, Broken> {
    let mut results = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        results.push(ended??);
    }
    Ok(results)
}

/// Adds so many rows, some at a time.
async fn add<F>(rows: usize, insert: impl Fn(usize) -> F + Clone + Send + 'static) -> Checked
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let insert = insert.clone();
        tasks.spawn(async move {
            for number in (writer..rows).step_by(WRITERS) {
                insert(number).await?;
            }
            Ok(())
        });
    }
    all(tasks).await.map(drop)
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The times at and before which nothing has expired, although a clock shows them.
fn before_the_epoch() -> [SystemTime; 3] {
    [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH - Duration::from_nanos(1), UNIX_EPOCH]
}

/// Odd, but strings all the same; the last is of a length that a column may not have.
fn odd_strings() -> Vec<String> {
    let odd = ["", " ", "\0", "a\0b", "Ω é e\u{301} 🦀\u{202e}", "'; drop table \"log\" --\n%_\\"];
    odd.into_iter().map(String::from).chain(["x".repeat(1024)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule that is in no list is a test that never runs.
    #[test]
    fn every_rule_is_in_a_list() {
        let rules = include_str!("store_contract/rules.rs");
        for file in [
            include_str!("store_contract/revocation_log/history.rs"),
            include_str!("store_contract/revocation_log/opened_again.rs"),
            include_str!("store_contract/revocation_log/reading.rs"),
            include_str!("store_contract/revocation_log/retention.rs"),
            include_str!("store_contract/refresh_tokens.rs"),
            include_str!("store_contract/refresh_tokens/list.rs"),
            include_str!("store_contract/refresh_tokens/retention.rs"),
            include_str!("store_contract/api_keys.rs"),
            include_str!("store_contract/attempts.rs"),
        ] {
            let names = file.split("pub async fn ").skip(1).filter_map(|rest| rest.split_once('<'));
            let names: Vec<_> = names.map(|(name, _)| name).collect();
            assert!(names.len() > 2, "{names:?}");
            for name in names {
                assert_eq!(rules.matches(&format!("{name}:")).count(), 1, "{name}");
            }
        }
    }

    #[test]
    fn a_broken_rule_is_a_panic_that_says_which_and_why() {
        let broken = async { equal(1, 2, "of a new log") };
        let panic =
            std::panic::catch_unwind(|| run("the store", "RevocationLog", "the rule", "the reason", broken))
                .unwrap_err();
        let text = panic.downcast::<String>().unwrap();
        assert_eq!(
            *text,
            "the store breaks a rule of `RevocationLog`: the rule.\nWhy it matters: the reason.\nWhat was found: of a new \
             log: found 1, expected 2"
        );
        run("the store", "RevocationLog", "the rule", "the reason", async { equal(1, 1, "") });
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(short(&"x"), "\"x\"");
        assert!(short(&"é".repeat(1000)).ends_with(".. (2002 bytes)"));
    }
}
