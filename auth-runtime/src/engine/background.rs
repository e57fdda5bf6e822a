//! What an engine does by itself: it follows the log of its store, and drops what has expired.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval};

use super::Engine;

/// How often a store's log is read.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// Whether the background task is running.
#[derive(Debug, Default)]
pub(super) struct Background(AtomicBool);

impl Engine {
    /// Starts the background task, on the runtime that this is called on, if it does not run; it ends when the engine is
    /// dropped.
    pub(crate) fn ensure_background(self: &Arc<Self>) {
        // Without a runtime here, a later call starts it.
        let Ok(runtime) = Handle::try_current() else { return };
        if self.background.0.swap(true, Ordering::AcqRel) {
            return;
        }
        let running = Running(Arc::downgrade(self));
        runtime.spawn(async move {
            let mut ticks = interval(INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(engine) = Weak::upgrade(&running.0) else { return };
                engine.tick().await;
            }
        });
    }

    /// Reads on, and drops some of what has expired. What fails is logged and tried again at the next tick.
    async fn tick(&self) {
        /// How long it goes on dropping before it reads the log again.
        const AT_ONCE: Duration = Duration::from_millis(300);
        // It logs its failure itself, and `status` reports it.
        let _ = self.revocations.state.catch_up(self.now()).await;
        self.revocations.state.check_writable().await;
        // So that a jump is noticed when it happens, and not at the next login.
        let _ = self.check_clock();
        if !self.revocations.state.is_writable() {
            return;
        }
        let began = Instant::now();
        while began.elapsed() < AT_ONCE {
            match self.revocations.drop_expired().await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "auth: expired entries can't be dropped from the store");
                    return;
                }
            }
        }
    }
}

/// Held by the task while it runs.
struct Running(Weak<Engine>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(engine) = self.0.upgrade() {
            // The runtime has ended, or has no timer, or a store panicked.
            tracing::error!(
                "auth: the engine's background task has ended, because its runtime ended or its store panicked: it starts again \
                 with the engine's next use"
            );
            engine.background.0.store(false, Ordering::Release);
        }
    }
}
