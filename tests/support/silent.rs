//! A store that stops answering, and answers again.

use std::time::SystemTime;

use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogRead, RefreshTokenFamily, RefreshTokenStore, RevocationLog, StoreFuture,
};
use tokio::sync::watch::Sender;

/// This store, whose calls wait for as long as it is silent.
#[derive(Clone, Debug)]
pub struct SilentStore<S> {
    inner: S,
    is_silent: Sender<bool>,
}

impl<S> SilentStore<S> {
    pub fn new(inner: S) -> Self {
        Self { inner, is_silent: Sender::new(false) }
    }

    /// What says whether it is silent.
    pub fn is_silent(&self) -> Sender<bool> {
        self.is_silent.clone()
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a S) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T>
    where
        S: Sync,
    {
        Box::pin(async move {
            self.is_silent.subscribe().wait_for(|is_silent| !is_silent).await.unwrap();
            work(&self.inner).await
        })
    }
}

impl<S: RevocationLog> RevocationLog for SilentStore<S> {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        self.answer(|store| store.append(entries))
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        self.answer(move |store| store.read(after, limit))
    }

    fn check_writable(&self) -> StoreFuture<'_, ()> {
        self.answer(S::check_writable)
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        self.answer(S::confirmed_time)
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        self.answer(move |store| store.set_confirmed_time(time))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.answer(move |store| RevocationLog::drop_expired(store, now))
    }
}

impl<S: RefreshTokenStore> RefreshTokenStore for SilentStore<S> {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.answer(|store| store.insert(family))
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        self.answer(move |store| store.find(id))
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.answer(move |store| store.replace(expected, family))
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.answer(|store| store.remove(ids))
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        Box::pin(async move {
            self.answer(|_| Box::pin(async { Ok(()) })).await?;
            self.inner.find_by_subject(&issuer, &subject).await
        })
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let issuer = issuer.to_owned();
        let after = after.map(|(subject, id)| (subject.to_owned(), id));
        Box::pin(async move {
            self.answer(|_| Box::pin(async { Ok(()) })).await?;
            let after = after.as_ref().map(|(subject, id)| (subject.as_str(), *id));
            self.inner.list(&issuer, after, limit).await
        })
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.answer(move |store| RefreshTokenStore::drop_expired(store, now))
    }
}
