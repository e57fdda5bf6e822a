//! How old the view is, by two clocks: one can be set, and the other stands still while the machine sleeps. The greater age counts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::Clock;

/// The value before the first complete read.
const NEVER: i64 = i64::MIN;

/// What both clocks show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) wall: SystemTime,
    pub(super) monotonic: Duration,
}

/// When the last read was sent that has reached the end of the log: all entries that were acknowledged by then are in the view.
#[derive(Debug)]
pub(super) struct Freshness {
    /// In microseconds since the epoch.
    wall: AtomicI64,
    /// In microseconds.
    monotonic: AtomicI64,
}

impl Moment {
    pub(super) fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), monotonic: clock.monotonic() }
    }

    /// In microseconds. A clock before the epoch is wrong, and nothing is fresh by it.
    fn wall_micros(self) -> i64 {
        self.wall.duration_since(UNIX_EPOCH).map_or(i64::MAX, micros)
    }
}

impl Freshness {
    pub(super) fn never() -> Self {
        Self { wall: AtomicI64::new(NEVER), monotonic: AtomicI64::new(NEVER) }
    }

    /// A read that was sent at this moment has reached the end.
    pub(super) fn confirm(&self, sent: Moment) {
        let monotonic = micros(sent.monotonic);
        if self.monotonic.fetch_max(monotonic, Ordering::AcqRel) <= monotonic {
            self.wall.store(sent.wall_micros(), Ordering::Release);
        }
    }

    /// The age of the view; `None` if it was never complete.
    pub(super) fn age(&self, now: Moment) -> Option<Duration> {
        let wall = self.wall.load(Ordering::Acquire);
        if wall == NEVER {
            return None;
        }
        let monotonic = self.monotonic.load(Ordering::Acquire);
        let by_wall = now.wall_micros().saturating_sub(wall);
        let by_monotonic = micros(now.monotonic).saturating_sub(monotonic);
        // A clock that was set back shows an age below zero.
        Some(Duration::from_micros(u64::try_from(by_wall.max(by_monotonic)).unwrap_or(0)))
    }

    /// What the wall clock showed then.
    pub(super) fn confirmed_at(&self) -> Option<SystemTime> {
        let wall = self.wall.load(Ordering::Acquire);
        UNIX_EPOCH.checked_add(Duration::from_micros(u64::try_from(wall).ok()?))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{Freshness, Moment};

    fn at(wall: f64, monotonic: f64) -> Moment {
        let [wall, monotonic] = [wall, monotonic].map(Duration::from_secs_f64);
        Moment { wall: UNIX_EPOCH + wall, monotonic }
    }

    #[test]
    fn the_greater_age_counts() {
        let freshness = Freshness::never();
        assert_eq!(freshness.age(at(100.0, 0.0)), None);
        freshness.confirm(at(100.0, 10.0));
        for (now, expected) in [
            (at(100.0, 10.0), 0.0),
            (at(130.99, 40.99), 30.99),
            // The clock was set back, and ahead.
            (at(50.0, 41.0), 31.0),
            (at(3700.0, 11.0), 3600.0),
            // The machine slept.
            (at(160.0, 11.0), 60.0),
        ] {
            let age = freshness.age(now).unwrap().as_secs_f64();
            assert!((age - expected).abs() < 0.001, "{now:?}: {age}");
        }
        let before_the_epoch = Moment { wall: UNIX_EPOCH - Duration::from_secs(1), ..at(0.0, 10.0) };
        assert!(freshness.age(before_the_epoch).unwrap() > Duration::from_secs(1_000_000));
    }

    #[test]
    fn a_read_that_was_sent_earlier_and_ends_later_changes_nothing() {
        let freshness = Freshness::never();
        freshness.confirm(at(100.0, 10.0));
        freshness.confirm(at(99.0, 9.0));
        assert_eq!(freshness.age(at(105.0, 15.0)), Some(Duration::from_secs(5)));
        // Also if the clock was set back between.
        freshness.confirm(at(50.0, 20.0));
        assert_eq!(freshness.age(at(55.0, 25.0)), Some(Duration::from_secs(5)));
        assert_eq!(freshness.confirmed_at(), Some(UNIX_EPOCH + Duration::from_secs(50)));
    }
}
