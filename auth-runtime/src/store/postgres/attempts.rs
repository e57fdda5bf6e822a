//! The limits of login attempts.

use std::time::Duration;

use sqlx::Row as _;

use super::database::Access;
use super::{MAX_DROPPED, PostgresStore};
use crate::store::{AttemptStore, CountedAttempt, StoreError, StoreFuture};

impl PostgresStore {
    /// Returns how long to wait, if the attempt is rejected. It is counted in a transaction of its own: one that held the rows of two
    /// keys could wait for another that holds them in the other order.
    async fn count_one(&self, attempt: CountedAttempt) -> Result<Option<Duration>, StoreError> {
        let database = &self.inner.database;
        let key = attempt.key.as_bytes().to_vec();
        // Rounded up, so that no more are counted.
        let cost = attempt.limit.replenish_one_every().as_nanos().div_ceil(1000);
        let cost = i64::try_from(cost).unwrap_or(i64::MAX >> 17);
        let burst = cost.saturating_mul(i64::from(attempt.limit.burst().get()));
        let count = database.statement(|all| &all.count_attempt).bind(key.clone()).bind(cost).bind(burst);
        if !database.run(Access::Write, count).await?.is_empty() {
            return Ok(None);
        }
        let wait = database.statement(|all| &all.attempt_wait).bind(key).bind(cost).bind(burst);
        let rows = database.run(Access::Read, wait).await?;
        let wait = rows.first().map(|row| row.try_get::<i64, _>("wait")).transpose();
        let wait = wait.map_err(|error| database.unreadable("an attempt", error))?.unwrap_or(0);
        // It can have passed by now, and is longer than zero.
        Ok(Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0).max(1))))
    }
}

impl AttemptStore for PostgresStore {
    fn count(&self, attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>> {
        Box::pin(async move {
            for attempt in attempts {
                if let Some(wait) = self.count_one(attempt).await? {
                    return Ok(Some(wait));
                }
            }
            Ok(None)
        })
    }

    fn drop_expired(&self) -> StoreFuture<'_, bool> {
        let statement = self.inner.database.statement(|all| &all.drop_attempts).bind(MAX_DROPPED);
        Box::pin(self.drop_rows(statement))
    }
}
