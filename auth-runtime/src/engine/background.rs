//! What an engine does by itself: it follows the log of its store, and drops what has expired.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
#[cfg(feature = "api-keys")]
use tokio::time::timeout;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use super::Engine;
use super::credential_watch::Surroundings;
use crate::revocation::Heartbeat;
use crate::store::StoreError;

/// How often a store's log is read.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// How long after the store has said that something is new it is read, so that a busy log is read a few hundred times a second at most. It is
/// four times as long after each time that there was nothing.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// How long the store of API keys is waited for.
#[cfg(feature = "api-keys")]
const KEYS_AT_MOST: Duration = Duration::from_secs(1);

impl Engine {
    /// Starts the background task, on the runtime that this is called on, if none runs, or if the one that runs is not driven
    /// by its runtime. It ends when the engine is dropped.
    pub(crate) fn ensure_background(self: &Arc<Self>) {
        // Without a runtime here, a later call starts it.
        let Ok(runtime) = Handle::try_current() else { return };
        let Some(turn) = self.heartbeat().take_turn(tokio::time::Instant::now()) else { return };
        if let Some(silence) = turn.silence {
            tracing::warn!(
                seconds = silence.as_secs(),
                "auth: the engine's background task has not run for this time, because the runtime that it was started on is not \
                 driven: the task is started again, on the runtime of this call"
            );
        }
        let task = Task { engine: Arc::downgrade(self), turn: turn.number };
        runtime.spawn(task.run());
    }

    /// Checks that the view of revocations is current enough to decide. If not, the background task may not run.
    pub(crate) fn check_fresh(self: &Arc<Self>, now: SystemTime) -> Result<(), StoreError> {
        self.revocations.state.check_fresh(now).inspect_err(|_| self.ensure_background())
    }

    fn heartbeat(&self) -> &Heartbeat {
        self.revocations.state.heartbeat()
    }

    /// Asks the store whether it can be written, and drops some of what has expired. What fails is logged and tried again at the next tick.
    async fn tidy_up(&self) {
        /// How long it goes on dropping before others have their turn.
        const AT_ONCE: Duration = Duration::from_millis(300);
        self.revocations.state.check_writable().await;
        // So that a jump is noticed when it happens, and not at the next login.
        let _ = self.check_clock();
        #[cfg(feature = "api-keys")]
        if let Some(keys) = &self.api_keys {
            keys.write_due_uses();
        }
        // Also where the store can't be written: it may be full, and has room again once this is dropped.
        let is_writable = self.revocations.state.is_writable();
        let began = Instant::now();
        while began.elapsed() < AT_ONCE {
            match self.drop_expired().await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return,
                // Then the log has a line already.
                Err(error) if !is_writable => {
                    tracing::debug!(%error, "auth: expired entries can't be dropped from the store");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "auth: expired entries can't be dropped from the store");
                    return;
                }
            }
        }
    }

    /// Drops some of what has expired. Returns whether there is more.
    async fn drop_expired(&self) -> Result<bool, StoreError> {
        let more = self.revocations.drop_expired().await?;
        #[cfg(feature = "api-keys")]
        if let (Some(keys), Some(time)) = (&self.api_keys, self.revocations.may_forget_before()) {
            // Their store may be another one, and must not delay what is read from the log.
            match timeout(KEYS_AT_MOST, keys.drop_ended(time)).await {
                Ok(Ok(more_keys)) => return Ok(more || more_keys),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "auth: rows of API keys that have ended can't be dropped from their store");
                }
                Err(_) => tracing::debug!("auth: the store of API keys takes too long to drop rows"),
            }
        }
        Ok(more)
    }
}

/// The background task: four loops, none of which waits for another. A store that takes long to drop what has expired does not delay
/// what it has new, nor the keys of issuers.
struct Task {
    engine: Weak<Engine>,
    turn: u64,
}

