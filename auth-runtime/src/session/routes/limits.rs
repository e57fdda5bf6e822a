//! Limits on login attempts: by account, so that nobody guesses one password, and by address, so that nobody tries one
//! password on every account.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

/// With the greatest values and [`MAX_ELAPSED`], governor's nanoseconds don't overflow: their product is 2^62.9.
const MAX_BURST: u32 = 100_000;
const MAX_REPLENISH: Duration = Duration::from_secs(24 * 60 * 60);
const MIN_REPLENISH: Duration = Duration::from_millis(1);

/// 146 years.
const MAX_ELAPSED: u64 = 1 << 62;

/// As long as passes between two attempts at most, so that a clock that is wrong by ages does not use up
/// [`MAX_ELAPSED`].
const LONGEST_STEP: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How far an attempt's time may lie behind that of one that overtook it. Further back, the clock was set.
const OUT_OF_ORDER: Duration = Duration::from_secs(10 * 60);

/// Beyond so many keys, those that are as good as new are dropped.
const MANY_KEYS: usize = 100_000;

/// Dropping them looks at every key, so it happens once in so many attempts.
const ATTEMPTS_BETWEEN_SWEEPS: u64 = 1_000;

/// The bits of an IPv6 address that name a network. Within it, a client picks any address it likes (RFC 4291 §2.5.4).
const NETWORK_OF_CLIENT: u128 = !0 << 64;

/// How many logins may be tried: some at once, and one more whenever a while has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimit {
    burst: NonZeroU32,
    replenish_one_every: Duration,
}

impl AttemptLimit {
    /// The default for an account: 10 at once, and one more every 30 seconds.
    pub const PER_ACCOUNT: Self = Self::new(10, Duration::from_secs(30));

    /// The default for an address, which many people may share: 50 at once, and one more every 2 seconds.
    pub const PER_ADDRESS: Self = Self::new(50, Duration::from_secs(2));

    /// `burst` attempts at once, and one more every `replenish_one_every` until there are `burst` again.
    ///
    /// A value out of range counts as the nearest one in it: a `burst` of 1 to 100 000, and 1 millisecond to 1 day.
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

    fn quota(self) -> Quota {
        // There is none for a period of zero, which `new` lets nobody have.
        let quota = Quota::with_period(self.replenish_one_every);
        quota.unwrap_or_else(|| Quota::per_second(self.burst)).allow_burst(self.burst)
    }
}

/// The attempts to log in so far. What is kept of an account is a hash that nobody else can compute.
pub(crate) struct LoginLimits {
    time: ElapsedTime,
    hasher: RandomState,
    by_account: Limiter,
    by_address: Limiter,
    attempts: AtomicU64,
}

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, ElapsedTime, NoOpMiddleware<Nanos>>;

impl LoginLimits {
    pub(crate) fn new(per_account: AttemptLimit, per_address: AttemptLimit) -> Self {
        let time = ElapsedTime::default();
        let limiter = |limit: AttemptLimit| RateLimiter::dashmap_with_clock(limit.quota(), time.clone());
        let (by_account, by_address) = (limiter(per_account), limiter(per_address));
        Self { time, hasher: RandomState::new(), by_account, by_address, attempts: AtomicU64::new(0) }
    }

    /// Counts an attempt to log in. It counts for the address even if the account's limit refuses it, and not for the
    /// account if the address's does.
    ///
    /// The name of the account counts as it was sent, without the blanks around it and in lower case. `now` is read for
    /// this call, not when the request began: a client could else move the time by sending slowly.
    ///
    /// # Errors
    /// How long to wait, in whole seconds and one at least, for `Retry-After` (RFC 9110 §10.2.3).
    pub(crate) fn attempt(&self, account: &str, address: IpAddr, now: SystemTime) -> Result<(), Duration> {
        self.time.advance_to(now);
        if self.attempts.fetch_add(1, Ordering::Relaxed).is_multiple_of(ATTEMPTS_BETWEEN_SWEEPS) {
            sweep(&self.by_account, MANY_KEYS);
            sweep(&self.by_address, MANY_KEYS);
        }
        self.count(&self.by_address, network_of(address))?;
        self.count(&self.by_account, account.trim().to_lowercase())
    }

    fn count(&self, limiter: &Limiter, key: impl Hash) -> Result<(), Duration> {
        limiter.check_key(&self.hasher.hash_one(key)).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.time.now());
            Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
                .max(Duration::from_secs(1))
        })
    }
}

impl fmt::Debug for LoginLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginLimits")
            .field("accounts", &self.by_account.len())
            .field("addresses", &self.by_address.len())
            .finish_non_exhaustive()
    }
}

/// Drops the keys that are as good as new, if there are more than `many`.
fn sweep(limiter: &Limiter, many: usize) {
    if limiter.len() > many {
        limiter.retain_recent();
        limiter.shrink_to_fit();
    }
}

/// What an address is counted as: IPv4 as it is, IPv6 by its network of 64 bits.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK_OF_CLIENT).into(),
        v4 => v4,
    }
}

