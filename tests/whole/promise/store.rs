//! A store that several instances share. It can be set back, and each instance has a connection of its own that can fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogPage, LogRead, MemoryStore, RefreshTokenFamily, RefreshTokenStore,
    RevocationLog, StoreError, StoreFuture,
};
use tokio::sync::watch;

use super::world::Clock;

/// The data of the store.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    log: BTreeMap<u64, LogEntry>,
    last: u64,
    dropped: Option<LogCursor>,
}

impl Data {
    pub(super) fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.values()
    }
}

/// The server.
#[derive(Clone, Debug)]
pub(super) struct SharedStore {
    data: Arc<Mutex<Data>>,
    clock: Clock,
}

/// How a connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Each call fails at once.
    Cut,
    /// What is written is written, and the answer is lost.
    LostAnswers,
    /// No call is answered until the fault is over.
    Silent,
}

/// The connection of one instance.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    store: SharedStore,
    fault: Arc<watch::Sender<Fault>>,
    delay: Arc<watch::Sender<Duration>>,
    families: MemoryStore,
}

impl SharedStore {
    /// An empty one, with a clock of its own.
    pub(super) fn new(clock: Clock) -> Self {
        Self { data: Arc::default(), clock }
    }

    pub(super) fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap()
    }

    /// Sets it back: to a dump, or with nothing in it.
    pub(super) fn restore(&self, dump: Data) {
        *self.data() = dump;
    }

    /// Whether an entry has this text in it.
    pub(super) fn has(&self, text: &str) -> bool {
        self.data().entries().any(|entry| String::from_utf8_lossy(&entry.bytes).contains(text))
    }

    pub(super) fn append_now(&self, entries: Vec<LogEntry>) {
        let mut data = self.data();
        for entry in entries {
            data.last += 1;
            let sequence = data.last;
            data.log.insert(sequence, entry);
        }
    }

    pub(super) fn connect(&self) -> Connection {
        Connection {
            store: self.clone(),
            fault: Arc::new(watch::Sender::new(Fault::None)),
            delay: Arc::default(),
            families: MemoryStore::new(),
        }
    }

    fn read_now(&self, after: LogCursor, limit: usize) -> LogRead {
        let data = self.data();
        if !after.is_known(data.log.get(&after.sequence).map(|entry| entry.tag), data.dropped) {
            return LogRead::AnotherHistory;
        }
        let rows: Vec<_> = data.log.range(after.sequence + 1..).take(limit).collect();
        let last = rows.last().map(|(sequence, entry)| LogCursor { sequence: **sequence, tag: entry.tag });
        let entries = rows.into_iter().map(|(_, entry)| entry.clone()).collect();
        let store_time = Some(auth_runtime::clock::Clock::now(&self.clock));
        LogRead::Page(LogPage { entries, cursor: last.unwrap_or(after), store_time })
    }
}

impl Connection {
    pub(super) fn set_fault(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    pub(super) fn set_delay(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }

    async fn call<T>(&self, work: impl FnOnce(&SharedStore) -> T) -> Result<T, StoreError> {
        let delay = *self.delay.borrow();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        self.fault.subscribe().wait_for(|fault| *fault != Fault::Silent).await.unwrap();
        let fault = *self.fault.borrow();
        match fault {
            Fault::Cut => Err(StoreError::new("the connection is cut")),
            Fault::LostAnswers => {
                work(&self.store);
                Err(StoreError::new("the connection was cut before the answer"))
            }
            Fault::None | Fault::Silent => {
                let answer = work(&self.store);
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                Ok(answer)
            }
        }
    }
}

impl RevocationLog for Connection {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        Box::pin(self.call(move |store| store.append_now(entries)))
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        Box::pin(self.call(move |store| store.read_now(after, limit)))
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        // As a store that has run for long.
        Box::pin(self.call(|store| Some(auth_runtime::clock::Clock::now(&store.clock))))
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        Box::pin(self.call(move |store| {
            let mut data = store.data();
            let data = &mut *data;
            let dropped = &mut data.dropped;
            data.log.retain(|sequence, entry| {
                let is_kept = entry.keep_until >= before;
                if !is_kept && dropped.is_none_or(|last| last.sequence < *sequence) {
                    *dropped = Some(LogCursor { sequence: *sequence, tag: entry.tag });
                }
                is_kept
            });
            false
        }))
    }
}

/// In memory, without faults.
impl RefreshTokenStore for Connection {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.families.insert(family)
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        self.families.find(id)
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.families.replace(expected, family)
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.families.remove(ids)
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.families.find_by_subject(issuer, subject)
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.families.list(issuer, after, limit)
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        RefreshTokenStore::drop_expired(&self.families, now)
    }
}
