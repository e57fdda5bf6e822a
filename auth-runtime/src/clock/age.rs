//! How old something is: by the greater of what the monotonic clock and the clock of the day say.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::Clock;

/// A difference between the two clocks that is none, in milliseconds: each is read at its own moment, and the clock of the day is adjusted
/// in small steps.
const TOLERANCE: i64 = 1000;

/// A clock for ages. It never goes back, and goes ahead with either clock: the monotonic one stands still while the machine is suspended, and
/// the clock of the day can be set.
#[derive(Debug)]
pub(crate) struct AgeClock {
    /// How far the clock of the day was ahead of the monotonic clock when that was last noted, in milliseconds.
    offset: AtomicI64,
    /// How far the clock of the day has gone ahead by itself, in milliseconds.
    ahead: AtomicU64,
}

impl AgeClock {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self { offset: AtomicI64::new(offset(clock.now(), clock.monotonic())), ahead: AtomicU64::new(0) }
    }

    /// The time since some moment.
    pub(crate) fn read(&self, clock: &dyn Clock) -> Duration {
        let monotonic = clock.monotonic();
        let (known, new) = (self.offset.load(Ordering::Acquire), offset(clock.now(), monotonic));
        let difference = new.saturating_sub(known);
        // One that notes it is enough.
        if difference.abs() > TOLERANCE
            && self.offset.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
        {
            self.ahead.fetch_add(u64::try_from(difference).unwrap_or(0), Ordering::AcqRel);
        }
        monotonic.saturating_add(Duration::from_millis(self.ahead.load(Ordering::Acquire)))
    }
}

fn offset(now: SystemTime, monotonic: Duration) -> i64 {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let now = match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    };
    now.saturating_sub(millis(monotonic))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::{Duration, SystemTime};

    use super::{AgeClock, Clock};

    /// Both clocks, in milliseconds.
    #[derive(Debug)]
    struct Clocks(Mutex<(u64, u64)>);

    impl Clock for Clocks {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.lock().unwrap().0)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.0.lock().unwrap().1)
        }
    }

    #[test]
    fn it_goes_ahead_with_either_clock_and_never_back() {
        let clocks = Clocks(Mutex::new((1_000_000, 0)));
        let age = AgeClock::new(&clocks);
        // How far each clock goes, and how far the age does.
        for (what, day, monotonic, expected) in [
            ("both", 5_000, 5_000, 5_000),
            ("a suspended machine", 3_600_000, 0, 3_600_000),
            ("a clock that is set back", -7_200_000, 1_000, 1_000),
            ("a clock that is set right again", 7_200_000, 0, 7_200_000),
            ("a clock that stands still", 0, 5_000, 5_000),
        ] {
            let before = age.read(&clocks);
            {
                let mut clocks = clocks.0.lock().unwrap();
                clocks.0 = clocks.0.saturating_add_signed(day);
                clocks.1 += monotonic;
            }
            assert_eq!(age.read(&clocks) - before, Duration::from_millis(expected), "{what}");
        }
    }

    #[test]
    fn what_is_noise_does_not_add_up() {
        let clocks = Clocks(Mutex::new((1_000_000, 0)));
        let age = AgeClock::new(&clocks);
        for step in 0..10_000_u64 {
            clocks.0.lock().unwrap().0 = 1_000_000 + 500 * (step % 2);
            assert_eq!(age.read(&clocks), Duration::ZERO);
        }
    }
}
