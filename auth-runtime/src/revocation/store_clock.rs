//! The clock of the store, which all instances share: what this process's clock is compared with.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::freshness::Moment;

/// A difference that is more than this is logged.
const TOLERANCE: Duration = Duration::from_secs(5);

/// What the store's clock showed at the last read. The time since then is counted by the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct StoreClock(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    read: Option<Reading>,
    is_logged: bool,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    time: SystemTime,
    /// The monotonic times between which it was read.
    sent: Duration,
    returned: Duration,
}

impl StoreClock {
    /// Notes what a read returned, and logs a clock that is wrong: once, until it is right again.
    pub(super) fn note(&self, time: Option<SystemTime>, sent: Moment, returned: Moment) {
        let Some(time) = time else { return };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = Reading { time, sent: sent.monotonic, returned: returned.monotonic };
        state.read = Some(reading);
        let skew = reading.skew(returned);
        let is_wrong = skew.unsigned_abs() > TOLERANCE.as_millis();
        if is_wrong && !state.is_logged {
            tracing::warn!(
                store_is_ahead_by_ms = skew,
                "auth: the clocks of this machine and of the store differ: set both by NTP. Revocations are kept by the earlier clock, and \
                 logouts count up to the later one"
            );
        }
        state.is_logged = is_wrong;
    }

    /// How far the store's clock is ahead, in milliseconds; `None` if the store has no clock, or was not read yet.
    pub(super) fn skew(&self, now: Moment) -> Option<i64> {
        let skew = self.reading()?.skew(now);
        Some(i64::try_from(skew).unwrap_or(if skew < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The later of both clocks.
    pub(super) fn later(&self, now: Moment) -> SystemTime {
        self.reading().and_then(|reading| reading.at_most(now)).map_or(now.wall, |store| store.max(now.wall))
    }

    /// The earlier of the store's clock and of `time`, which is by this process's clock.
    pub(super) fn earlier(&self, time: SystemTime, now: Moment) -> SystemTime {
        self.reading().and_then(|reading| reading.at_least(now)).map_or(time, |store| store.min(time))
    }

    /// The store's clock, by which every instance drops what has expired at the earliest; this process's clock if the store has none.
    pub(super) fn time(&self, now: Moment) -> SystemTime {
        self.reading().and_then(|reading| reading.at_most(now)).unwrap_or(now.wall)
    }

    fn reading(&self) -> Option<Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read
    }
}

impl Reading {
    fn at_most(self, now: Moment) -> Option<SystemTime> {
        self.time.checked_add(now.monotonic.saturating_sub(self.sent))
    }

    fn at_least(self, now: Moment) -> Option<SystemTime> {
        self.time.checked_add(now.monotonic.saturating_sub(self.returned))
    }

    /// In milliseconds, as if the clock was read in the middle.
    fn skew(self, now: Moment) -> i128 {
        let middle = self.sent + self.returned.saturating_sub(self.sent) / 2;
        let store =
            millis(self.time).saturating_add_unsigned(now.monotonic.saturating_sub(middle).as_millis());
        store.saturating_sub(millis(now.wall))
    }
}

fn millis(time: SystemTime) -> i128 {
    let of = |duration: Duration| i128::try_from(duration.as_millis()).unwrap_or(i128::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -of(before.duration()), of)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Moment, StoreClock};

    fn time(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn at(wall: u64, monotonic: u64) -> Moment {
        Moment { wall: time(wall), monotonic: Duration::from_secs(monotonic) }
    }

    #[test]
    fn both_clocks_are_compared_whichever_is_ahead() {
        let clock = StoreClock::default();
        assert_eq!((clock.skew(at(100, 0)), clock.later(at(100, 0))), (None, time(100)), "of no reading");
        assert_eq!(clock.earlier(time(90), at(100, 0)), time(90));

        // The store is ahead by an hour. The read took 2 seconds.
        clock.note(Some(time(3701)), at(100, 0), at(102, 2));
        assert_eq!(clock.skew(at(102, 2)), Some(3_600_000));
        assert_eq!(clock.later(at(110, 10)), time(3711), "it was read when it was sent, at the latest bound");
        assert_eq!(clock.earlier(time(110), at(110, 10)), time(110));

        // The store is behind by an hour.
        clock.note(Some(time(1000)), at(4600, 20), at(4600, 20));
        assert_eq!(clock.skew(at(4605, 25)), Some(-3_600_000));
        assert_eq!(clock.later(at(4605, 25)), time(4605));
        assert_eq!(clock.earlier(time(4605), at(4605, 25)), time(1005));
        // This process's clock was set since: the store's goes on as time passes.
        assert_eq!(clock.earlier(time(4605), at(9999, 30)), time(1010));
    }
}
