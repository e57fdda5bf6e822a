//! What an engine with a store does by itself: it follows the log, and drops what has expired.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval};

use super::Engine;
use crate::clock::unix_seconds;
use crate::store::StoreError;

/// Begins, on the runtime that this is called on; it ends when the engine is dropped.
pub(super) fn begin(engine: &Arc<Engine>, runtime: &Handle, every: Duration) {
    let engine = Arc::downgrade(engine);
    runtime.spawn(async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(engine) = Weak::upgrade(&engine) else { return };
            engine.tick().await;
        }
    });
}

impl Engine {
    /// Reads on, and drops some of what has expired. What fails is logged and tried again at the next tick.
    async fn tick(&self) {
        /// In batches, and some of them at a time, so that the log is looked at in between.
        const BATCHES: usize = 100;
        // It logs its failure itself, and `status` tells it.
        if self.revocations.catch_up(self.now()).await.is_err() {
            return;
        }
        for _ in 0..BATCHES {
            match self.drop_expired().await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "auth: expired entries can't be dropped from the store");
                    return;
                }
            }
        }
    }

    /// Drops a batch of expired revocations, and one of expired families; whether there are more.
    pub(crate) async fn drop_expired(&self) -> Result<bool, StoreError> {
        let now = self.now();
        let more = self.revocations.drop_expired(now).await?;
        // A clock that stands wrong must not be what forgets.
        let more_families = unix_seconds(now) != i64::MAX && self.families.drop_expired(now).await?;
        Ok(more || more_families)
    }
}
