//! A store in the memory of one process. Its data is lost when the process ends.

#[cfg(feature = "api-keys")]
mod api_keys;
#[cfg(feature = "token-routes")]
mod attempts;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::{pending, ready};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::watch;

use super::{
    FamilyId, LogCursor, LogEntry, LogPage, LogRead, RefreshTokenFamily, RefreshTokenStore, RevocationLog,
    StoreFuture, WakeUpFuture, drop_before,
};
use crate::clock::unix_seconds;

/// The maximum number of expired rows that one call deletes.
const BATCH: usize = 10_000;

/// A store in the memory of one process. Its data is lost when the process ends. Clones share the data.
#[derive(Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    /// Says that entries were appended.
    appends: Arc<watch::Sender<()>>,
}

#[derive(Default)]
struct Tables {
    log: BTreeMap<u64, LogEntry>,
    /// The entries by `keep_until`, in seconds since the epoch.
    log_expiry: BTreeSet<(i64, u64)>,
    last_sequence: u64,
    /// The entry with the highest sequence that was dropped.
    floor: Option<LogCursor>,
    confirmed_time: Option<SystemTime>,
    families: HashMap<FamilyId, RefreshTokenFamily>,
    family_expiry: BTreeSet<(i64, FamilyId)>,
    by_subject: BTreeSet<(String, String, FamilyId)>,
    #[cfg(feature = "api-keys")]
    api_keys: api_keys::ApiKeyTables,
    #[cfg(feature = "token-routes")]
    attempts: attempts::AttemptTables,
}

/// Without the rows, which name users.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("revocations", &self.revocations())
            .field("families", &self.families())
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// Returns an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of stored revocations.
    #[must_use]
    pub fn revocations(&self) -> usize {
        self.tables().log.len()
    }

    /// Returns the number of stored families of refresh tokens.
    #[must_use]
    pub fn families(&self) -> usize {
        self.tables().families.len()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the first row if its time is before `now`.
fn expired<T: Copy + Ord>(rows: &BTreeSet<(i64, T)>, now: i64) -> Option<(i64, T)> {
    rows.first().copied().filter(|(time, _)| *time < now)
}

fn done<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(ready(Ok(value)))
}

impl RevocationLog for MemoryStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        let mut tables = self.tables();
        for entry in entries {
            tables.last_sequence += 1;
            let sequence = tables.last_sequence;
            tables.log_expiry.insert((unix_seconds(entry.keep_until), sequence));
            tables.log.insert(sequence, entry);
        }
        drop(tables);
        self.appends.send_replace(());
        done(())
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        let tables = self.tables();
        if !tables.knows(after) {
            return done(LogRead::AnotherHistory);
        }
        let mut cursor = after;
        let rows = tables.log.range(after.sequence.saturating_add(1)..).take(limit);
        let entries = rows.map(|(sequence, entry)| {
            cursor = LogCursor { sequence: *sequence, tag: entry.tag };
            entry.clone()
        });
        let entries = entries.collect();
        done(LogRead::Page(LogPage { entries, cursor, store_time: None }))
    }

    fn wait_for_entries(&self, after: LogCursor) -> WakeUpFuture {
        // Before it is looked whether there is something: what is appended after that is a change.
        let mut appends = self.appends.subscribe();
        let is_there = self.tables().log.range(after.sequence.saturating_add(1)..).next().is_some();
        Box::pin(async move {
            // It fails when the store is gone.
            if !is_there && appends.changed().await.is_err() {
                pending::<()>().await;
            }
        })
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        done(self.tables().confirmed_time)
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        self.tables().confirmed_time = Some(time);
        done(())
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        let now = drop_before(before);
        let mut tables = self.tables();
        for _ in 0..BATCH {
            let Some((keep_until, sequence)) = expired(&tables.log_expiry, now) else { break };
            tables.log_expiry.remove(&(keep_until, sequence));
            let Some(LogEntry { tag, .. }) = tables.log.remove(&sequence) else { continue };
            let dropped = LogCursor { sequence, tag };
            tables.floor = tables.floor.filter(|floor| floor.sequence > sequence).or(Some(dropped));
        }
        done(expired(&tables.log_expiry, now).is_some())
    }
}

impl RefreshTokenStore for MemoryStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.tables().put(family);
        done(())
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        done(self.tables().families.get(&id).cloned())
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        let mut tables = self.tables();
        let is_expected = tables.families.get(&family.id).is_some_and(|row| row.version == expected);
        if is_expected {
            tables.put(family);
        }
        done(is_expected)
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        let mut tables = self.tables();
        for id in ids {
            tables.delete(id);
        }
        done(())
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let tables = self.tables();
        let first = (issuer.to_owned(), subject.to_owned(), FamilyId::default());
        let rows = tables.by_subject.range(first..);
        let own =
            rows.take_while(|(row_issuer, row_subject, _)| row_issuer == issuer && row_subject == subject);
        done(own.filter_map(|(_, _, id)| tables.families.get(id).cloned()).collect())
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let tables = self.tables();
        let first = match after {
            None => Bound::Included((issuer.to_owned(), String::new(), FamilyId::default())),
            Some((subject, id)) => Bound::Excluded((issuer.to_owned(), subject.to_owned(), id)),
        };
        let rows = tables.by_subject.range((first, Bound::Unbounded));
        let own = rows.take_while(|(row_issuer, ..)| row_issuer == issuer).take(limit);
        done(own.filter_map(|(_, _, id)| tables.families.get(id).cloned()).collect())
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        let now = drop_before(now);
        let mut tables = self.tables();
        for _ in 0..BATCH {
            let Some((_, id)) = expired(&tables.family_expiry, now) else { break };
            tables.delete(id);
        }
        done(expired(&tables.family_expiry, now).is_some())
    }
}

impl Tables {
    /// Whether the cursor is of this log.
    fn knows(&self, cursor: LogCursor) -> bool {
        cursor.is_known(self.log.get(&cursor.sequence).map(|entry| entry.tag), self.floor)
    }

    fn put(&mut self, family: RefreshTokenFamily) {
        self.delete(family.id);
        self.family_expiry.insert((family.expires_at, family.id));
        self.by_subject.insert((family.issuer.clone(), family.subject.clone(), family.id));
        self.families.insert(family.id, family);
    }

    fn delete(&mut self, id: FamilyId) {
        if let Some(row) = self.families.remove(&id) {
            self.family_expiry.remove(&(row.expires_at, id));
            self.by_subject.remove(&(row.issuer, row.subject, id));
        }
    }
}
