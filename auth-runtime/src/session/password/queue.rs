//! Hashes are computed on Tokio's threads for blocking work, and no more wait than there is room for.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::PasswordError;
use super::argon2id::Argon2idHasher;
use super::buffers::{Buffer, Buffers};

/// A hasher, its memory, and who waits for it.
pub(super) struct HashQueue {
    pub(super) hasher: Argon2idHasher,
    pub(super) max_workers: usize,
    /// One is taken by a call that has a permit of `workers`, so there are no more than these.
    pub(super) buffers: Buffers,
    /// A permit for each hash that is being computed or waited for.
    pub(super) places: Arc<Semaphore>,
    /// A permit for each hash that is being computed.
    pub(super) workers: Arc<Semaphore>,
}

impl HashQueue {
    /// A queue for `workers` hashes at once, with `waiting` more behind them.
    pub(super) fn new(hasher: Argon2idHasher, workers: usize, waiting: usize) -> Self {
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            hasher,
            max_workers: workers,
            buffers: Buffers::default(),
            places: permits(workers.saturating_add(waiting)),
            workers: permits(workers),
        }
    }

    /// Runs blocking work in its turn. The permits are held until the work ends, also if the request is dropped before.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Argon2idHasher, &mut Buffer<'_>) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let queue = Arc::clone(self);
        let place = Arc::clone(&queue.places).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let worker = Arc::clone(&queue.workers).acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        // `tokio::task::spawn_blocking` would panic without a runtime.
        let runtime = Handle::try_current().map_err(|_| PasswordError::Failed)?;
        let done = runtime.spawn_blocking(move || {
            let _permits = (place, worker);
            // It is dropped before the permits are.
            let mut buffer = queue.buffers.take();
            work(&queue.hasher, &mut buffer)
        });
        done.await.unwrap_or(Err(PasswordError::Failed))
    }
}