impl Task {
    async fn run(self) {
        let [follow, tidy_up] = [Loop::every_second(&self.engine), Loop::every_second(&self.engine)];
        let [keys, watch] = [Loop::every_second(&self.engine), Loop::every_second(&self.engine)];
        let mut loops = pin!(async {
            tokio::join!(follow.follow(), tidy_up.tidy_up(), keys.refresh_keys(), watch.watch())
        });
        // It beats whenever it is polled, and `watch` has it polled every second: a store that takes long is not an undriven runtime.
        poll_fn(|context| match self.engine.upgrade() {
            Some(engine) if engine.heartbeat().beat(self.turn, tokio::time::Instant::now()) => {
                loops.as_mut().poll(context).map(drop)
            }
            // The engine is gone, or another task has taken over.
            _ => Poll::Ready(()),
        })
        .await;
    }
}

/// One of the loops. It has the engine only while it works.
struct Loop<'a> {
    engine: &'a Weak<Engine>,
    ticks: Interval,
}

impl<'a> Loop<'a> {
    fn every_second(engine: &'a Weak<Engine>) -> Self {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { engine, ticks }
    }

    /// Reads the log every second, and when the store says that there is something new.
    async fn follow(mut self) {
        let mut pause = Some(LEAST_PAUSE);
        loop {
            let Some(engine) = self.engine.upgrade() else { return };
            let (before, woken) =
                (engine.revocations.state.cursor(), engine.revocations.state.wait_for_entries());
            drop(engine);
            let woken = async {
                match pause {
                    // Many that arrive within this time are read at once.
                    Some(pause) => {
                        woken.await;
                        sleep(pause).await;
                    }
                    None => pending().await,
                }
            };
            let is_woken = matches!(select(pin!(self.ticks.tick()), pin!(woken)).await, Either::Right(_));
            let Some(engine) = self.engine.upgrade() else { return };
            // It logs its failure itself, and `status` reports it.
            let is_read = engine.revocations.state.catch_up().await.is_ok();
            let is_new = engine.revocations.state.cursor() != before;
            // A store that is down is asked at the next tick.
            pause = is_read.then(|| pause_after(pause, is_woken, is_new));
        }
    }

    async fn tidy_up(mut self) {
        loop {
            self.ticks.tick().await;
            let Some(engine) = self.engine.upgrade() else { return };
            engine.tidy_up().await;
        }
    }

    async fn refresh_keys(mut self) {
        loop {
            self.ticks.tick().await;
            let Some(engine) = self.engine.upgrade() else { return };
            engine.refresh_keys();
        }
    }

    /// Wakes those who wait for the end of a credential when something changes that the log does not say.
    async fn watch(mut self) {
        let mut surroundings = Surroundings::default();
        loop {
            self.ticks.tick().await;
            let Some(engine) = self.engine.upgrade() else { return };
            if surroundings.have_changed(&engine, tokio::time::Instant::now()) {
                engine.revocations.state.view().wake_all();
            }
        }
    }
}

/// A store that wakes for nothing is not asked all the time. One that did so once, such as one that listens only now and can't know what it
/// has missed, is believed again soon.
fn pause_after(before: Option<Duration>, is_woken: bool, is_new: bool) -> Duration {
    match before {
        Some(pause) if is_woken && !is_new => pause.saturating_mul(4).min(INTERVAL),
        Some(pause) if !is_new => pause,
        _ => LEAST_PAUSE,
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.upgrade()
            && engine.heartbeat().end(self.turn)
        {
            // The runtime has ended, or has no timer, or a store panicked.
            tracing::error!(
                "auth: the engine's background task has ended, because its runtime ended or its store panicked: it starts again \
                 with the engine's next use"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{INTERVAL, LEAST_PAUSE, pause_after};

    #[test]
    fn a_store_that_wakes_for_nothing_is_believed_less_and_again_when_it_has_something() {
        let mut pauses = vec![LEAST_PAUSE];
        for _ in 0..8 {
            pauses.push(pause_after(pauses.last().copied(), true, false));
        }
        let milliseconds: Vec<_> = pauses.iter().map(std::time::Duration::as_millis).collect();
        assert_eq!(milliseconds, [1, 4, 16, 64, 256, 1000, 1000, 1000, 1000]);
        // A tick that finds nothing says nothing of it.
        assert_eq!(pause_after(Some(INTERVAL), false, false), INTERVAL);
        for is_woken in [true, false] {
            assert_eq!(pause_after(Some(INTERVAL), is_woken, true), LEAST_PAUSE);
        }
        // The store was down.
        assert_eq!(pause_after(None, false, false), LEAST_PAUSE);
    }
}
