//! A contract that no store can break is none: a store with a typical fault fails the rule that is about it.

mod api_keys;
mod attempts;
mod log;
mod refresh_tokens;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::store::{MemoryStore, StoreError};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    AcceptsEveryCursor,
    AddsToTheWait,
    AddsWhatIsMissing,
    AllowsOneMore,
    AlwaysSaysMore,
    AppendsOneByOne,
    ComparesAShorterText,
    CountsByLimit,
    CountsInTwoSteps,
    CountsWhatComesAfterARejection,
    CutsKeys,
    CutsTexts,
    DropsEverything,
    DropsTooEarly,
    FindsOneTooMany,
    ForgetsTheLastDropped,
    IgnoresTheLimit,
    IgnoresTheVersion,
    KeepsTheFirstExpiry,
    ListsById,
    ListsByVersion,
    LosesItsPlace,
    LosesLargeData,
    LosesTheLastOfABatch,
    LosesTheSign,
    NeverSaysMore,
    NeverWakes,
    ReadsBackwards,
    RemembersTheLatest,
    RepeatsTheCursor,
    ReplacesInTwoSteps,
    RevokesAgain,
    SavesUpAttempts,
    SaysItCannotBeWritten,
    SaysTooShortAWait,
    ShowsAnEntryLater,
    ShowsMillisecondsAsSeconds,
    StartsAgainWhenEmpty,
    TakesTimesWithoutTheSign,
    WakesForNothing,
    WakesOnlyWaiters,
}

/// A store in memory that has a fault.
#[derive(Clone, Debug)]
struct Faulty {
    fault: Fault,
    inner: Arc<Mutex<MemoryStore>>,
    log: Arc<Mutex<log::LogState>>,
    attempts: Arc<Mutex<attempts::AttemptState>>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self { fault, inner: Arc::default(), log: Arc::default(), attempts: Arc::default() }
    }

    fn inner(&self) -> MemoryStore {
        self.inner.lock().unwrap().clone()
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The time before which it drops.
    fn drop_before(&self, time: SystemTime) -> SystemTime {
        match self.fault {
            Fault::DropsTooEarly => time + Duration::from_secs(1),
            Fault::TakesTimesWithoutTheSign if time <= UNIX_EPOCH => {
                UNIX_EPOCH + Duration::from_secs(1 << 40)
            }
            _ => time,
        }
    }

    fn says_more(&self, more: Result<bool, StoreError>) -> Result<bool, StoreError> {
        Ok(match self.fault {
            Fault::AlwaysSaysMore => true,
            Fault::NeverSaysMore => false,
            _ => more?,
        })
    }
}

/// For each rule the faults that break it. Each line is a test: with the first fault and with each other.
macro_rules! faults {
    ($module:ident: $($rule:ident: $($fault:ident),+;)+) => {$(
        #[tokio::test]
        async fn $rule() {
            $(
                let broken = auth_runtime::testing::store_contract::$module::$rule(async || {
                    crate::stores::faults::Faulty::new(crate::stores::faults::Fault::$fault)
                });
                assert!(broken.await.is_err(), "a store that {} satisfies it", stringify!($fault));
            )+
        }
    )+};
}
use faults;

/// For each rule of a store that is opened again: one that has lost everything then.
macro_rules! losses {
    ($module:ident: $($rule:ident)+) => {$(
        #[tokio::test]
        async fn $rule() {
            let broken = auth_runtime::testing::store_contract::$module::$rule(async || {
                auth_runtime::store::MemoryStore::new()
            });
            assert!(broken.await.is_err(), "a store that loses everything satisfies it");
        }
    )+};
}
use losses;

/// A store whose instances share nothing breaks rules that each of them satisfies.
#[tokio::test]
async fn calls_of_two_instances_alternate() {
    use auth_runtime::testing::store_contract::{
        TwoInstances, api_keys, attempts, refresh_tokens, revocation_log,
    };

    let apart = async || TwoInstances::new(MemoryStore::new(), MemoryStore::new());
    assert!(revocation_log::entries_come_back_in_order_and_in_pages(apart).await.is_err());
    assert!(revocation_log::a_cursor_yields_exactly_what_is_after_it(apart).await.is_err());
    assert!(refresh_tokens::of_many_simultaneous_replaces_one_is_true(apart).await.is_err());
    assert!(refresh_tokens::families_of_an_issuer_come_in_pages(apart).await.is_err());
    assert!(api_keys::a_revoked_key_stays_revoked(apart).await.is_err());
    assert!(attempts::as_many_attempts_are_counted_as_the_limit_allows(apart).await.is_err());
}

/// A rule without a fault may be one that no store can break.
#[test]
fn every_rule_has_a_fault() {
    let rules = include_str!("../../../auth-runtime/src/testing/store_contract/rules.rs");
    let names = rules.lines().filter_map(|line| line.strip_prefix("        ")?.strip_suffix(':'));
    let names: Vec<_> = names.filter(|name| !name.contains(['"', ' '])).collect();
    assert!(names.len() > 45, "{names:?}");
    let faults = [
        include_str!("faults/log.rs"),
        include_str!("faults/refresh_tokens.rs"),
        include_str!("faults/api_keys.rs"),
        include_str!("faults/attempts.rs"),
    ];
    for name in names {
        let lines = faults.iter().flat_map(|file| file.lines()).map(str::trim);
        let (listed, written) = (format!("{name}: "), format!("async fn {name}()"));
        let is_there = lines
            .into_iter()
            .any(|line| line == name || line.starts_with(&listed) || line.starts_with(&written));
        assert!(is_there, "{name}");
    }
}
