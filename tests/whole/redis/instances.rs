//! Two instances of a service on one server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::session::TokenService;
use auth_runtime::store::{RedisStore, Revocation, RevocationLog as _};
use auth_runtime::testing::log_entry;
use auth_runtime::{Auth, Router, auth};
use auth_tests_servers::{RedisOptions, RedisServer};

use super::connect;
use crate::captured_log::CapturedLog;
use crate::support::people::{ISSUER, People, issuer};
use crate::support::{status, until};

#[auth]
async fn guarded() {}

struct Instance {
    auth: Auth,
    tokens: TokenService,
    app: axum::Router,
}

impl Instance {
    async fn start(store: RedisStore) -> Self {
        let builder = Auth::builder().token_issuer(issuer(&People::default()));
        let auth = builder.max_staleness(Duration::from_secs(60)).store(store).build().unwrap();
        let app = Router::new().route("/", get(guarded)).finish(&auth).unwrap();
        auth.start().await.unwrap();
        Self { tokens: auth.tokens().unwrap(), auth, app }
    }

    async fn ask(&self, token: &str) -> u16 {
        status(&self.app, "GET", "/", Some(token)).await
    }
}

/// Also after the server was killed, and after it has lost everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_logout_reaches_the_other_instance() {
    let server = RedisServer::start();
    let first = Instance::start(connect(&server.url()).await).await;
    let second = Instance::start(connect(&server.url()).await).await;
    let alice = People::default().find("alice").unwrap().unwrap();
    for round in 0..4 {
        let mut given = None;
        until("a login is stored", async || {
            given = first.tokens.issue(&alice).await.ok();
            given.is_some()
        })
        .await;
        let given = given.unwrap();
        assert_eq!((first.ask(&given.access_token).await, second.ask(&given.access_token).await), (200, 200));
        second.tokens.log_out(&given.refresh_token).await.unwrap();
        assert_eq!(second.ask(&given.access_token).await, 401, "at once");
        until("the other instance refuses it", async || first.ask(&given.access_token).await == 401).await;
        assert!(first.tokens.refresh(&given.refresh_token).await.is_err());
        if round == 3 {
            continue;
        }
        server.kill();
        if round == 1 {
            server.delete_data();
        }
        server.start_again();
        until("both follow again", async || {
            first.auth.start().await.is_ok() && second.auth.start().await.is_ok()
        })
        .await;
        assert_eq!((first.ask(&given.access_token).await, second.ask(&given.access_token).await), (401, 401));
        // What the second one had acknowledged is in the log again, for an instance that starts now.
        let third = Instance::start(connect(&server.url()).await).await;
        until("it is refused", async || third.ask(&given.access_token).await == 401).await;
    }
}

/// So a server that is full has room again by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn what_has_expired_is_dropped_from_a_server_that_is_full() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    store.set_confirmed_time(SystemTime::now()).await.unwrap();
    let expired = |tag: u64| {
        let revocation = Revocation::Token { issuer: ISSUER.into(), token_id: tag.to_string() };
        log_entry(revocation, UNIX_EPOCH + Duration::from_secs(1_000), tag)
    };
    store.append((1..=10).map(expired).collect()).await.unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let instance = Instance::start(store).await;
    until("they are dropped", async || server.command(&["XLEN", "{auth}:log"]) == "0").await;
    assert!(!instance.auth.revocations().status().writable, "it is still full");
}

/// An instance whose logins fail is not ready.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_server_without_the_replicas_that_are_waited_for_can_t_be_written() {
    let server = RedisServer::start();
    let log = CapturedLog::start(tracing::Level::WARN);
    let options = RedisStore::options().time_limit(Duration::from_secs(1)).wait_for_replicas(1);
    let store = options.connect(&server.url()).await.unwrap();
    let text = log.take();
    assert!(
        text.contains("0 replicas are connected, and `RedisStoreOptions::wait_for_replicas` is 1"),
        "{text}"
    );
    let error = store.check_writable().await.unwrap_err().to_string();
    assert!(error.contains("`RedisStoreOptions::wait_for_replicas`"), "{error}");

    let replica = RedisOptions::replica_of(server.port()).start();
    until("the replica follows", async || store.check_writable().await.is_ok()).await;
    let log = CapturedLog::start(tracing::Level::WARN);
    connect(&server.url()).await;
    let text = log.take();
    for expected in ["`RedisStoreOptions::wait_for_replicas` is 0", "`min-replicas-to-write` is 0"] {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
    drop(replica);
}
