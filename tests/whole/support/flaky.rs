//! A store that can be broken and mended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use auth_runtime::store::{
    FamilyId, LogPage, LoggedRevocation, MemoryStore, RefreshFamilies, RefreshFamily, RevocationLog,
    StoreError, StoreFuture,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct FlakyStore {
    inner: MemoryStore,
    broken: Arc<AtomicBool>,
    takes_no_revocation: Arc<AtomicBool>,
}

impl FlakyStore {
    pub(crate) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// It takes no revocation, and does all else.
    pub(crate) fn set_takes_no_revocation(&self, broken: bool) {
        self.takes_no_revocation.store(broken, Ordering::SeqCst);
    }

    fn whole<'a, T: Send + 'a>(&'a self, work: impl FnOnce() -> StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        if self.broken.load(Ordering::SeqCst) {
            Box::pin(async { Err(StoreError::new("the disk is on fire")) })
        } else {
            work()
        }
    }
}

impl RevocationLog for FlakyStore {
    fn append(&self, entries: Vec<LoggedRevocation>) -> StoreFuture<'_, ()> {
        if self.takes_no_revocation.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::new("the log is full")) });
        }
        self.whole(|| self.inner.append(entries))
    }

    fn read(&self, after: u64, limit: usize) -> StoreFuture<'_, LogPage> {
        self.whole(|| self.inner.read(after, limit))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.whole(|| RevocationLog::drop_expired(&self.inner, now))
    }
}

impl RefreshFamilies for FlakyStore {
    fn insert(&self, family: RefreshFamily) -> StoreFuture<'_, ()> {
        self.whole(|| self.inner.insert(family))
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshFamily>> {
        self.whole(|| self.inner.find(id))
    }

    fn replace(&self, expected: u64, family: RefreshFamily) -> StoreFuture<'_, bool> {
        self.whole(|| self.inner.replace(expected, family))
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.whole(|| self.inner.remove(ids))
    }

    fn of_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshFamily>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.whole(|| self.inner.of_subject(&issuer, &subject))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.whole(|| RefreshFamilies::drop_expired(&self.inner, now))
    }
}
