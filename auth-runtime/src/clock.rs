//! Where the time comes from: the system, or a test.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

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

/// The least that a clock told in the last ten minutes: a clock that jumps ahead for a moment does not move it.
#[derive(Debug, Default)]
pub(crate) struct SteadyTime {
    /// The least of each minute, with when that minute began.
    minutes: Mutex<VecDeque<(Instant, SystemTime)>>,
}

impl SteadyTime {
    /// With what the clock tells now; `None` until it was asked for ten minutes.
    pub(crate) fn held(&self, now: SystemTime) -> Option<SystemTime> {
        self.held_at(Instant::now(), now)
    }

    fn held_at(&self, at: Instant, now: SystemTime) -> Option<SystemTime> {
        const MINUTE: Duration = Duration::from_secs(60);
        const MINUTES: usize = 10;
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        match minutes.back_mut() {
            Some((began, least)) if at.duration_since(*began) < MINUTE => *least = (*least).min(now),
            _ => minutes.push_back((at, now)),
        }
        // The minute that is under way, and ten whole ones.
        while minutes.len() > MINUTES + 1 {
            minutes.pop_front();
        }
        (minutes.len() == MINUTES + 1).then(|| minutes.iter().map(|(_, least)| *least).min()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use tokio::time::Instant;

    use super::SteadyTime;

    #[test]
    fn a_clock_that_jumps_for_a_moment_moves_nothing() {
        let held = SteadyTime::default();
        let (start, day) = (Instant::now(), 86_400);
        let ask = |second: u64, told: u64| {
            let told = UNIX_EPOCH + Duration::from_secs(told);
            let held = held.held_at(start + Duration::from_secs(second), told);
            held.map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs())
        };
        for second in 0..600 {
            assert_eq!(ask(second, day + second), None, "at {second}");
        }
        assert_eq!(ask(600, day + 600), Some(day));
        assert_eq!(ask(601, 3 * day), Some(day), "a jump");
        assert_eq!(ask(700, day + 700), Some(day + 60));
        // What holds for ten minutes is the time.
        for second in 701..1380 {
            ask(second, 3 * day + second);
        }
        assert_eq!(ask(1380, 3 * day + 1380), Some(3 * day + 760));
    }
}
