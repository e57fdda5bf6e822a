//! Login attempts: a key for each, which expires when it means nothing any more.

use std::time::Duration;

use ::redis::Script;

use super::RedisStore;
use super::index::text_of;
use super::request::{Request, StaticScript};
use crate::store::{AttemptStore, CountedAttempt, StoreFuture};

static COUNT: StaticScript = StaticScript::new(|| Script::new(include_str!("scripts/count_attempts.lua")));

impl AttemptStore for RedisStore {
    fn count(&self, attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>> {
        Box::pin(async move {
            if attempts.is_empty() {
                return Ok(None);
            }
            let keys = attempts.iter().map(|attempt| self.keys().attempt(&text_of(*attempt.key.as_bytes())));
            let mut request = Request::write_script(&COUNT, &keys.collect::<Vec<_>>());
            for CountedAttempt { limit, .. } in attempts {
                request =
                    request.arg(whole_milliseconds(limit.replenish_one_every())).arg(limit.burst().get());
            }
            let wait: u64 = self.call(&request).await?;
            Ok(Some(Duration::from_millis(wait)).filter(|wait| !wait.is_zero()))
        })
    }

    /// The server does, by itself.
    fn drop_expired(&self) -> StoreFuture<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

/// Not shorter than the duration.
fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::whole_milliseconds;

    #[test]
    fn a_part_of_a_millisecond_counts_as_one() {
        for (nanoseconds, milliseconds) in [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)] {
            assert_eq!(whole_milliseconds(Duration::from_nanos(nanoseconds)), milliseconds);
        }
    }
}
