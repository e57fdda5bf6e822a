//! A line of the log that strangers can cause as often as they like.

#[cfg(feature = "provider-logout")]
use std::collections::VecDeque;
#[cfg(feature = "provider-logout")]
use std::hash::{BuildHasher as _, RandomState};
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

/// Of how many texts it is known when they were said.
#[cfg(feature = "provider-logout")]
const KNOWN: usize = 64;

/// Lines that differ, each of which can be caused again and again: one is said at once, whatever others were.
#[cfg(feature = "provider-logout")]
#[derive(Debug, Default)]
pub(crate) struct ThrottleByText {
    hasher: RandomState,
    /// By the hash of the text. The one that was new last is the last.
    known: Mutex<VecDeque<(u64, Throttle)>>,
}

#[cfg(feature = "provider-logout")]
impl ThrottleByText {
    /// It is to be said. Returns how often it was since it was last said, if it is to be said now.
    pub(crate) fn note(&self, text: &str, now: Duration, interval: Duration) -> Option<u64> {
        let hash = self.hasher.hash_one(text);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, throttle)) = known.iter().find(|(known, _)| *known == hash) {
            return throttle.note(now, interval);
        }
        if known.len() == KNOWN {
            known.pop_front();
        }
        let throttle = Throttle::default();
        let count = throttle.note(now, interval);
        known.push_back((hash, throttle));
        count
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

    #[cfg(feature = "provider-logout")]
    #[test]
    fn each_text_is_said_by_itself_and_few_are_known() {
        let (throttle, at) = (super::ThrottleByText::default(), Duration::from_secs);
        let note = |text: &str, second| throttle.note(text, at(second), at(60));
        assert_eq!(["a", "b", "a", "b"].map(|text| note(text, 5)), [Some(1), Some(1), None, None]);
        assert_eq!([note("a", 65), note("b", 64)], [Some(2), None]);
        for number in 0..super::KNOWN {
            assert_eq!(note(&number.to_string(), 66), Some(1));
        }
        assert_eq!(throttle.known.lock().unwrap().len(), super::KNOWN);
        assert_eq!(note("a", 66), Some(1), "it was forgotten");
    }
}
