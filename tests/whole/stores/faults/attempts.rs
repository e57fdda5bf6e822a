//! Faults of a store of login attempts.

use std::collections::HashMap;
use std::time::Duration;

use auth_runtime::store::{AttemptKey, AttemptLimit, AttemptStore, CountedAttempt, MemoryStore, StoreFuture};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::{Fault, Faulty, faults};

faults! { attempts:
    as_many_attempts_are_counted_as_the_limit_allows: AllowsOneMore;
    the_wait_is_how_long_until_one_is_replenished: AddsToTheWait, SaysTooShortAWait;
    after_the_wait_an_attempt_is_counted: SaysTooShortAWait, AddsToTheWait;
    idle_time_allows_no_more_than_the_burst: SavesUpAttempts;
    keys_are_counted_apart: CutsKeys;
    attempts_are_counted_up_to_the_first_that_is_rejected: CountsWhatComesAfterARejection, LosesTheLastOfABatch;
    the_limit_of_a_key_may_change: CountsByLimit;
    of_simultaneous_attempts_no_more_are_counted_than_allowed: CountsInTwoSteps, AllowsOneMore;
    dropping_expired_attempts_ends_and_drops_no_others: AlwaysSaysMore, DropsEverything;
}

#[tokio::test]
async fn a_store_without_a_fault_satisfies_the_rules() {
    use auth_runtime::testing::store_contract::attempts as rules;

    let open = async || Faulty::new(Fault::ReadsBackwards); // of the log
    rules::as_many_attempts_are_counted_as_the_limit_allows(open).await.unwrap();
    rules::idle_time_allows_no_more_than_the_burst(open).await.unwrap();
    rules::of_simultaneous_attempts_no_more_are_counted_than_allowed(open).await.unwrap();
    rules::dropping_expired_attempts_ends_and_drops_no_others(open).await.unwrap();
}

#[derive(Debug, Default)]
pub(super) struct AttemptState {
    arrivals: HashMap<AttemptKey, Instant>,
    by_limit: HashMap<u32, MemoryStore>,
    by_half: HashMap<[u8; 8], AttemptKey>,
}

impl Faulty {
    /// Counts one attempt with a table of its own.
    async fn count_by_hand(&self, attempt: CountedAttempt) -> Option<Duration> {
        let CountedAttempt { key, limit } = attempt;
        let now = Instant::now();
        let arrival = self.attempts.lock().unwrap().arrivals.get(&key).copied();
        if self.has(Fault::CountsInTwoSteps) {
            yield_now().await;
        }
        // No maximum with the present.
        let next = arrival.unwrap_or(now) + limit.replenish_one_every();
        let latest = now + limit.replenish_one_every() * limit.burst().get();
        if next > latest {
            return Some(next - latest);
        }
        self.attempts.lock().unwrap().arrivals.insert(key, next);
        None
    }
}

impl AttemptStore for Faulty {
    fn count(&self, mut attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>> {
        Box::pin(async move {
            let mut inner = self.inner();
            match self.fault {
                Fault::AllowsOneMore => {
                    for CountedAttempt { limit, .. } in &mut attempts {
                        *limit = AttemptLimit::new(limit.burst().get() + 1, limit.replenish_one_every());
                    }
                }
                Fault::LosesTheLastOfABatch => attempts.truncate(1),
                Fault::CutsKeys => {
                    let mut state = self.attempts.lock().unwrap();
                    for CountedAttempt { key, .. } in &mut attempts {
                        let half = *key.as_bytes().first_chunk().unwrap();
                        *key = *state.by_half.entry(half).or_insert(*key);
                    }
                }
                Fault::CountsByLimit => {
                    let burst = attempts.first().map_or(0, |attempt| attempt.limit.burst().get());
                    inner = self.attempts.lock().unwrap().by_limit.entry(burst).or_default().clone();
                }
                Fault::CountsWhatComesAfterARejection => {
                    let mut wait = None;
                    for attempt in attempts {
                        wait = wait.or(inner.count(vec![attempt]).await?);
                    }
                    return Ok(wait);
                }
                Fault::CountsInTwoSteps | Fault::SavesUpAttempts => {
                    for attempt in attempts {
                        if let Some(wait) = self.count_by_hand(attempt).await {
                            return Ok(Some(wait));
                        }
                    }
                    return Ok(None);
                }
                _ => {}
            }
            let wait = inner.count(attempts).await?;
            Ok(match self.fault {
                Fault::AddsToTheWait => wait.map(|wait| wait * 2),
                Fault::SaysTooShortAWait => wait.map(|wait| wait / 3),
                _ => wait,
            })
        })
    }

    fn drop_expired(&self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            if self.has(Fault::DropsEverything) {
                *self.inner.lock().unwrap() = MemoryStore::new();
                return Ok(false);
            }
            self.says_more(AttemptStore::drop_expired(&self.inner()).await)
        })
    }
}
