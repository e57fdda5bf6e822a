//! A store of your own. It has two tables: the log of revocations, and the families of refresh tokens, one row for each
//! session; and one row of state. Here both are maps behind a lock; the comments name the statement that a database would run instead.
//!
//! The contract of a store is a test suite: `tests/whole/stores.rs` runs it for this store, too, which takes one line there.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::store::{
    FamilyId, LogPage, LoggedRevocation, RefreshTokenFamily, RefreshTokenStore, RevocationLog, StoreFuture,
};

/// How many expired rows one call drops at most, so that no request waits for long.
const BATCH: usize = 10_000;

/// The store; all clones of it are one. For a database this holds a pool of connections instead, and a method returns
/// `Box::pin(async move { .. })`.
#[derive(Clone, Debug, Default)]
pub struct CustomStore(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    log: BTreeMap<u64, LoggedRevocation>,
    /// The cursor of the last entry. It is never used again, also when the entry is dropped.
    last: u64,
    confirmed_time: Option<SystemTime>,
    families: HashMap<FamilyId, RefreshTokenFamily>,
}

impl CustomStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(ready(Ok(value)))
}

impl RevocationLog for CustomStore {
    /// `insert into log (..) values (..), (..)`. A cursor must not become visible before all lower ones are: a sequence that
    /// transactions take numbers from does not promise that.
    fn append(&self, entries: Vec<LoggedRevocation>) -> StoreFuture<'_, ()> {
        let mut tables = self.tables();
        for entry in entries {
            tables.last += 1;
            let cursor = tables.last;
            tables.log.insert(cursor, entry);
        }
        done(())
    }

    /// `select .. from log where cursor > $1 order by cursor limit $2`
    fn read(&self, after: u64, limit: usize) -> StoreFuture<'_, LogPage> {
        let tables = self.tables();
        let rows: Vec<_> = tables.log.range(after.saturating_add(1)..).take(limit).collect();
        let cursor = rows.last().map_or(after, |(cursor, _)| **cursor);
        done(LogPage { entries: rows.into_iter().map(|(_, entry)| entry.clone()).collect(), cursor })
    }

    /// `select confirmed_time from state`
    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        done(self.tables().confirmed_time)
    }

    /// `update state set confirmed_time = $1`
    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        self.tables().confirmed_time = Some(time);
        done(())
    }

    /// `delete from log where keep_until < $1`, in batches.
    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        let log = &mut self.tables().log;
        let expired = log.iter().filter(|(_, entry)| entry.keep_until < now).map(|(cursor, _)| *cursor);
        let expired: Vec<u64> = expired.take(BATCH + 1).collect();
        expired.iter().take(BATCH).for_each(|cursor| drop(log.remove(cursor)));
        done(expired.len() > BATCH)
    }
}

impl RefreshTokenStore for CustomStore {
    /// `insert into families (..) values (..)`
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.tables().families.insert(family.id, family);
        done(())
    }

    /// `select .. from families where id = $1`
    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        done(self.tables().families.get(&id).cloned())
    }

    /// `update families set .. where id = $1 and version = $2`: whether a row was changed. Of two requests with the same
    /// refresh token one gets `true`.
    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        let mut tables = self.tables();
        let row = tables.families.get_mut(&family.id).filter(|row| row.version == expected);
        done(row.map(|row| *row = family).is_some())
    }

    /// `delete from families where id = any($1)`
    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        let mut tables = self.tables();
        ids.iter().for_each(|id| drop(tables.families.remove(id)));
        done(())
    }

    /// `select .. from families where issuer = $1 and subject = $2`
    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let tables = self.tables();
        let rows = tables.families.values().filter(|row| row.issuer == issuer && row.subject == subject);
        done(rows.cloned().collect())
    }

    /// `delete from families where expires_at < $1`, in batches.
    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let families = &mut self.tables().families;
        let expired = families.values().filter(|row| u64::try_from(row.expires_at).is_ok_and(|at| at < now));
        let expired: Vec<FamilyId> = expired.map(|row| row.id).take(BATCH + 1).collect();
        expired.iter().take(BATCH).for_each(|id| drop(families.remove(id)));
        done(expired.len() > BATCH)
    }
}
