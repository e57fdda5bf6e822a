//! A store in memory that lets others go first, as one that waits for a disk does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use auth_runtime::store::{
    FamilyId, LogPage, LoggedRevocation, MemoryStore, RefreshFamilies, RefreshFamily, RevocationLog,
    StoreFuture,
};
use tokio::task::yield_now;

#[derive(Clone, Debug, Default)]
pub(crate) struct SlowStore {
    inner: MemoryStore,
    asked: Arc<AtomicUsize>,
}

impl SlowStore {
    /// One to three turns: who comes first is not always who is done first.
    fn after_others<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a MemoryStore) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        let turns = self.asked.fetch_add(1, Ordering::Relaxed) % 3;
        Box::pin(async move {
            for _ in 0..=turns {
                yield_now().await;
            }
            work(&self.inner).await
        })
    }
}

impl RevocationLog for SlowStore {
    fn append(&self, entries: Vec<LoggedRevocation>) -> StoreFuture<'_, ()> {
        self.after_others(|store| store.append(entries))
    }

    fn read(&self, after: u64, limit: usize) -> StoreFuture<'_, LogPage> {
        self.after_others(move |store| store.read(after, limit))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.after_others(move |store| RevocationLog::drop_expired(store, now))
    }
}

impl RefreshFamilies for SlowStore {
    fn insert(&self, family: RefreshFamily) -> StoreFuture<'_, ()> {
        self.after_others(|store| store.insert(family))
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshFamily>> {
        self.after_others(move |store| store.find(id))
    }

    fn replace(&self, expected: u64, family: RefreshFamily) -> StoreFuture<'_, bool> {
        self.after_others(move |store| store.replace(expected, family))
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.after_others(|store| store.remove(ids))
    }

    fn of_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshFamily>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.after_others(move |store| store.of_subject(&issuer, &subject))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.after_others(move |store| RefreshFamilies::drop_expired(store, now))
    }
}
