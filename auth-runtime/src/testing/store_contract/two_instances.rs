//! Two instances of a service that have a store open at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

#[cfg(feature = "token-routes")]
use std::time::Duration;

#[cfg(feature = "api-keys")]
use crate::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse};
#[cfg(feature = "token-routes")]
use crate::store::{AttemptStore, CountedAttempt};
use crate::store::{
    FamilyId, LogCursor, LogEntry, LogRead, RefreshTokenFamily, RefreshTokenStore, RevocationLog,
    StoreFuture, WakeUpFuture,
};

/// A store that two instances have open. Calls go to one and to the other in turn, so a rule of the contract is tested between them.
#[derive(Debug)]
pub struct TwoInstances<S> {
    instances: [S; 2],
    next: AtomicBool,
}

impl<S> TwoInstances<S> {
    /// Of the same store, opened twice.
    pub fn new(first: S, second: S) -> Self {
        Self { instances: [first, second], next: AtomicBool::new(false) }
    }

    fn next(&self) -> &S {
        let [first, second] = &self.instances;
        if self.next.fetch_xor(true, Ordering::Relaxed) { second } else { first }
    }
}

impl<S: RevocationLog> RevocationLog for TwoInstances<S> {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        self.next().append(entries)
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        self.next().read(after, limit)
    }

    fn wait_for_entries(&self, after: LogCursor) -> WakeUpFuture {
        self.next().wait_for_entries(after)
    }

    fn check_writable(&self) -> StoreFuture<'_, ()> {
        self.next().check_writable()
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        self.next().confirmed_time()
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        self.next().set_confirmed_time(time)
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        self.next().drop_expired(before)
    }
}

impl<S: RefreshTokenStore> RefreshTokenStore for TwoInstances<S> {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.next().insert(family)
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        self.next().find(id)
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.next().replace(expected, family)
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.next().remove(ids)
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.next().find_by_subject(issuer, subject)
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.next().list(issuer, after, limit)
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.next().drop_expired(now)
    }
}

#[cfg(feature = "api-keys")]
impl<S: ApiKeyStore> ApiKeyStore for TwoInstances<S> {
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        self.next().insert(key)
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        self.next().find(id)
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        self.next().find_by_owner(prefix, owner, after, limit)
    }

    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool> {
        self.next().rotate(id, expected, overlap_ends_at, next)
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        self.next().revoke(id, at)
    }

    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        self.next().record_uses(uses)
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        self.next().drop_ended(time)
    }
}

#[cfg(feature = "token-routes")]
impl<S: AttemptStore> AttemptStore for TwoInstances<S> {
    fn count(&self, attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>> {
        self.next().count(attempts)
    }

    fn drop_expired(&self) -> StoreFuture<'_, bool> {
        self.next().drop_expired()
    }
}
