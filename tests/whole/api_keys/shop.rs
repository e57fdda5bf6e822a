//! A service with API keys, and a store of keys that counts and can be broken.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_runtime::api_key::{ApiKeyOptions, ApiKeyService, ApiKeys, NewApiKey};
use auth_runtime::routing::{get, post};
use auth_runtime::source::CredentialPlace;
use auth_runtime::store::{
    ApiKeyRecord, ApiKeyStore, ApiKeyUse, MemoryStore, RedbStore, StoreError, StoreFuture,
};
use auth_runtime::testing::TestAuth;
use auth_runtime::{AuthBuilder, Principal, Router, auth};
use tempfile::TempDir;

use crate::support::{Reply, request, send};

pub(super) const PREFIX: &str = "acme_live";

/// Who came, by which scheme, and what the key may do.
#[auth(source = ["bearer", "api_key"])]
async fn who(caller: Principal) -> String {
    let names = |names: Vec<&str>| names.join(",");
    format!(
        "{} {} {} {} [{}] [{}] [{}]",
        caller.scheme(),
        caller.issuer().unwrap_or("-"),
        caller.subject(),
        caller.token_id().unwrap_or("-"),
        names(caller.roles().collect()),
        names(caller.scopes().collect()),
        names(caller.permissions().collect()),
    )
}

#[auth(source = ["api_key", "bearer"])]
async fn key_first(caller: Principal) -> String {
    caller.scheme().to_owned()
}

#[auth(source = "api_key", scopes = ["orders:read"])]
async fn orders() {}

#[auth(source = "api_key")]
pub(super) async fn change() {}

#[auth(source = "api_key", max_age = "1h")]
async fn recent() {}

#[auth(source = "api_key", acr = ["mfa"])]
async fn strong() {}

#[auth(source = "api_key", optional)]
async fn optional(caller: Option<Principal>) -> String {
    caller.map_or_else(|| "nobody".to_owned(), |caller| caller.subject().to_owned())
}

pub(super) fn routes() -> Router {
    reading().route("/change", post(change))
}

/// Those that change nothing.
pub(super) fn reading() -> Router {
    Router::new()
        .route("/who", get(who))
        .route("/key-first", get(key_first))
        .route("/orders", get(orders))
        .route("/recent", get(recent))
        .route("/strong", get(strong))
        .route("/optional", get(optional))
}

/// Where an engine keeps things; another engine can have the same.
#[derive(Clone)]
pub(super) enum Kept {
    Memory(MemoryStore),
    Redb(RedbStore),
}

impl Kept {
    fn store(&self, builder: AuthBuilder) -> AuthBuilder {
        match self {
            Self::Memory(store) => builder.store(store.clone()),
            Self::Redb(store) => builder.store(store.clone()),
        }
    }
}

/// One instance of a service.
pub(super) struct Shop {
    pub(super) test: TestAuth,
    pub(super) app: axum::Router,
    pub(super) keys: ProbedKeys,
    pub(super) kept: Kept,
    directory: Option<Arc<TempDir>>,
}

impl Shop {
    pub(super) async fn in_memory() -> Self {
        let store = MemoryStore::new();
        let keys = ProbedKeys::new(store.clone());
        Self::start(Kept::Memory(store), keys, None, |keys| keys, |builder| builder).await
    }

