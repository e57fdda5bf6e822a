//! Two instances of the service, with one store.

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogRead, MemoryStore, RefreshTokenFamily, RefreshTokenStore,
    RevocationLog, StoreError, StoreFuture,
};

use super::*;

/// A store of both, which can be out of reach.
#[derive(Clone, Debug)]
struct Shared {
    store: MemoryStore,
    is_down: Arc<AtomicBool>,
}

impl Shared {
    fn ask<'s, T: Send + 's>(
        &'s self,
        question: impl FnOnce(&'s MemoryStore) -> StoreFuture<'s, T>,
    ) -> StoreFuture<'s, T> {
        if self.is_down.load(Ordering::SeqCst) {
            return Box::pin(ready(Err(StoreError::new("it is down"))));
        }
        question(&self.store)
    }
}

impl RevocationLog for Shared {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        self.ask(|store| store.append(entries))
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        self.ask(|store| store.read(after, limit))
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        self.ask(|store| RevocationLog::drop_expired(store, before))
    }
}

impl RefreshTokenStore for Shared {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.ask(|store| store.insert(family))
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        self.ask(|store| store.find(id))
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.ask(|store| store.replace(expected, family))
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.ask(|store| store.remove(ids))
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.ask(move |store| Box::pin(async move { store.find_by_subject(&issuer, &subject).await }))
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let (issuer, after) = (issuer.to_owned(), after.map(|(subject, id)| (subject.to_owned(), id)));
        self.ask(move |store| {
            Box::pin(async move {
                store.list(&issuer, after.as_ref().map(|(subject, id)| (&**subject, *id)), limit).await
            })
        })
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        self.ask(|store| RefreshTokenStore::drop_expired(store, now))
    }
}

/// A request asks what the instance has read of the store, and never the store: it is answered as well while that is down.
#[tokio::test]
async fn a_token_is_blocklisted_on_every_instance_and_no_request_asks_the_store() -> Result<(), BoxError> {
    let shared = Shared { store: MemoryStore::new(), is_down: Arc::default() };
    let one = Running::start_with(|engine| engine.store(shared.clone())).await?;
    let other = Running::start_with(|engine| engine.store(shared.clone())).await?;
    let [ana, ben, otto] = [one.log_in("ana").await, one.log_in("ben").await, other.log_in("otto").await];
    for instance in [&one, &other] {
        assert!(instance.accepts(&ben.access).await && instance.accepts(&otto.access).await);
    }
    let jti = part(&ben.access, 1)["jti"].clone();
    let blocked = one.service.post("/api/staff/blocklist", Some(&ana.access), &json!({ "jti": jti })).await;
    assert_eq!(blocked.status, 201);
    assert_eq!(one.status("/api/me", &ben.access).await, 401);
    // It reads the log.
    other.auth.start().await?;
    shared.is_down.store(true, Ordering::SeqCst);
    for instance in [&one, &other] {
        for path in ["/api/me", "/api/hello", "/api/token", "/api/contacts"] {
            assert_eq!(instance.status(path, &ben.access).await, 401, "{path}");
            assert_eq!(instance.status(path, &ana.access).await, 200, "{path}");
        }
    }
    // What does need the store is out of reach.
    let login = json!({ "email": "ben@new.example", "password": "blueberry" });
    assert_eq!(one.service.post("/api/auth", None, &login).await.status, 503);
    Ok(())
}
