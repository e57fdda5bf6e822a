//! The source of the time: the system's clock, or a test's.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The source of the time. The engine reads no other clock for the times in tokens, so a test can set the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> SystemTime;
}

/// The system's clock. It is the default.
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

/// Converts a time to whole seconds since the epoch, the unit of `exp`, `nbf` and `iat` (RFC 7519 §2, NumericDate).
///
/// A clock before the epoch is wrong. It is converted to the maximum, at which every token has expired.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(i64::MAX, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The earliest time that a clock showed in the last ten minutes. A clock that jumps ahead for a moment does not change it.
#[derive(Debug, Default)]
pub(crate) struct SteadyTime {
    /// The earliest time of each minute, with the instant at which that minute began.
    minutes: Mutex<VecDeque<(Instant, SystemTime)>>,
}

impl SteadyTime {
    /// Records that the clock shows `now`, and returns the earliest time of the last ten minutes; `None` before ten minutes have
    /// been recorded.
    pub(crate) fn record(&self, now: SystemTime) -> Option<SystemTime> {
        self.record_at(Instant::now(), now)
    }

    fn record_at(&self, at: Instant, now: SystemTime) -> Option<SystemTime> {
        const MINUTE: Duration = Duration::from_secs(60);
        const MINUTES: usize = 10;
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        match minutes.back_mut() {
            Some((began, earliest)) if at.duration_since(*began) < MINUTE => *earliest = (*earliest).min(now),
            _ => minutes.push_back((at, now)),
        }
        // The current minute, and ten whole ones.
        while minutes.len() > MINUTES + 1 {
            minutes.pop_front();
        }
        (minutes.len() == MINUTES + 1).then(|| minutes.iter().map(|(_, earliest)| *earliest).min()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use tokio::time::Instant;

    use super::SteadyTime;

    #[test]
    fn a_clock_that_jumps_for_a_moment_changes_nothing() {
        let steady = SteadyTime::default();
        let (start, day) = (Instant::now(), 86_400);
        let ask = |second: u64, shown: u64| {
            let shown = UNIX_EPOCH + Duration::from_secs(shown);
            let earliest = steady.record_at(start + Duration::from_secs(second), shown);
            earliest.map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs())
        };
        for second in 0..600 {
            assert_eq!(ask(second, day + second), None, "at {second}");
        }
        assert_eq!(ask(600, day + 600), Some(day));
        assert_eq!(ask(601, 3 * day), Some(day), "a jump");
        assert_eq!(ask(700, day + 700), Some(day + 60));
        // A time that the clock shows for ten minutes is accepted.
        for second in 701..1380 {
            ask(second, 3 * day + second);
        }
        assert_eq!(ask(1380, 3 * day + 1380), Some(3 * day + 760));
    }
}