    pub(super) async fn in_redb() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = RedbStore::open(directory.path().join("store")).unwrap();
        let keys = ProbedKeys::new(store.clone());
        let directory = Some(Arc::new(directory));
        Self::start(Kept::Redb(store), keys, directory, |keys| keys, |builder| builder).await
    }

    /// Another instance on the same stores, with another configuration.
    pub(super) async fn another(
        &self,
        keys: impl FnOnce(ApiKeys) -> ApiKeys,
        configure: impl FnOnce(AuthBuilder) -> AuthBuilder,
    ) -> Self {
        let directory = self.directory.clone();
        Self::start(self.kept.clone(), self.keys.clone(), directory, keys, configure).await
    }

    /// Another instance, whose keys are at this place. Its routes change nothing.
    pub(super) async fn at(&self, place: CredentialPlace) -> Self {
        let api_keys = ApiKeys::at(place).prefix(PREFIX).store(self.keys.clone());
        let test = TestAuth::with(|builder| self.kept.store(builder).api_keys(api_keys));
        test.auth().start().await.unwrap();
        let app = reading().finish(test.auth()).unwrap();
        Self {
            test,
            app,
            keys: self.keys.clone(),
            kept: self.kept.clone(),
            directory: self.directory.clone(),
        }
    }

    async fn start(
        kept: Kept,
        store: ProbedKeys,
        directory: Option<Arc<TempDir>>,
        keys: impl FnOnce(ApiKeys) -> ApiKeys,
        configure: impl FnOnce(AuthBuilder) -> AuthBuilder,
    ) -> Self {
        let api_keys = keys(ApiKeys::in_header("X-API-Key").prefix(PREFIX).store(store.clone()));
        let test = TestAuth::with(|builder| configure(kept.store(builder).api_keys(api_keys)));
        test.auth().start().await.unwrap();
        let app = routes().finish(test.auth()).unwrap();
        Self { test, app, keys: store, kept, directory }
    }

    pub(super) fn service(&self) -> ApiKeyService<'_> {
        self.test.auth().api_keys().unwrap()
    }

    /// Lets time pass, and reads the log, which must not be too old.
    pub(super) async fn pass(&self, time: Duration) {
        self.test.clock().advance(time);
        self.test.auth().start().await.unwrap();
    }

    /// A key of alice, who may do nothing in particular.
    pub(super) async fn key(&self) -> NewApiKey {
        self.service().create("alice", ApiKeyOptions::new()).await.unwrap()
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        send(&self.app, request("GET", path, headers)).await
    }

    /// How a request with this key is answered.
    pub(super) async fn status(&self, key: &str) -> u16 {
        self.get("/who", &[("x-api-key", key)]).await.status.as_u16()
    }
}

/// A store of keys that counts, and can be broken.
#[derive(Clone, Debug)]
pub(super) struct ProbedKeys {
    inner: Arc<dyn ApiKeyStore>,
    reads: Arc<AtomicUsize>,
    is_broken: Arc<AtomicBool>,
    /// The writes of last uses.
    uses: Arc<Mutex<Vec<Vec<ApiKeyUse>>>>,
}

impl ProbedKeys {
    fn new(inner: impl ApiKeyStore) -> Self {
        Self {
            inner: Arc::new(inner),
            reads: Arc::default(),
            is_broken: Arc::default(),
            uses: Arc::default(),
        }
    }

    pub(super) fn set_broken(&self, broken: bool) {
        self.is_broken.store(broken, Ordering::SeqCst);
    }

    /// How often a key was looked up since this was last asked.
    pub(super) fn take_reads(&self) -> usize {
        self.reads.swap(0, Ordering::SeqCst)
    }

    pub(super) fn take_uses(&self) -> Vec<Vec<ApiKeyUse>> {
        std::mem::take(&mut *self.uses.lock().unwrap())
    }

    fn unless_broken<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a dyn ApiKeyStore) -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        if self.is_broken.load(Ordering::SeqCst) {
            Box::pin(async { Err(StoreError::new("the disk is on fire")) })
        } else {
            work(&*self.inner)
        }
    }
}

impl ApiKeyStore for ProbedKeys {
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        self.unless_broken(|keys| keys.insert(key))
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.unless_broken(|keys| keys.find(id))
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        assert!(limit <= 101, "a read has a bound");
        self.unless_broken(|keys| keys.find_by_owner(prefix, owner, after, limit))
    }

    fn rotate(&self, id: &str, expected: u64, expires_at: i64, next: ApiKeyRecord) -> StoreFuture<'_, bool> {
        self.unless_broken(|keys| keys.rotate(id, expected, expires_at, next))
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        self.unless_broken(|keys| keys.revoke(id, at))
    }

    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        self.uses.lock().unwrap().push(uses.clone());
        self.unless_broken(|keys| keys.record_uses(uses))
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        self.unless_broken(|keys| keys.drop_ended(time))
    }
}

/// A key's text with another body and the right checksum, as somebody makes it who knows the form.
pub(crate) fn with_checksum(body: &str) -> String {
    // CRC-32 of IEEE 802.3, bit by bit.
    let crc = !body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digits = (0..6).rev().map(|place| letters[(crc / 62_u32.pow(place) % 62) as usize]);
    digits.fold(body.to_owned(), |text, digit| text + &char::from(digit).to_string())
}

/// A key's text without its checksum.
pub(super) fn body(key: &NewApiKey) -> &str {
    &key.text()[..key.text().len() - 6]
}
