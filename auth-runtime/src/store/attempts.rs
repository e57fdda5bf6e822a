//! Attempts at a login, as a store counts them for all instances of a service.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::StoreFuture;

/// The product of the two maxima is 2^62.9 ns, so a sum of few of them fits into 64 bits.
const MAX_BURST: u32 = 100_000;
const MAX_REPLENISH: Duration = Duration::from_secs(24 * 60 * 60);
const MIN_REPLENISH: Duration = Duration::from_millis(1);

/// A store that counts login attempts for all instances of a service (feature `token-routes`).
///
/// It has one number for each key: the *theoretical arrival time* of the generic cell rate algorithm (GCRA, ITU-T I.371), at which all
/// attempts are replenished. An attempt at the time `now` is counted if `max(arrival, now) + replenish_one_every` is at most
/// `now + burst * replenish_one_every`, and becomes the new arrival time; otherwise the difference is how long to wait.
/// [`AttemptLimit::count`] is this rule. A row whose time has passed means nothing. The times have a resolution of milliseconds or better.
///
/// ```sql
/// create table attempts (key bytea primary key, arrival bigint not null);
/// create index on attempts (arrival);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not count login attempts",
    label = "`AttemptStore` is not implemented",
    note = "`PostgresStore`, `RedisStore` and `MemoryStore` are stores of attempts; `RedbStore` has one process, whose own limits need no store"
)]
pub trait AttemptStore: fmt::Debug + Send + Sync + 'static {
    /// Counts an attempt for each of these, in their order and by the store's clock, up to the first whose limit rejects it. For that one
    /// and those after it nothing is counted. Returns how long to wait, if one rejects; longer than zero.
    ///
    /// However many callers count at the same time, in however many processes, no more attempts are counted for a key than its limit
    /// allows. The limit of a key may be another one than the last time: a new version of the service is being deployed.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store fails. Then some may be counted. The login is rejected.
    fn count(&self, attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>>;

    /// Deletes a bounded number of rows whose arrival time has passed by the store's clock, so that other calls do not wait for long.
    /// Returns whether more can be deleted. A store that lets them expire by itself does nothing.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store can't be written.
    fn drop_expired(&self) -> StoreFuture<'_, bool>;
}

/// What an attempt is counted for: an account, an address or a site, as a keyed hash that the library makes. Nothing in a store says whose
/// name or address it is, and who has the store can't find out by guessing: people type their password into the field of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptKey([u8; 16]);

impl AttemptKey {
    pub(crate) fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes of the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// An attempt to count for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "stores of others read it")]
pub struct CountedAttempt {
    /// What it is counted for.
    pub key: AttemptKey,
    /// How many attempts are allowed for the key.
    pub limit: AttemptLimit,
}

/// How many login attempts are allowed: a number at once, and one more in each interval after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimit {
    burst: NonZeroU32,
    replenish_one_every: Duration,
}

impl AttemptLimit {
    /// The default for an account: 10 attempts at once, and one more every 30 seconds.
    pub const PER_ACCOUNT: Self = Self::new(10, Duration::from_secs(30));

    /// The default for an address, which many people may share: 50 attempts at once, and one more every 2 seconds.
    pub const PER_ADDRESS: Self = Self::new(50, Duration::from_secs(2));

    /// The default for an IPv6 site (/48), which has 65,536 networks: 500 attempts at once, and one more every 200 milliseconds.
    pub const PER_IPV6_SITE: Self = Self::new(500, Duration::from_millis(200));

    /// `burst` attempts at once, and one more every `replenish_one_every`, up to `burst`.
    ///
    /// `burst` is clamped to 1 to 100,000, and `replenish_one_every` to 1 millisecond to 1 day.
    #[must_use]
    pub const fn new(burst: u32, replenish_one_every: Duration) -> Self {
        let burst = match NonZeroU32::new(if burst > MAX_BURST { MAX_BURST } else { burst }) {
            Some(burst) => burst,
            None => NonZeroU32::MIN,
        };
        let replenish_one_every = if replenish_one_every.as_nanos() < MIN_REPLENISH.as_nanos() {
            MIN_REPLENISH
        } else if replenish_one_every.as_nanos() > MAX_REPLENISH.as_nanos() {
            MAX_REPLENISH
        } else {
            replenish_one_every
        };
        Self { burst, replenish_one_every }
    }

    /// Returns how many attempts are allowed at once: 1 to 100,000.
    #[must_use]
    pub const fn burst(self) -> NonZeroU32 {
        self.burst
    }

    /// Returns the time after which one more attempt is allowed: 1 millisecond to 1 day.
    #[must_use]
    pub const fn replenish_one_every(self) -> Duration {
        self.replenish_one_every
    }

    /// Counts an attempt, for a store that is written in Rust. `ahead` is how far the theoretical arrival time of the key is after the
    /// present; zero if there is none, or if it has passed. Returns how far it is after it now.
    ///
    /// # Errors
    /// How long to wait, if the attempt is rejected. Then the arrival time stays.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use auth_runtime::store::AttemptLimit;
    ///
    /// let second = Duration::from_secs(1);
    /// let two_at_once = AttemptLimit::new(2, 30 * second);
    /// assert_eq!(two_at_once.count(Duration::ZERO), Ok(30 * second));
    /// assert_eq!(two_at_once.count(30 * second), Ok(60 * second));
    /// assert_eq!(two_at_once.count(60 * second), Err(30 * second));
    /// assert_eq!(two_at_once.count(29 * second), Ok(59 * second)); // half a minute later
    /// ```
    pub fn count(self, ahead: Duration) -> Result<Duration, Duration> {
        let next = ahead.saturating_add(self.replenish_one_every);
        let wait = next.saturating_sub(self.replenish_one_every.saturating_mul(self.burst.get()));
        if wait.is_zero() { Ok(next) } else { Err(wait) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_count_as_the_nearest() {
        let millisecond = Duration::from_millis(1);
        let day = Duration::from_secs(86_400);
        for ((burst, every), expected) in [
            ((0, Duration::ZERO), (1, millisecond)),
            ((1, Duration::from_nanos(1)), (1, millisecond)),
            ((u32::MAX, Duration::MAX), (100_000, day)),
            ((7, day), (7, day)),
        ] {
            let limit = AttemptLimit::new(burst, every);
            assert_eq!((limit.burst().get(), limit.replenish_one_every()), expected);
        }
    }

    #[test]
    fn a_burst_is_counted_and_then_one_in_each_interval() {
        for (burst, every) in [(1, 1), (1, 86_400_000), (10, 30_000), (100_000, 86_400_000)] {
            let every = Duration::from_millis(every);
            let limit = AttemptLimit::new(burst, every);
            let mut ahead = Duration::ZERO;
            for number in 1..=burst {
                ahead = limit.count(ahead).unwrap();
                assert_eq!(ahead, every * number);
            }
            assert_eq!(limit.count(ahead), Err(every));
            // A moment before one is replenished, and then.
            let nanosecond = Duration::from_nanos(1);
            assert_eq!(limit.count(ahead - every + nanosecond), Err(nanosecond));
            assert_eq!(limit.count(ahead - every), Ok(ahead));
        }
    }

    #[test]
    fn no_arrival_time_overflows() {
        for limit in [AttemptLimit::new(u32::MAX, Duration::MAX), AttemptLimit::new(0, Duration::ZERO)] {
            assert!(limit.count(Duration::MAX).unwrap_err() > Duration::from_secs(1 << 62));
        }
    }
}
