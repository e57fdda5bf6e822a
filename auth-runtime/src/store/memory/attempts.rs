//! Login attempts in memory: of each key the time at which all are replenished.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::{BATCH, MemoryStore, done};
use crate::store::{AttemptKey, AttemptStore, CountedAttempt, StoreFuture};

/// Times of a clock that can't be set, and that a test can pause.
#[derive(Default)]
pub(super) struct AttemptTables {
    arrivals: HashMap<AttemptKey, Instant>,
    by_arrival: BTreeSet<(Instant, AttemptKey)>,
}

impl AttemptTables {
    /// Counts an attempt, or returns how long to wait.
    fn count(&mut self, attempt: CountedAttempt, now: Instant) -> Result<(), Duration> {
        let CountedAttempt { key, limit } = attempt;
        let arrival = self.arrivals.get(&key).copied();
        let ahead = arrival.map_or(Duration::ZERO, |arrival| arrival.saturating_duration_since(now));
        let next = now + limit.count(ahead)?;
        if let Some(arrival) = arrival {
            self.by_arrival.remove(&(arrival, key));
        }
        self.by_arrival.insert((next, key));
        self.arrivals.insert(key, next);
        Ok(())
    }

    fn first_expired(&self, now: Instant) -> Option<(Instant, AttemptKey)> {
        self.by_arrival.first().copied().filter(|(arrival, _)| *arrival <= now)
    }
}

impl AttemptStore for MemoryStore {
    fn count(&self, attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>> {
        let now = Instant::now();
        let tables = &mut self.tables().attempts;
        done(attempts.into_iter().find_map(|attempt| tables.count(attempt, now).err()))
    }

    fn drop_expired(&self) -> StoreFuture<'_, bool> {
        let now = Instant::now();
        let tables = &mut self.tables().attempts;
        for _ in 0..BATCH {
            let Some((arrival, key)) = tables.first_expired(now) else { break };
            tables.by_arrival.remove(&(arrival, key));
            tables.arrivals.remove(&key);
        }
        done(tables.first_expired(now).is_some())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::store::AttemptLimit;

    fn attempt(key: u8, limit: AttemptLimit) -> CountedAttempt {
        CountedAttempt { key: AttemptKey::new([key; 16]), limit }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_replenished_one_by_one() {
        let store = MemoryStore::new();
        let limit = AttemptLimit::new(2, Duration::from_secs(30));
        for (second, expected) in
            [(0, 0), (0, 0), (0, 30), (29, 1), (1, 0), (0, 30), (90, 0), (0, 0), (0, 30)]
        {
            advance(Duration::from_secs(second)).await;
            let wait = store.count(vec![attempt(1, limit)]).await.unwrap();
            assert_eq!(wait.map_or(0, |wait| wait.as_secs()), expected, "{second} seconds later");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_whose_attempts_are_replenished_are_dropped() {
        let store = MemoryStore::new();
        for key in 0..100 {
            let limit = AttemptLimit::new(2, Duration::from_secs(if key < 50 { 10 } else { 20 }));
            assert_eq!(store.count(vec![attempt(key, limit)]).await.unwrap(), None);
        }
        for (second, left) in [(0, 100), (9, 100), (1, 50), (10, 0)] {
            advance(Duration::from_secs(second)).await;
            assert!(!AttemptStore::drop_expired(&store).await.unwrap());
            let tables = store.tables();
            assert_eq!((tables.attempts.arrivals.len(), tables.attempts.by_arrival.len()), (left, left));
        }
    }
}
