//! A connection to the primary, which many calls share, and which is made again after it failed.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::redis::FromRedisValue;
use ::redis::aio::MultiplexedConnection;
use tokio::runtime::Handle;

use super::failure::Failure;
use super::request::{Replicas, Request, read_answer};
use super::target::{Connected, Target};
use super::time_limit::within;
use crate::store::StoreError;

const MIN_DELAY: Duration = Duration::from_millis(25);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// A connection to the primary, which many calls share, and which is made again after it failed.
#[derive(Debug)]
pub(super) struct Link {
    target: Arc<Target>,
    replicas: Option<Replicas>,
    current: Mutex<Option<Current>>,
    /// Locked while a connection is made: one at a time.
    connecting: tokio::sync::Mutex<Backoff>,
    /// Of the connections that were made.
    numbers: AtomicU64,
}

#[derive(Clone, Debug)]
struct Current {
    number: u64,
    connection: MultiplexedConnection,
    address: Arc<str>,
}

/// After a failure to connect, calls fail with it for a while, without another attempt.
#[derive(Debug, Default)]
struct Backoff {
    failures: u32,
    last: Option<(StoreError, Instant)>,
}

impl Link {
    pub(super) fn new(target: Arc<Target>, replicas: Option<Replicas>) -> Self {
        Self {
            target,
            replicas,
            current: Mutex::new(None),
            connecting: tokio::sync::Mutex::default(),
            numbers: AtomicU64::new(0),
        }
    }

    /// Uses this connection from now on.
    pub(super) fn set(&self, Connected { connection, address, warnings: _ }: Connected) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        *self.lock() = Some(Current { number, connection, address: address.into() });
    }

    /// Sends a request, and returns the answer. A request that was surely not executed, or that changes nothing, is sent once more on a new
    /// connection if this one failed.
    ///
    /// # Errors
    /// [`StoreError`] if it failed. Then a write may or may not be done.
    pub(super) async fn call<T: FromRedisValue>(&self, request: &Request) -> Result<T, StoreError> {
        self.call_within(self.target.time_limit, request).await
    }

    /// The same, with a limit of its own on how long it takes.
    pub(super) async fn call_within<T: FromRedisValue>(
        &self,
        limit: Duration,
        request: &Request,
    ) -> Result<T, StoreError> {
        if Handle::try_current().is_err() {
            return Err(outside_of_runtime());
        }
        let used = Mutex::new(None);
        let done = within(limit, self.call_without_limit(request, &used)).await;
        done.unwrap_or_else(|| {
            let used: Option<Current> = used.lock().unwrap_or_else(PoisonError::into_inner).take();
            let failure = Failure::TimeLimit(self.target.time_limit);
            match used {
                Some(current) => {
                    self.discard(current.number);
                    Err(failure.describe(current.address))
                }
                None => Err(failure.describe(&self.target)),
            }
        })
    }

    async fn call_without_limit<T: FromRedisValue>(
        &self,
        request: &Request,
        used: &Mutex<Option<Current>>,
    ) -> Result<T, StoreError> {
        let mut is_first = true;
        loop {
            let mut current = self.current().await?;
            *used.lock().unwrap_or_else(PoisonError::into_inner) = Some(current.clone());
            let sent = request.send(&mut current.connection, self.replicas).await;
            let failure = match sent.and_then(read_answer) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let mut is_tried_again = false;
            if failure.is_of_the_connection() {
                self.discard(current.number);
                is_tried_again = is_first && (!request.is_write() || failure.is_of_another_server());
            } else if failure.is_of_lost_replicas() && self.target.has_sentinels() {
                self.discard(current.number);
            }
            if !is_tried_again {
                return Err(failure.describe(current.address));
            }
            is_first = false;
        }
    }

    /// The connection, which is made if there is none.
    async fn current(&self) -> Result<Current, StoreError> {
        if let Some(current) = self.peek() {
            return Ok(current);
        }
        let mut backoff = self.connecting.lock().await;
        if let Some(current) = self.peek() {
            return Ok(current);
        }
        if let Some((error, until)) = &backoff.last
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.target.connect().await {
            Ok(connected) => {
                *backoff = Backoff::default();
                self.set(connected);
            }
            Err(error) => {
                backoff.failures = backoff.failures.saturating_add(1);
                backoff.last = Some((error.clone(), Instant::now() + delay(backoff.failures)));
                return Err(error);
            }
        }
        self.peek().ok_or_else(|| StoreError::new("the connection to Redis was lost at once"))
    }

    fn peek(&self) -> Option<Current> {
        self.lock().clone()
    }

    /// Does not use this connection any more.
    fn discard(&self, number: u64) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|current| current.number == number) {
            *current = None;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn outside_of_runtime() -> StoreError {
    StoreError::new("the store in Redis was used outside of a tokio runtime: call it from a task of one")
}

/// How long to wait before connecting again after so many failures: twice as long after each, and by chance up to a half less, so that the
/// instances of a service do not come at once.
pub(super) fn delay(failures: u32) -> Duration {
    let longest = MIN_DELAY.saturating_mul(2_u32.saturating_pow(failures)).min(MAX_DELAY);
    let chance = u32::try_from(RandomState::new().hash_one(failures) % 512).unwrap_or_default();
    longest - longest / 1024 * chance
}

#[cfg(test)]
mod tests {
    use super::{MAX_DELAY, MIN_DELAY, delay};

    #[test]
    fn a_delay_grows_up_to_a_second_and_is_not_the_same_for_all() {
        for failures in [0, 1, 2, 5, 31, 32, u32::MAX] {
            let longest = MIN_DELAY.saturating_mul(2_u32.saturating_pow(failures)).min(MAX_DELAY);
            let delays: Vec<_> = (0..100).map(|_| delay(failures)).collect();
            assert!(delays.iter().all(|delay| longest / 2 <= *delay && *delay <= longest), "{delays:?}");
            assert!(delays.iter().any(|delay| delay != &delays[0]));
        }
    }
}
