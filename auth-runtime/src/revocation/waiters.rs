//! Who waits for the end of a credential, and is woken by a revocation of it.
//!
//! Waiters are found by the keys of the view: a revocation wakes those of its own token, session or user, and no others; one of an
//! issuer wakes all. They look at
//! the view themselves. A waiter takes one allocation and an entry for each of its keys, in shards, and its entries go with it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use super::view::{Key, SHARDS};

/// All waiters of a view.
#[derive(Debug)]
pub(super) struct Waiters {
    shards: [Mutex<Shard>; SHARDS],
    next: AtomicU64,
}

/// By key, and then by the number of the waiter, so that many waiters of one key are removed as fast as one.
type Shard = BTreeMap<(Key, u64), Arc<Waiter>>;

#[derive(Debug, Default)]
struct Waiter {
    waker: AtomicWaker,
    is_woken: AtomicBool,
}

/// One waiter, until it is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    waiters: Arc<Waiters>,
    waiter: Arc<Waiter>,
    number: u64,
    keys: [Option<Key>; 4],
}

impl Waiters {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), next: AtomicU64::new(0) }
    }

    /// Adds a waiter. What is revoked from now on wakes it.
    pub(super) fn register(self: &Arc<Self>, keys: [Option<Key>; 4]) -> Registration {
        let waiter = Arc::<Waiter>::default();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        for key in keys.into_iter().flatten() {
            self.shard(&key).insert((key, number), Arc::clone(&waiter));
        }
        Registration { waiters: Arc::clone(self), waiter, number, keys }
    }

    /// Wakes the waiters of a key. What they are to see must be in the view already.
    pub(super) fn wake(&self, key: Key) {
        let woken: Vec<_> = self
            .shard(&key)
            .range((key, 0)..=(key, u64::MAX))
            .map(|(_, waiter)| Arc::clone(waiter))
            .collect();
        // A task that is woken may drop its waiter at once, which locks the shard.
        woken.iter().for_each(|waiter| waiter.wake());
    }

    /// Wakes every waiter.
    pub(super) fn wake_all(&self) {
        for shard in &self.shards {
            let woken: Vec<_> = lock(shard).values().map(Arc::clone).collect();
            woken.iter().for_each(|waiter| waiter.wake());
        }
    }

    /// The number of entries of all waiters: each has one for its user, its session and its token, as far as it has them.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    #[allow(clippy::indexing_slicing, reason = "there are as many shards as `SHARDS` says")]
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        lock(&self.shards[key.shard()])
    }
}

impl Waiter {
    fn wake(&self) {
        // One that is woken and has not run yet sees this change too.
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }
}

impl Registration {
    /// Waits until something may have changed since it last returned, or since the waiter was added.
    pub(crate) async fn woken(&self) {
        poll_fn(|context| {
            // Before it is looked at: a wake in between is then either seen or wakes this task.
            self.waiter.waker.register(context.waker());
            if self.waiter.is_woken.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        for key in self.keys.into_iter().flatten() {
            self.waiters.shard(&key).remove(&(key, self.number));
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
