//! A line of the log that strangers can cause as often as they like.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Says how often something happened, at most once in an interval.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<Happened>);

#[derive(Debug, Default)]
struct Happened {
    /// Since it was last said.
    count: u64,
    said_at: Option<Duration>,
}

impl Throttle {
    /// It happened. Returns how often it did since that was last said, if it is to be said now. `now` is of the monotonic clock.
    pub(crate) fn note(&self, now: Duration, interval: Duration) -> Option<u64> {
        let mut happened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        happened.count += 1;
        if happened.said_at.is_some_and(|said_at| now < said_at.saturating_add(interval)) {
            return None;
        }
        happened.said_at = Some(now);
        Some(std::mem::take(&mut happened.count))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Throttle;

    #[test]
    fn it_is_said_at_once_and_then_once_in_an_interval_with_the_number_of_times() {
        let (throttle, at) = (Throttle::default(), Duration::from_secs);
        let said: Vec<_> =
            [5, 5, 6, 34, 35, 36, 100].map(|second| throttle.note(at(second), at(30))).into_iter().collect();
        assert_eq!(said, [Some(1), None, None, None, Some(4), None, Some(2)]);
    }
}
