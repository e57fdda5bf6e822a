//! Which background task reads the store's log, and whether the runtime that it was started on drives it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the task may not run before another runtime takes over. It beats every second.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// The last sign of life of the background task. Its clock is monotonic, and is not that of the engine.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of the task that was started last. One with a smaller number ends.
    turn: u64,
    /// When that task was started; `None` if it has ended.
    started: Option<Instant>,
    /// The last beat of any task; before there is one, when the first task was started.
    beat: Option<Instant>,
}

/// The right to be the background task.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) number: u64,
    /// How long the task before has not run, if it has not ended.
    pub(crate) silence: Option<Duration>,
}

impl Heartbeat {
    /// Takes the next turn, if no task runs, or if the one that runs has not been driven for too long.
    pub(crate) fn take_turn(&self, now: Instant) -> Option<Turn> {
        let mut state = self.state();
        let silence = match state.started {
            None => None,
            Some(started) => {
                let last = state.beat.map_or(started, |beat| beat.max(started));
                Some(too_long(last, now)?)
            }
        };
        state.turn = state.turn.wrapping_add(1);
        state.started = Some(now);
        state.beat.get_or_insert(now);
        Some(Turn { number: state.turn, silence })
    }

    /// Records that the task of this turn runs. With `false` it is no longer its turn: it has to end.
    pub(crate) fn beat(&self, turn: u64, now: Instant) -> bool {
        let mut state = self.state();
        if state.turn != turn {
            return false;
        }
        state.beat = Some(now);
        true
    }

    /// Records that the task of this turn has ended. Returns whether it was its turn.
    pub(crate) fn end(&self, turn: u64) -> bool {
        let mut state = self.state();
        if state.turn != turn {
            return false;
        }
        state.started = None;
        true
    }

    /// Returns why the log is not read, if no task has run for too long.
    pub(super) fn failure(&self, now: Instant) -> Option<String> {
        let silence = too_long(self.state().beat?, now)?;
        Some(format!(
            "the background task that reads the store's log has not run for {} s, because the tokio runtime that it was started \
             on is not driven, or has ended: build the engine on a runtime that runs as long as the service does, such as that \
             of `#[tokio::main]`. If the engine is used on another runtime, the task is started there",
            silence.as_secs()
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_long(last: Instant, now: Instant) -> Option<Duration> {
    Some(now.saturating_duration_since(last)).filter(|silence| *silence > MAX_SILENCE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Heartbeat;

    #[test]
    fn a_turn_is_taken_from_a_task_that_is_silent_for_more_than_ten_seconds() {
        let (heartbeat, start) = (Heartbeat::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let take = |seconds| heartbeat.take_turn(at(seconds)).map(|turn| (turn.number, turn.silence));
        assert_eq!(heartbeat.failure(at(100)), None, "no task was ever started");
        assert_eq!(take(0), Some((1, None)));
        assert_eq!(take(10), None, "it was just started");
        assert!(heartbeat.beat(1, at(5)));
        assert_eq!((take(15), heartbeat.failure(at(15))), (None, None));

        let failure = heartbeat.failure(at(16)).unwrap();
        assert!(failure.contains("has not run for 11 s, because the tokio runtime"), "{failure}");
        assert_eq!(take(16), Some((2, Some(Duration::from_secs(11)))));
        assert_eq!(take(16), None, "by one caller");
        assert!(heartbeat.failure(at(17)).is_some(), "it has not run yet");

        // The first task is driven again.
        assert!(!heartbeat.beat(1, at(18)) && !heartbeat.end(1));
        assert!(heartbeat.beat(2, at(18)));
        assert_eq!(heartbeat.failure(at(28)), None);

        assert!(heartbeat.end(2));
        assert_eq!(take(19), Some((3, None)), "no task runs");
    }

    #[test]
    fn a_task_that_was_never_driven_loses_its_turn() {
        let (heartbeat, start) = (Heartbeat::default(), Instant::now());
        let later = start + Duration::from_secs(11);
        assert_eq!(heartbeat.take_turn(start).unwrap().number, 1);
        assert!(heartbeat.failure(later).unwrap().contains("11 s"));
        assert_eq!(heartbeat.take_turn(later).unwrap().number, 2);
    }
}
