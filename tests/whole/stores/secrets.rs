//! What an attacker who reads a store gets: no token, no key, no password.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys};
use auth_runtime::routing::get;
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::store::{
    ApiKeyRecord, ApiKeyStore, ApiKeyUse, AttemptStore, CountedAttempt, FamilyId, LogCursor, LogEntry,
    LogRead, MemoryStore, RedbStore, RefreshTokenFamily, RefreshTokenStore, RevocationLog, StoreFuture,
};
use auth_runtime::{Auth, Router, auth};
use auth_tests_servers::{PostgresServer, RedisServer};
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::people::{People, issuer};
use crate::support::postgres::{new_schema, open};
use crate::support::redis::open_redis;
use crate::support::{Reply, request, send};

#[auth(source = ["bearer", "api_key"])]
async fn guarded() {}

/// A service, and all that its callers sent and were sent that must not be in its store.
struct Service {
    auth: Auth,
    app: axum::Router,
    secrets: Vec<String>,
}

impl Service {
    async fn start<S>(store: S, routes: fn(TokenRoutes<People>, S) -> TokenRoutes<People>) -> Self
    where
        S: RevocationLog + RefreshTokenStore + ApiKeyStore + Clone,
    {
        let people = People::default();
        let auth = Auth::builder()
            .token_issuer(issuer(&people).grace_period(Duration::ZERO))
            .api_keys(ApiKeys::in_header("X-API-Key").store(store.clone()))
            .store(store.clone())
            .build()
            .unwrap();
        auth.start().await.unwrap();
        let routes = routes(TokenRoutes::json(auth.tokens().unwrap(), people), store);
        let router = Router::new().route("/", get(guarded)).nest("/auth", routes.router());
        let address = SocketAddr::from(([192, 0, 2, 1], 4711));
        let app = router.finish(&auth).unwrap().layer(MockConnectInfo(address));
        Self { auth, app, secrets: Vec::new() }
    }

    async fn post(&mut self, path: &str, body: Value) -> Reply {
        let mut sent = request("POST", path, &[("content-type", "application/json")]);
        *sent.body_mut() = Body::from(body.to_string());
        let reply = send(&self.app, sent).await;
        let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let issued = ["access_token", "refresh_token"].iter().filter_map(|name| answer[name].as_str());
        self.secrets.extend(issued.map(str::to_owned));
        reply
    }

    /// Logs in, and returns the access token and the refresh token.
    async fn log_in(&mut self, name: &str, password: &str) -> Option<[String; 2]> {
        self.secrets.push(password.to_owned());
        let reply = self.post("/auth/login", json!({ "username": name, "password": password })).await;
        let issued: Value = serde_json::from_str(&reply.body).unwrap();
        (reply.status == StatusCode::OK)
            .then(|| ["access_token", "refresh_token"].map(|name| issued[name].as_str().unwrap().to_owned()))
    }

    async fn ask(&self, name: &str, credential: &str) -> u16 {
        send(&self.app, request("GET", "/", &[(name, credential)])).await.status.as_u16()
    }

    /// Everything that puts something into a store. Returns the secrets.
    async fn use_all(mut self) -> Vec<String> {
        let [access, refresh] = self.log_in("alice", "password of alice").await.unwrap();
        assert_eq!(self.ask("authorization", &format!("Bearer {access}")).await, 200);
        // The password in the field of the name, as people type it, and a wrong one.
        assert_eq!(self.log_in("password of alice", "another password of alice").await, None);
        assert_eq!(self.log_in("bob", "a password of another service").await, None);
        self.secrets.push("password of alice".to_owned());

        let renewed = self.post("/auth/refresh", json!({ "refresh_token": refresh })).await;
        assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.body);
        // It is used again, which ends the session.
        assert_eq!(self.post("/auth/refresh", json!({ "refresh_token": refresh })).await.status, 400);
        let [_, refresh] = self.log_in("alice", "password of alice").await.unwrap();
        assert_eq!(self.post("/auth/logout", json!({ "refresh_token": refresh })).await.status, 204);
        let [access, _] = self.log_in("bob", "password of bob").await.unwrap();
        let tokens = self.auth.tokens().unwrap();
        tokens.revoke(&access).await.unwrap();
        self.log_in("alice", "password of alice").await.unwrap();
        tokens.log_out_everywhere("alice").await.unwrap();
        self.log_in("bob", "password of bob").await.unwrap();

        let keys = self.auth.api_keys().unwrap();
        for _ in 0..2 {
            let key = keys.create("alice", ApiKeyOptions::new()).await.unwrap();
            assert_eq!(self.ask("x-api-key", key.text()).await, 200);
            let next = keys.rotate(key.id(), Duration::from_secs(60)).await.unwrap();
            for key in [&key, &next] {
                let (_, secret) = key.text().split_once(key.id()).unwrap();
                self.secrets.extend([key.text().to_owned(), secret.trim_matches('_').to_owned()]);
            }
        }
        keys.record_last_uses().await;
        self.secrets
    }
}

