//! A store of your own. It has two tables: the log of revocations, and the families of refresh tokens, one row for each
//! session; and one row of state. Here both are maps behind a lock; the comments name the statement that a database would run instead.
//!
//! The contract of a store is a test suite, which the last line of this file runs.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogPage, LogRead, RefreshTokenFamily, RefreshTokenStore, RevocationLog,
    StoreFuture,
};

/// How many expired rows one call drops at most, so that no request waits for long.
const BATCH: usize = 10_000;

/// The store; all clones of it are one. For a database this holds a pool of connections instead, and a method returns
/// `Box::pin(async move { .. })`.
#[derive(Clone, Debug, Default)]
pub struct CustomStore(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    log: BTreeMap<u64, LogEntry>,
    /// The sequence of the last entry. It is never used again, also when the entry is dropped.
    last: u64,
    /// The entry with the highest sequence that was dropped.
    dropped: Option<LogCursor>,
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
    /// `insert into log (..) values (..), (..)`. A sequence must not become visible before all lower ones are: one that transactions take
    /// numbers from does not promise that.
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        let mut tables = self.tables();
        for entry in entries {
            tables.last += 1;
            let sequence = tables.last;
            tables.log.insert(sequence, entry);
        }
        done(())
    }

    /// In one transaction: `select tag from log where sequence = $1`, `select dropped_sequence, dropped_tag from state`, and
    /// `select .. from log where sequence > $1 order by sequence limit $2`
    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        let tables = self.tables();
        let there = tables.log.get(&after.sequence).map(|entry| entry.tag);
        if !after.is_known(there, tables.dropped) {
            return done(LogRead::AnotherHistory);
        }
        let rows: Vec<_> = tables.log.range(after.sequence.saturating_add(1)..).take(limit).collect();
        let last = rows.last().map(|(sequence, entry)| LogCursor { sequence: **sequence, tag: entry.tag });
        let entries = rows.into_iter().map(|(_, entry)| entry.clone()).collect();
        // A database says what its clock shows: `select clock_timestamp()`.
        done(LogRead::Page(LogPage { entries, cursor: last.unwrap_or(after), store_time: None }))
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

    /// `delete from log where keep_until < $1 .. returning sequence, tag`, in batches, and in the same transaction
    /// `update state set dropped_sequence = .., dropped_tag = .. where dropped_sequence < ..`
    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        let mut tables = self.tables();
        let expired = tables.log.iter().filter(|(_, entry)| entry.keep_until < before);
        let expired = expired.map(|(sequence, entry)| LogCursor { sequence: *sequence, tag: entry.tag });
        let expired: Vec<LogCursor> = expired.take(BATCH + 1).collect();
        for cursor in expired.iter().take(BATCH) {
            tables.log.remove(&cursor.sequence);
            if tables.dropped.is_none_or(|last| last.sequence < cursor.sequence) {
                tables.dropped = Some(*cursor);
            }
        }
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

    /// `select .. from families where issuer = $1 and (subject, id) > ($2, $3) order by subject, id limit $4`. Not by a
    /// time: a refresh would move the row to another page.
    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let tables = self.tables();
        let is_next = |row: &&RefreshTokenFamily| {
            row.issuer == issuer && after.is_none_or(|after| (row.subject.as_str(), row.id) > after)
        };
        let mut rows: Vec<_> = tables.families.values().filter(is_next).cloned().collect();
        rows.sort_unstable_by(|one, other| (&one.subject, one.id).cmp(&(&other.subject, other.id)));
        rows.truncate(limit);
        done(rows)
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

#[cfg(test)]
auth_runtime::testing::store_contract! { mod contract: RevocationLog, RefreshTokenStore; open: CustomStore::default() }
