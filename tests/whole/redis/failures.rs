//! Servers that fail while they are used: what is said, what goes on, and that the store recovers by itself.

use std::time::Duration;

use auth_runtime::store::{
    LogCursor, RedisStore, RefreshTokenFamily, RefreshTokenStore, RevocationLog, StoreError,
};
use auth_tests_servers::{Proxy, RedisServer};

use super::{TIME_LIMIT, append, assert_says, connect, entry, is_known_again, read_all};
use crate::support::rows::family;
use crate::support::until;

async fn append_error(store: &RedisStore) -> StoreError {
    store.append(vec![entry(9)]).await.unwrap_err()
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_full_server_is_read_and_what_ends_sessions_is_done() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, [1, 2]).await;
    for number in [1, 2] {
        store.insert(family(number)).await.unwrap();
    }
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    for error in [
        append_error(&store).await,
        store.insert(family(3)).await.unwrap_err(),
        store.check_writable().await.unwrap_err(),
    ] {
        assert_says(&error.to_string(), &server, &["its memory is full: raise `maxmemory`"]);
    }
    assert_eq!(read_all(&store).await.0, [1, 2], "nothing was appended in part");
    let RefreshTokenFamily { issuer, subject, .. } = family(1);
    assert_eq!(store.find_by_subject(&issuer, &subject).await.unwrap().len(), 2);
    // What gives memory back, or ends something.
    let next = RefreshTokenFamily { version: 2, ..family(1) };
    assert!(store.replace(1, next).await.unwrap());
    store.remove(vec![[2; 16]]).await.unwrap();
    let time = std::time::UNIX_EPOCH + Duration::from_secs(5_000_000_000);
    assert!(!RevocationLog::drop_expired(&store, time).await.unwrap());
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    store.check_writable().await.unwrap();
    append(&store, [3]).await;
    assert_eq!(read_all(&store).await.0, [3]);
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_server_whose_disk_is_full_is_read() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, [1]).await;
    server.command(&["CONFIG", "SET", "save", "3600 1"]);
    let snapshot = async |state: &str| {
        server.command(&["BGSAVE"]);
        let expected = format!("rdb_last_bgsave_status:{state}");
        until("a snapshot was tried", async || {
            let info = server.command(&["INFO", "persistence"]);
            info.contains("rdb_bgsave_in_progress:0") && info.contains(&expected)
        })
        .await;
    };
    server.break_snapshots();
    snapshot("err").await;
    for error in [append_error(&store).await, store.check_writable().await.unwrap_err()] {
        assert_says(&error.to_string(), &server, &["it can't write to its disk", "make room on its disk"]);
    }
    assert_eq!(read_all(&store).await.0, [1]);
    server.repair_snapshots();
    snapshot("ok").await;
    store.check_writable().await.unwrap();
}

/// What it has may be old.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_primary_that_becomes_a_replica_is_not_read() {
    let (server, other) = (RedisServer::start(), RedisServer::start());
    let store = connect(&server.url()).await;
    append(&store, [1]).await;
    let cursor = read_all(&store).await.1;
    // Without the data of the other one, which it can't reach.
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    drop(other);
    for error in [
        append_error(&store).await,
        store.read(cursor, 4).await.unwrap_err(),
        store.check_writable().await.unwrap_err(),
    ] {
        assert_says(&error.to_string(), &server, &["it is a replica", "connect to the primary"]);
    }
    server.command(&["REPLICAOF", "NO", "ONE"]);
    assert!(is_known_again(&store, cursor).await);
}

/// It may have been cut off, and another one may have taken over.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_primary_that_has_lost_its_replicas_is_not_read_if_it_needs_them() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, [1]).await;
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    for error in [append_error(&store).await, store.read(LogCursor::START, 4).await.unwrap_err()] {
        assert_says(&error.to_string(), &server, &["`min-replicas-to-write`"]);
    }
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    assert_eq!(read_all(&store).await.0, [1]);
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_server_that_does_not_answer_is_waited_for_until_the_limit() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, [1]).await;
    let cursor = read_all(&store).await.1;
    let limit = Duration::from_millis(200);
    let hasty = RedisStore::options().time_limit(limit).connect(&server.url()).await.unwrap();
    server.stop();
    let expected = ["it has not answered for 200ms (`RedisStoreOptions::time_limit`)", "is unknown"];
    assert_says(&append_error(&hasty).await.to_string(), &server, &expected);
    assert!(hasty.read(cursor, 4).await.is_err() && hasty.check_writable().await.is_err());
    server.cont();
    assert!(is_known_again(&hasty, cursor).await);
    assert!(is_known_again(&store, cursor).await);
}

/// A network without a cable, which says nothing of it, and one that closes connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_connection_that_was_cut_is_made_again() {
    let server = RedisServer::start();
    let direct = connect(&server.url()).await;
    let proxy = Proxy::start(server.port()).await;
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let limit = Duration::from_secs(5);
    let store = RedisStore::options().time_limit(limit).connect(&url).await.unwrap();
    for (round, silent) in [(1, false), (2, true), (3, false)] {
        append(&direct, [round]).await;
        let cursor = read_all(&direct).await.1;
        assert!(is_known_again(&store, cursor).await);
        // The blocking read is under way.
        let woken = tokio::spawn(store.wait_for_entries(cursor));
        until("it waits", async || server.command(&["INFO", "clients"]).contains("blocked_clients:1")).await;
        if silent {
            proxy.silence();
        } else {
            proxy.cut();
        }
        let error = store.append(vec![entry(100)]).await.unwrap_err().to_string();
        assert!(error.contains(&format!("`127.0.0.1:{}`", proxy.port())), "{error}");
        assert!(!woken.is_finished(), "nothing was appended");
        append(&direct, [round + 10]).await;
        proxy.lead_to(server.port());
        woken.await.unwrap();
        assert!(is_known_again(&store, cursor).await);
    }
}

/// The first call after that finds the connection closed: what changes nothing is asked again.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_restart_is_not_seen_by_reads() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, [1, 2]).await;
    store.insert(family(1)).await.unwrap();
    for _ in 0..3 {
        server.kill();
        server.start_again();
        assert_eq!(read_all(&store).await.0, [1, 2]);
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        assert_eq!(RefreshTokenStore::find(&store, [1; 16]).await.unwrap(), Some(family(1)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_hundred_callers_make_one_connection() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port()).await;
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let store = RedisStore::options().time_limit(TIME_LIMIT).connect(&url).await.unwrap();
    append(&store, [1]).await;
    assert_eq!(proxy.accepted(), 1);
    proxy.lead_to(server.port());
    let calls = (0..100).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { read_all(&store).await.0 })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), [1]);
    }
    assert_eq!(proxy.accepted(), 2);
}

#[test]
#[ignore = "needs redis-server: bash tests/run"]
fn a_store_is_used_on_another_runtime_after_that_of_its_connection_has_ended() {
    let server = RedisServer::start();
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = runtime().block_on(async {
        let store = connect(&server.url()).await;
        append(&store, [1]).await;
        store.wait_for_entries(LogCursor::START).await;
        store
    });
    runtime().block_on(async {
        let (tags, cursor) = read_all(&store).await;
        assert_eq!(tags, [1]);
        let woken = tokio::spawn(store.wait_for_entries(cursor));
        append(&store, [2]).await;
        woken.await.unwrap();
    });
}
