//! Whether the clock has jumped ahead. Tokens that are issued then are dated in the future, and would be valid long after their users
//! have logged out and the revocations are forgotten.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A jump of up to this length issues tokens all the same.
const LONGEST_JUMP: Duration = Duration::from_secs(24 * 60 * 60);

/// A clock that shows such a time for so long is right: the machine was suspended, or was behind.
const BELIEVED_AFTER: Duration = Duration::from_secs(10 * 60);

/// Notices that the wall clock has jumped ahead of the monotonic clock.
#[derive(Debug)]
pub(crate) struct JumpGuard(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The wall clock's time less the monotonic time, as it is believed.
    believed: SystemTime,
    /// The same after a jump, and the monotonic time at which it was first seen.
    jumped: Option<(SystemTime, Duration)>,
}

impl JumpGuard {
    /// The clock is believed as it is now.
    pub(crate) fn new(now: SystemTime, monotonic: Duration) -> Self {
        Self(Mutex::new(State { believed: now.checked_sub(monotonic).unwrap_or(now), jumped: None }))
    }

    /// Returns how far the clock has jumped ahead, if it is so far that nothing may be issued.
    pub(crate) fn check(&self, now: SystemTime, monotonic: Duration) -> Result<(), Duration> {
        let Some(shown) = now.checked_sub(monotonic) else { return Ok(()) };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = shown.duration_since(state.believed).unwrap_or_default();
        if ahead <= LONGEST_JUMP {
            *state = State { believed: shown, jumped: None };
            return Ok(());
        }
        // Two readings of the clocks are never made at the same moment.
        let is_same = |seen: SystemTime| {
            shown.max(seen).duration_since(shown.min(seen)).unwrap_or_default() <= LONGEST_JUMP
        };
        let since = match state.jumped {
            Some((seen, since)) if is_same(seen) => since,
            // The first look at it, or a second jump.
            _ => {
                state.jumped = Some((shown, monotonic));
                monotonic
            }
        };
        if monotonic.saturating_sub(since) < BELIEVED_AFTER {
            return Err(ahead);
        }
        *state = State { believed: shown, jumped: None };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::JumpGuard;

    #[test]
    fn a_jump_of_more_than_a_day_is_believed_after_ten_minutes() {
        let day = 86_400;
        let guard = JumpGuard::new(UNIX_EPOCH + Duration::from_secs(100 * day), Duration::ZERO);
        for (monotonic, wall, ahead) in [
            (0, 100 * day, None),
            (10, 100 * day + 10, None),
            // Up to a day, again and again
            (20, 101 * day + 20, None),
            (30, 102 * day + 30, None),
            // More
            (40, 132 * day + 40, Some(30 * day)),
            (639, 132 * day + 639, Some(30 * day)),
            // Corrected
            (639, 102 * day + 639, None),
            // Again, and it stays
            (1000, 132 * day + 1000, Some(30 * day)),
            (1599, 132 * day + 1599, Some(30 * day)),
            (1600, 132 * day + 1600, None),
            (1601, 132 * day + 1601, None),
            // A second jump while one is looked at
            (2000, 200 * day + 2000, Some(68 * day)),
            (2500, 300 * day + 2500, Some(168 * day)),
            (2700, 300 * day + 2700, Some(168 * day)),
            (3100, 300 * day + 3100, None),
            // Back is no jump ahead
            (3200, 100 * day + 3200, None),
        ] {
            let checked = guard.check(UNIX_EPOCH + Duration::from_secs(wall), Duration::from_secs(monotonic));
            assert_eq!(checked.err(), ahead.map(Duration::from_secs), "at {monotonic}");
        }
    }
}
