//! A store in memory that can be broken and mended, or is slow.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogRead, MemoryStore, RefreshTokenFamily, RefreshTokenStore,
    RevocationLog, StoreError, StoreFuture,
};
use tokio::sync::Notify;
use tokio::task::yield_now;

#[derive(Clone, Debug, Default)]
pub struct FlakyStore {
    inner: MemoryStore,
    broken: Arc<AtomicBool>,
    takes_no_revocation: Arc<AtomicBool>,
    removes_no_family: Arc<AtomicBool>,
    /// How often it was asked, where it is slow.
    turns: Option<Arc<AtomicUsize>>,
    /// Whether an append that is done waits before it is answered, and how many wait.
    holds: Arc<AtomicBool>,
    held: Arc<AtomicUsize>,
    released: Arc<Notify>,
    /// Whether dropping entries never ends, and how often it began.
    hangs_when_dropping: Arc<AtomicBool>,
    hanging: Arc<AtomicUsize>,
    /// The writes of many rows, and how many rows each had.
    calls: Arc<Mutex<Vec<(&'static str, usize)>>>,
    /// How often the row of a session was to be replaced.
    replaced: Arc<AtomicUsize>,
}

impl FlakyStore {
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// It takes no revocation, and does all else.
    pub fn set_takes_no_revocation(&self, broken: bool) {
        self.takes_no_revocation.store(broken, Ordering::SeqCst);
    }

    /// It removes no row of a session, and does all else.
    pub fn set_removes_no_family(&self, broken: bool) {
        self.removes_no_family.store(broken, Ordering::SeqCst);
    }

    /// It lets others go first, as one that waits for a disk does: one to three turns, so that who comes first is not always
    /// who is done first.
    pub fn slow() -> Self {
        Self { turns: Some(Arc::default()), ..Self::default() }
    }

    /// From now on an append that is done waits before it is answered.
    pub fn hold_answers(&self, hold: bool) {
        self.holds.store(hold, Ordering::SeqCst);
    }

    /// How many answers wait.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    pub fn release_answers(&self) {
        self.released.notify_waiters();
    }

    /// From now on it does not end to drop entries.
    pub fn hang_when_dropping(&self) {
        self.hangs_when_dropping.store(true, Ordering::SeqCst);
    }

    /// How many calls do not end.
    pub fn hanging(&self) -> usize {
        self.hanging.load(Ordering::SeqCst)
    }

    pub fn calls(&self) -> Vec<(&'static str, usize)> {
        self.calls.lock().unwrap().clone()
    }

    pub fn replaced(&self) -> usize {
        self.replaced.load(Ordering::SeqCst)
    }

    pub fn clear_calls(&self) {
        self.calls.lock().unwrap().clear();
    }

    fn whole<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a MemoryStore) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        let turns = self.turns.as_ref().map_or(0, |asked| 1 + asked.fetch_add(1, Ordering::Relaxed) % 3);
        Box::pin(async move {
            for _ in 0..turns {
                yield_now().await;
            }
            if self.broken.load(Ordering::SeqCst) {
                return Err(StoreError::new("the disk is on fire"));
            }
            work(&self.inner).await
        })
    }
}

impl RevocationLog for FlakyStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        self.calls.lock().unwrap().push(("append", entries.len()));
        if self.takes_no_revocation.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::new("the log is full")) });
        }
        let appending = self.whole(|store| store.append(entries));
        Box::pin(async move {
            appending.await?;
            if self.holds.load(Ordering::SeqCst) {
                let released = self.released.notified();
                self.held.fetch_add(1, Ordering::SeqCst);
                released.await;
            }
            Ok(())
        })
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        self.whole(move |store| store.read(after, limit))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        if self.hangs_when_dropping.load(Ordering::SeqCst) {
            self.hanging.fetch_add(1, Ordering::SeqCst);
            return Box::pin(std::future::pending());
        }
        self.whole(move |store| RevocationLog::drop_expired(store, now))
    }
}

impl RefreshTokenStore for FlakyStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.whole(|store| store.insert(family))
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        self.whole(move |store| store.find(id))
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.replaced.fetch_add(1, Ordering::SeqCst);
        self.whole(move |store| store.replace(expected, family))
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.calls.lock().unwrap().push(("remove", ids.len()));
        if self.removes_no_family.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::new("the row is locked")) });
        }
        self.whole(|store| store.remove(ids))
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.whole(move |store| store.find_by_subject(&issuer, &subject))
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let issuer = issuer.to_owned();
        let after = after.map(|(subject, id)| (subject.to_owned(), id));
        self.whole(move |store| {
            store.list(&issuer, after.as_ref().map(|(subject, id)| (subject.as_str(), *id)), limit)
        })
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.whole(move |store| RefreshTokenStore::drop_expired(store, now))
    }
}
