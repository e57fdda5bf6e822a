//! Where the time comes from: the system, or a test.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time. The engine asks it and nothing else, so a test moves it by hand.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// The system's clock: the default.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}

/// Whole seconds since the epoch, the unit of the claims `exp`, `nbf` and `iat` (RFC 7519 §2, NumericDate).
///
/// A clock before the epoch is one that stands wrong. It reads as the end of time, at which every token has expired.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(i64::MAX, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
