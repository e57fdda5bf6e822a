//! What an engine does by itself: it follows the log of its store, and drops what has expired.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval};

use super::Engine;
use crate::clock::unix_seconds;
use crate::store::StoreError;

/// How often a store's log is looked at.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// Begins, on the runtime that this is called on, if it does not run; it ends when the engine is dropped.
pub(crate) fn ensure(engine: &Arc<Engine>) {
    // Without a runtime here, a later call begins it.
    let Ok(runtime) = Handle::try_current() else { return };
    if engine.background.swap(true, Ordering::AcqRel) {
        return;
    }
    let running = Running(Arc::downgrade(engine));
    runtime.spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(engine) = Weak::upgrade(&running.0) else { return };
            engine.tick().await;
        }
    });
}

/// What runs, for as long as it does.
struct Running(Weak<Engine>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(engine) = self.0.upgrade() {
            // The runtime has ended, or has no timer, or a store panicked.
            tracing::error!(
                "auth: what the engine does in the background has ended, with its runtime or by a panic of its store: it \
                 begins again with the engine's next use"
            );
            engine.background.store(false, Ordering::Release);
        }
    }
}

impl Engine {
    /// Reads on, and drops some of what has expired. What fails is logged and tried again at the next tick.
    async fn tick(&self) {
        /// How long it goes on dropping before it looks at the log again.
        const AT_ONCE: Duration = Duration::from_millis(300);
        // It logs its failure itself, and `status` tells it.
        let _ = self.revocations.catch_up(self.now()).await;
        // A clock that jumps for a moment must not be what forgets.
        let Some(held) = self.steady_time.held(self.now()) else { return };
        let began = Instant::now();
        while began.elapsed() < AT_ONCE {
            match self.drop_expired(held).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "auth: expired entries can't be dropped from the store");
                    return;
                }
            }
        }
    }

    /// Drops a batch of revocations and one of families that expired before `now`; whether there are more.
    pub(super) async fn drop_expired(&self, now: SystemTime) -> Result<bool, StoreError> {
        // A clock before the epoch stands wrong.
        if unix_seconds(now) == i64::MAX {
            return Ok(false);
        }
        let more = self.revocations.drop_expired(now).await?;
        Ok(self.families.drop_expired(now).await? || more)
    }
}