fn without_attempts<S>(routes: TokenRoutes<People>, _: S) -> TokenRoutes<People> {
    routes
}

fn with_attempts<S: AttemptStore>(routes: TokenRoutes<People>, store: S) -> TokenRoutes<People> {
    routes.attempt_store(store)
}

/// Searches for each secret, and for each part of a token that is long enough to be a secret of its own.
fn assert_has_none(dump: &[u8], secrets: &[String]) {
    let has = |text: &str| dump.windows(text.len()).any(|part| part == text.as_bytes());
    // The columns of bytes in a dump of PostgreSQL are in hexadecimal digits.
    let in_hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(has("alice") || has(&in_hex("alice")), "the search finds what is there");
    assert!(secrets.len() > 20, "{secrets:?}");
    for secret in secrets {
        let parts = secret.split(['.', '~']).filter(|part| part.len() > 20);
        for part in parts.chain([secret.as_str()]) {
            assert!(!has(part) && !has(&in_hex(part)), "{part} of {secret} is in the store");
        }
    }
}

/// What any store is given.
#[tokio::test]
async fn no_store_is_given_a_secret() {
    let store = RecordingStore::default();
    let secrets = Service::start(store.clone(), with_attempts).await.use_all().await;
    let given = store.given.lock().unwrap();
    for kind in ["append", "insert_family", "replace", "insert_key", "rotate", "record_uses", "count"] {
        assert!(given.contains(&format!("\n{kind} ")), "{kind} was not called: {given}");
    }
    assert_has_none(given.as_bytes(), &secrets);
}

#[tokio::test]
async fn a_file_of_redb_has_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = RedbStore::open(&path).unwrap();
    let secrets = Service::start(store, without_attempts).await.use_all().await;
    assert_has_none(&std::fs::read(path).unwrap(), &secrets);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_dump_of_postgresql_has_no_secret() {
    let schema = new_schema();
    let secrets = Service::start(open(&schema).await, with_attempts).await.use_all().await;
    let dump = PostgresServer::shared().dump(&schema);
    for table in ["log", "refresh_families", "api_keys", "login_attempts"] {
        assert!(dump.contains(&format!(".{table} VALUES (")), "{table} has a row: {dump}");
    }
    assert_has_none(dump.as_bytes(), &secrets);
}

/// Each command that changed something is in the append-only file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn no_secret_was_ever_written_to_redis() {
    let server = RedisServer::start();
    let secrets = Service::start(open_redis(&server).await, with_attempts).await.use_all().await;
    let written = server.written();
    let text = String::from_utf8_lossy(&written);
    for key in ["log", "families", "api-keys", "attempts"] {
        assert!(text.contains(&format!("{{auth}}:{key}")), "{key} was written");
    }
    assert_has_none(&written, &secrets);
}

/// A store that writes down what it is given, in lines that begin with the name of the call.
#[derive(Clone, Debug, Default)]
struct RecordingStore {
    inner: MemoryStore,
    given: Arc<Mutex<String>>,
}

impl RecordingStore {
    fn record(&self, call: &str, given: impl std::fmt::Debug) {
        use std::fmt::Write as _;
        writeln!(self.given.lock().unwrap(), "\n{call} {given:?}").unwrap();
    }
}

impl RevocationLog for RecordingStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        for entry in &entries {
            self.record("append", (entry, String::from_utf8_lossy(&entry.bytes)));
        }
        self.inner.append(entries)
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        self.inner.read(after, limit)
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        RevocationLog::drop_expired(&self.inner, before)
    }
}

impl RefreshTokenStore for RecordingStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.record("insert_family", &family);
        RefreshTokenStore::insert(&self.inner, family)
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        RefreshTokenStore::find(&self.inner, id)
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.record("replace", &family);
        self.inner.replace(expected, family)
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.inner.remove(ids)
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.inner.find_by_subject(issuer, subject)
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.inner.list(issuer, after, limit)
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        RefreshTokenStore::drop_expired(&self.inner, now)
    }
}

impl ApiKeyStore for RecordingStore {
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        self.record("insert_key", &key);
        ApiKeyStore::insert(&self.inner, key)
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        self.record("find_key", id);
        ApiKeyStore::find(&self.inner, id)
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        self.inner.find_by_owner(prefix, owner, after, limit)
    }

    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool> {
        self.record("rotate", (id, &next));
        self.inner.rotate(id, expected, overlap_ends_at, next)
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        self.inner.revoke(id, at)
    }

    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        self.record("record_uses", &uses);
        self.inner.record_uses(uses)
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        self.inner.drop_ended(time)
    }
}

impl AttemptStore for RecordingStore {
    fn count(&self, attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>> {
        for attempt in &attempts {
            let key = attempt.key.as_bytes();
            self.record("count", (attempt, String::from_utf8_lossy(key)));
        }
        self.inner.count(attempts)
    }

    fn drop_expired(&self) -> StoreFuture<'_, bool> {
        AttemptStore::drop_expired(&self.inner)
    }
}
