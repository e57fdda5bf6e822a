//! The source of the time: the system's clock, or a test's.
//!
//! | file | what |
//! |---|---|
//! | `age` | how old something is |
//! | `confirmed` | the time by which something may be forgotten |
//! | `jump` | whether the clock has jumped ahead, so that nothing may be issued |
//! | `throttle` | a line of the log that strangers can cause as often as they like |

mod age;
mod confirmed;
mod jump;
mod throttle;

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) use self::age::AgeClock;
pub(crate) use self::confirmed::ConfirmedTime;
pub(crate) use self::jump::JumpGuard;
pub(crate) use self::throttle::Throttle;
#[cfg(feature = "provider-logout")]
pub(crate) use self::throttle::ThrottleByText;

/// The source of the time. The engine reads no other clock for the times in tokens, so a test can set the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time. It can jump, if somebody sets the clock.
    fn now(&self) -> SystemTime;

    /// Returns the time since some moment, by a monotonic clock. The engine compares it with [`now`](Self::now), to notice
    /// jumps. Default: the time since the epoch by `now`, for a clock that never jumps.
    fn monotonic(&self) -> Duration {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// The system's clock. It is the default.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

/// A hundred years: the longest time for which something may be valid. Sums of such times can be represented, and a longer one
/// means no bound.
pub(crate) const LONGEST_LIFETIME: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// Converts a time to whole seconds since the epoch, the unit of `exp`, `nbf` and `iat` (RFC 7519 §2, NumericDate).
///
/// A clock before the epoch is wrong. It is converted to the maximum, at which every token has expired.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(i64::MAX, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A time from whole seconds since the epoch, at least the epoch. A time that the system can't represent becomes the end of the
/// year 9999.
pub(crate) fn from_unix_seconds(seconds: i64) -> SystemTime {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH + Duration::from_secs(253_402_300_799))
}