/// The time that has passed, as governor measures it, told by the callers' clock. It never goes back.
///
/// A clock that is set back stops it for [`OUT_OF_ORDER`] at most. The latest time ever seen would not do: a clock that was
/// wrong by a year, for a moment, would then lock everybody out for a year.
#[derive(Clone, Debug, Default)]
struct ElapsedTime(Arc<Mutex<Elapsed>>);

#[derive(Debug, Default)]
struct Elapsed {
    nanos: u64,
    latest: Option<SystemTime>,
}

impl ElapsedTime {
    fn advance_to(&self, now: SystemTime) {
        let mut elapsed = self.lock();
        let passed = elapsed.latest.map_or(Ok(Duration::ZERO), |latest| now.duration_since(latest));
        match passed {
            Ok(passed) => {
                let passed = u64::try_from(passed.min(LONGEST_STEP).as_nanos()).unwrap_or(MAX_ELAPSED);
                elapsed.nanos = elapsed.nanos.saturating_add(passed).min(MAX_ELAPSED);
                elapsed.latest = Some(now);
            }
            Err(back) if back.duration() > OUT_OF_ORDER => elapsed.latest = Some(now),
            Err(_) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Elapsed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GovernorClock for ElapsedTime {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.lock().nanos.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const NEVER: AttemptLimit = AttemptLimit::new(u32::MAX, Duration::ZERO);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The seconds to wait; 0 if the attempt may be made.
    fn wait(limits: &LoginLimits, account: &str, from: &str, now: SystemTime) -> u64 {
        limits.attempt(account, address(from), now).err().map_or(0, |wait| {
            assert_eq!(wait.subsec_nanos(), 0);
            assert!(wait.as_secs() > 0);
            wait.as_secs()
        })
    }

    #[test]
    fn an_account_is_limited_from_wherever_it_is_tried() {
        let limits = LoginLimits::new(AttemptLimit::new(3, Duration::from_secs(30)), NEVER);
        for (account, from, second, expected) in [
            ("alice", "203.0.113.1", 0, 0),
            (" Alice\n", "203.0.113.2", 0, 0),
            ("ALICE", "203.0.113.3", 1, 0),
            ("alice", "203.0.113.4", 1, 29),
            ("alice", "203.0.113.4", 29, 1),
            ("bob", "203.0.113.4", 29, 0),
            // one more after 30 seconds, and what was refused did not count
            ("alice", "203.0.113.4", 30, 0),
            ("alice", "203.0.113.4", 30, 30),
            // all three after three times as long, and not more
            ("alice", "203.0.113.4", 1000, 0),
            ("alice", "203.0.113.4", 1000, 0),
            ("alice", "203.0.113.4", 1000, 0),
            ("alice", "203.0.113.4", 1000, 30),
        ] {
            assert_eq!(wait(&limits, account, from, at(second)), expected, "{account:?} at {second}");
        }
    }

    #[test]
    fn names_count_in_unicodes_lower_case() {
        let limits = LoginLimits::new(AttemptLimit::new(1, Duration::from_secs(30)), NEVER);
        for (account, expected) in
            [("ÄNNE", 0), ("änne", 30), ("anne", 0), ("ΣΑΣ", 0), ("σας", 30), ("", 0), (" ", 30)]
        {
            assert_eq!(wait(&limits, account, "203.0.113.1", at(0)), expected, "{account:?}");
        }
    }

    #[test]
    fn an_address_is_limited_whatever_account_it_tries() {
        let limits = LoginLimits::new(NEVER, AttemptLimit::new(2, Duration::from_secs(10)));
        for (account, from, expected) in [
            ("a", "203.0.113.1", 0),
            ("b", "::ffff:203.0.113.1", 0),
            ("c", "203.0.113.1", 10),
            ("c", "203.0.113.2", 0),
            // the same /64, and the next
            ("d", "2001:db8:0:1::1", 0),
            ("e", "2001:db8:0:1:ffff:ffff:ffff:ffff", 0),
            ("f", "2001:db8:0:1:a::", 10),
            ("f", "2001:db8:0:2::1", 0),
        ] {
            assert_eq!(wait(&limits, account, from, at(0)), expected, "{account:?} from {from}");
        }
    }

    #[test]
    fn the_address_is_asked_first() {
        let one = AttemptLimit::new(1, Duration::from_secs(10));
        let limits = LoginLimits::new(one, AttemptLimit::new(2, Duration::from_secs(60)));
        for (account, from, expected) in [
            ("a", "203.0.113.1", 0),
            // refused by the account's limit, and counted for the address
            ("a", "203.0.113.1", 10),
            // refused by the address's limit, and not counted for the account
            ("b", "203.0.113.1", 60),
            ("b", "203.0.113.2", 0),
            ("b", "203.0.113.2", 10),
        ] {
            assert_eq!(wait(&limits, account, from, at(0)), expected, "{account:?} from {from}");
        }
    }

    #[test]
    fn the_wait_is_long_enough() {
        let limits = LoginLimits::new(AttemptLimit::new(1, Duration::from_millis(1500)), NEVER);
        assert_eq!(wait(&limits, "a", "203.0.113.1", at(0)), 0);
        for (milliseconds, expected) in [(0, 2), (400, 2), (500, 1), (1499, 1), (1500, 0)] {
            let now = at(0) + Duration::from_millis(milliseconds);
            assert_eq!(wait(&limits, "a", "203.0.113.1", now), expected, "{milliseconds} ms");
        }
    }

    #[test]
    fn the_defaults() {
        let limits = LoginLimits::new(AttemptLimit::PER_ACCOUNT, AttemptLimit::PER_ADDRESS);
        for expected in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30] {
            assert_eq!(wait(&limits, "a", "203.0.113.1", at(0)), expected);
        }
        let made = (0..100).filter(|n| wait(&limits, &n.to_string(), "203.0.113.2", at(0)) == 0).count();
        assert_eq!(made, 50);
        assert_eq!(wait(&limits, "a", "203.0.113.2", at(0)), 2);
    }

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
            assert_eq!((limit.burst.get(), limit.replenish_one_every), expected);
        }
    }

