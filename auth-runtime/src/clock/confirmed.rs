//! The time by which something may be forgotten. It is never ahead of the true time for long, whatever the clock shows.
//!
//! A revocation is kept until `keep_until`, which is `term` after it was recorded, or later if a token that it concerns is dated in the
//! future, by the clock that recorded it. It may be forgotten when so much time has truly passed, because then all tokens that it
//! concerns have expired. The confirmed time does not reach `keep_until` before, unless a clock is wrong for longer than a week:
//!
//! - Within a process it is the monotonic clock, plus the smallest difference that the wall clock had from it within the last `term` and
//!   week: when something was recorded within that time, the wall clock showed at least as much. A clock that jumps ahead is followed
//!   after that time, and one that is set back at once.
//! - After a start it moves on from where the process before had left it, which the store remembers. When the process has run for
//!   `term` and a week, the time in which no process ran is made up for.
//! - Where the store remembers no time, nothing is forgotten for an hour. A clock that is wrong at the start and is not corrected
//!   within that hour is believed. A new store remembers from the first moment on.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The number of parts of the time, of each of which the smallest difference is kept.
const PARTS: u32 = 24;

/// How long nothing is forgotten after a start, if no time is remembered.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A clock that is ahead for longer than this and a term is believed.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The time by which something may be forgotten.
#[derive(Debug)]
pub(crate) struct ConfirmedTime {
    /// How long a clock must show a time to be believed.
    term: Duration,
    state: Mutex<Option<State>>,
}

/// A confirmed time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Confirmed {
    /// What the store remembers for the next process.
    pub(crate) time: SystemTime,
    /// Whether what has expired by this time may be forgotten.
    pub(crate) may_forget: bool,
}

#[derive(Debug)]
struct State {
    /// The monotonic time of the first look.
    started: Duration,
    /// What the process before had confirmed.
    remembered: Option<SystemTime>,
    /// The smallest difference of the wall clock from the monotonic clock in each part of the last term and week, with the monotonic time of the
    /// last look in that part.
    differences: VecDeque<(Duration, SystemTime)>,
}

impl ConfirmedTime {
    /// `term` is how long a revocation is kept.
    pub(crate) fn new(term: Duration) -> Self {
        Self { term: term.saturating_add(WEEK), state: Mutex::new(None) }
    }

    /// Whether [`start`](Self::start) was called.
    pub(crate) fn has_started(&self) -> bool {
        self.state().is_some()
    }

    /// Begins with the time that the process before had confirmed.
    pub(crate) fn start(&self, remembered: Option<SystemTime>, now: SystemTime, monotonic: Duration) {
        let differences = VecDeque::from([(monotonic, difference(now, monotonic))]);
        self.state().get_or_insert(State { started: monotonic, remembered, differences });
    }

    /// Returns the confirmed time, when the clocks show `now` and `monotonic`; `None` before the start. It is also called whenever
    /// something is recorded.
    pub(crate) fn confirm(&self, now: SystemTime, monotonic: Duration) -> Option<Confirmed> {
        let mut state = self.state();
        let state = state.as_mut()?;
        state.note(difference(now, monotonic), monotonic, self.term);
        let smallest = state.differences.iter().map(|(_, difference)| *difference).min()?;
        let by_clock = smallest.checked_add(monotonic)?;
        let running = monotonic.saturating_sub(state.started);
        let (time, may_forget) = match state.remembered {
            Some(remembered) if running < self.term => (by_clock.min(remembered.checked_add(running)?), true),
            Some(_) => (by_clock, true),
            None => (by_clock, running >= HOUR),
        };
        Some(Confirmed { time, may_forget })
    }

    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, difference: SystemTime, monotonic: Duration, term: Duration) {
        let part = |at: Duration| at.as_nanos() / (term / PARTS).as_nanos().max(1);
        match self.differences.back_mut() {
            Some((last, smallest)) if part(*last) == part(monotonic) => {
                *last = monotonic;
                *smallest = difference.min(*smallest);
            }
            _ => self.differences.push_back((monotonic, difference)),
        }
        while self.differences.front().is_some_and(|(last, _)| monotonic.saturating_sub(*last) > term) {
            self.differences.pop_front();
        }
    }
}

/// As the time that the wall clock showed when the monotonic clock showed 0.
fn difference(now: SystemTime, monotonic: Duration) -> SystemTime {
    now.checked_sub(monotonic).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::ConfirmedTime;

    const DAY: u64 = 86_400;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// What is confirmed at each of these monotonic times, at which the wall clock shows these times.
    fn confirmed(remembered: Option<u64>, looks: &[(u64, u64)]) -> Vec<Option<u64>> {
        let time = ConfirmedTime::new(Duration::from_secs(DAY));
        assert!(time.confirm(at(0), Duration::ZERO).is_none());
        let mut confirmed = Vec::new();
        for (monotonic, wall) in looks {
            let monotonic = Duration::from_secs(*monotonic);
            time.start(remembered.map(at), at(*wall), monotonic);
            let found = time.confirm(at(*wall), monotonic);
            let found = found.filter(|found| found.may_forget).map(|found| found.time);
            confirmed.push(found.map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs()));
        }
        confirmed
    }

    /// A day and a week.
    const BELIEVED: u64 = 8 * DAY;

    #[test]
    fn a_clock_that_is_right_is_followed() {
        let start = 100 * DAY;
        let looks = [0, 3599, 3600, BELIEVED].map(|after| (5 + after, start + after));
        assert_eq!(confirmed(None, &looks), [None, None, Some(start + 3600), Some(start + BELIEVED)]);
        // A restart after a minute, and one after ten days.
        for down_for in [60, 10 * DAY] {
            let remembered = start - down_for;
            let expected = [remembered, remembered + 3599, remembered + 3600, start + BELIEVED].map(Some);
            assert_eq!(confirmed(Some(remembered), &looks), expected);
        }
    }

    #[test]
    fn a_clock_that_is_ahead_is_not_followed_for_a_week() {
        let start = 100 * DAY;
        // At the start, and corrected later.
        let looks = [(0, start + 30 * DAY), (3600, start + 30 * DAY + 3600), (7200, start + 7200)];
        assert_eq!(confirmed(Some(start), &looks), [start, start + 3600, start + 7200].map(Some));
        // It jumps ahead while the process runs, and stays so.
        let ahead = start + 30 * DAY;
        let at = |after: u64| (after, ahead + after);
        let looks = [
            (0, start),
            (DAY, start + DAY),
            at(DAY + 60),
            at(BELIEVED),
            at(DAY + BELIEVED),
            at(DAY + BELIEVED + 61),
        ];
        let expected = [
            start,
            start + DAY,
            start + DAY + 60,
            start + BELIEVED,
            start + DAY + BELIEVED,
            ahead + DAY + BELIEVED + 61,
        ];
        assert_eq!(confirmed(Some(start), &looks), expected.map(Some));
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let start = 100 * DAY;
        let looks =
            [(0, start), (9 * DAY, start + 9 * DAY), (9 * DAY + 1, start), (9 * DAY + 2, start + 10 * DAY)];
        assert_eq!(confirmed(Some(start), &looks), [start, start + 9 * DAY, start, start + 1].map(Some));
    }
}
