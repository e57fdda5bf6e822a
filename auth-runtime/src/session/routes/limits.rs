//! Limits on login attempts: by account, against guessing one password, and by address and by IPv6 site, against trying one password on
//! every account.

mod shared;

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

pub(super) use self::shared::SharedLimits;
use super::account::{Account, AccountKey};
use crate::store::AttemptLimit;

/// With more keys than this, those whose attempts are all replenished are dropped.
const MANY_KEYS: usize = 100_000;

/// Dropping them reads every key, so it happens once in so many attempts.
const ATTEMPTS_BETWEEN_SWEEPS: u64 = 1_000;

/// The bits of an IPv6 address that name a network. Within it, a client can use any address (RFC 4291 §2.5.4).
const NETWORK_OF_CLIENT: u128 = !0 << 64;

/// The bits of an IPv6 address that name a site. One customer of a provider is given as much at most, in general (RFC 6177 §2).
const SITE_OF_CLIENT: u128 = !0 << 80;

/// How many attempts are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimitSettings {
    pub(super) per_account: AttemptLimit,
    pub(super) per_address: AttemptLimit,
    pub(super) per_ipv6_site: AttemptLimit,
}

/// The login attempts so far. Of an account's name, a hash with a random key is stored.
pub(crate) struct LoginLimits {
    time: MonotonicTime,
    hasher: RandomState,
    by_account: Limiter,
    by_address: Limiter,
    by_site: Limiter,
    attempts: AtomicU64,
}

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, MonotonicTime, NoOpMiddleware<Nanos>>;

impl LoginLimits {
    pub(super) fn new(settings: LimitSettings) -> Self {
        let time = MonotonicTime { start: Instant::now() };
        let limiter = |limit: AttemptLimit| RateLimiter::dashmap_with_clock(quota(limit), time);
        Self {
            time,
            hasher: RandomState::new(),
            by_account: limiter(settings.per_account),
            by_address: limiter(settings.per_address),
            by_site: limiter(settings.per_ipv6_site),
            attempts: AtomicU64::new(0),
        }
    }

    /// Counts a login attempt, and returns the account that it was counted for.
    ///
    /// It counts for the address even if the site's or the account's limit rejects it, and for nothing beyond the limit that rejects it.
    ///
    /// # Errors
    /// How long to wait, in [whole seconds](whole_seconds).
    pub(super) fn attempt(&self, account: Account<'_>, address: IpAddr) -> Result<AccountKey, Duration> {
        if self.attempts.fetch_add(1, Ordering::Relaxed).is_multiple_of(ATTEMPTS_BETWEEN_SWEEPS) {
            for limiter in [&self.by_account, &self.by_address, &self.by_site] {
                sweep(limiter, MANY_KEYS);
            }
        }
        self.count(&self.by_address, network_of(address))?;
        if let Some(site) = site_of(address) {
            self.count(&self.by_site, site)?;
        }
        let account = AccountKey::of(account);
        self.count(&self.by_account, &account)?;
        Ok(account)
    }

    fn count(&self, limiter: &Limiter, key: impl Hash) -> Result<(), Duration> {
        limiter
            .check_key(&self.hasher.hash_one(key))
            .map_err(|not_until| whole_seconds(not_until.wait_time_from(self.time.now())))
    }
}

impl fmt::Debug for LoginLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginLimits")
            .field("accounts", &self.by_account.len())
            .field("addresses", &self.by_address.len())
            .field("sites", &self.by_site.len())
            .finish_non_exhaustive()
    }
}

/// Rounds a wait up to whole seconds, and to at least one, for `Retry-After` (RFC 9110 §10.2.3).
fn whole_seconds(wait: Duration) -> Duration {
    Duration::from_secs(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1))
}

/// The limit in governor's terms. The product of its maxima is 2^62.9 ns, so governor's 64 bits overflow after a process has run for more
/// than 290 years.
fn quota(limit: AttemptLimit) -> Quota {
    // `None` is for a period of zero, which `AttemptLimit::new` rules out.
    let quota = Quota::with_period(limit.replenish_one_every());
    quota.unwrap_or_else(|| Quota::per_second(limit.burst())).allow_burst(limit.burst())
}

/// Drops the keys whose attempts are all replenished, if there are more than `many` keys.
fn sweep(limiter: &Limiter, many: usize) {
    if limiter.len() > many {
        limiter.retain_recent();
        limiter.shrink_to_fit();
    }
}

/// The address to count: IPv4 as it is, IPv6 as its network of 64 bits.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK_OF_CLIENT).into(),
        v4 => v4,
    }
}

/// The site to count besides, of an IPv6 address.
fn site_of(address: IpAddr) -> Option<Ipv6Addr> {
    match address.to_canonical() {
        IpAddr::V6(address) => Some(Ipv6Addr::from_bits(address.to_bits() & SITE_OF_CLIENT)),
        IpAddr::V4(_) => None,
    }
}

/// The time since the limits were made, for governor. Setting the system's clock does not change it, and a test can pause tokio's.
#[derive(Clone, Copy, Debug)]
struct MonotonicTime {
    start: Instant,
}

impl Clock for MonotonicTime {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX).into()
    }
}

#[cfg(test)]
mod tests;