    #[test]
    fn no_time_and_no_limit_overflows() {
        let far = Duration::from_secs(1 << 62);
        for limit in [AttemptLimit::new(u32::MAX, Duration::MAX), AttemptLimit::new(0, Duration::MAX), NEVER]
        {
            let limits = LoginLimits::new(limit, limit);
            for now in [UNIX_EPOCH - far, UNIX_EPOCH + far].into_iter().cycle().take(400) {
                limits.time.advance_to(now);
            }
            assert_eq!(limits.time.now().as_u64(), MAX_ELAPSED);
            let attempts = || limits.attempt("a", address("203.0.113.1"), UNIX_EPOCH);
            let refused = (0..=MAX_BURST).find_map(|_| attempts().err()).unwrap();
            assert_eq!(refused, limit.replenish_one_every.max(Duration::from_secs(1)));
            limits.by_account.retain_recent();
        }
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limits = LoginLimits::new(AttemptLimit::new(1, Duration::from_secs(30)), NEVER);
        let year = 365 * 86_400;
        for (second, expected) in [
            (year, 0),
            (year, 30),
            // an attempt that another one overtook
            (year - 5, 30),
            (year - 600, 30),
            (year + 10, 20),
            // set back: from here on, time passes as before
            (0, 20),
            (0, 20),
            (15, 5),
            (20, 0),
            (20, 30),
            // and forward, for a moment
            (year, 0),
            (21, 30),
            (51, 0),
        ] {
            assert_eq!(wait(&limits, "a", "203.0.113.1", at(second)), expected, "at {second}");
        }
    }

    #[test]
    fn times_out_of_order_are_not_added_up() {
        let time = ElapsedTime::default();
        for second in [100, 101, 100, 101, 100, 101] {
            time.advance_to(at(second));
        }
        assert_eq!(time.now().as_u64(), 1_000_000_000);
    }

    #[test]
    fn keys_as_good_as_new_are_dropped_when_there_are_many() {
        let limits = LoginLimits::new(AttemptLimit::new(5, Duration::from_secs(10)), NEVER);
        for account in 0..10 {
            assert_eq!(wait(&limits, &format!("old {account}"), "203.0.113.1", at(0)), 0);
        }
        for account in 0..10 {
            assert_eq!(wait(&limits, &format!("new {account}"), "203.0.113.1", at(20)), 0);
        }
        sweep(&limits.by_account, 20);
        assert_eq!(limits.by_account.len(), 20);
        sweep(&limits.by_account, 19);
        assert_eq!(limits.by_account.len(), 10);
    }

    #[test]
    fn memory_is_bounded() {
        let limits =
            LoginLimits::new(AttemptLimit::new(5, Duration::from_secs(1)), AttemptLimit::PER_ADDRESS);
        // 60 000 accounts a minute, from as many networks
        let mut most = 0;
        for n in 0..400_000_u64 {
            let from = Ipv6Addr::from_bits(u128::from(n) << 64).into();
            limits.attempt(&n.to_string(), from, at(n / 1_000)).unwrap();
            if n % 1_000 == 0 {
                most = most.max(limits.by_account.len()).max(limits.by_address.len());
            }
        }
        assert!(most < MANY_KEYS + 2_000, "{most}");
    }

    #[test]
    fn many_threads_get_no_more_than_one_would() {
        let limits = LoginLimits::new(AttemptLimit::new(50, Duration::from_secs(30)), NEVER);
        let made: usize = std::thread::scope(|scope| {
            let threads = [0; 8].map(|_| {
                scope.spawn(|| (0..100).filter(|_| wait(&limits, "a", "203.0.113.1", at(0)) == 0).count())
            });
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(made, 50);
        assert_eq!(limits.attempts.load(Ordering::Relaxed), 800);
    }

    #[test]
    fn no_name_is_shown() {
        let limits = LoginLimits::new(AttemptLimit::PER_ACCOUNT, AttemptLimit::PER_ADDRESS);
        limits.attempt("alice", address("203.0.113.1"), at(0)).unwrap();
        assert_eq!(format!("{limits:?}"), "LoginLimits { accounts: 1, addresses: 1, .. }");
    }
}
