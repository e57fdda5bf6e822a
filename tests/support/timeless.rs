//! A store that does not say what its clock shows, for engines whose clock a test has set.

use std::time::SystemTime;

use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogRead, RefreshTokenFamily, RefreshTokenStore, RevocationLog,
    StoreFuture, WakeUpFuture,
};

#[derive(Clone, Debug)]
pub struct TimelessStore<S>(pub S);

impl<S: RevocationLog> RevocationLog for TimelessStore<S> {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        self.0.append(entries)
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        Box::pin(async move {
            let mut read = self.0.read(after, limit).await?;
            if let LogRead::Page(page) = &mut read {
                page.store_time = None;
            }
            Ok(read)
        })
    }

    fn wait_for_entries(&self, after: LogCursor) -> WakeUpFuture {
        self.0.wait_for_entries(after)
    }

    fn check_writable(&self) -> StoreFuture<'_, ()> {
        self.0.check_writable()
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        self.0.confirmed_time()
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        self.0.set_confirmed_time(time)
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        self.0.drop_expired(before)
    }
}

impl<S: RefreshTokenStore> RefreshTokenStore for TimelessStore<S> {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.0.insert(family)
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        self.0.find(id)
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.0.replace(expected, family)
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.0.remove(ids)
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.0.find_by_subject(issuer, subject)
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.0.list(issuer, after, limit)
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.0.drop_expired(now)
    }
}
