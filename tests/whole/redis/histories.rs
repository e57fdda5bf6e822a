//! Whether a log is the one that was read before: after restarts, losses, and failovers.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::store::{LogCursor, LogRead, RedisStore, RevocationLog};
use auth_tests_servers::{Proxy, RedisOptions, RedisServer};

use super::{TIME_LIMIT, append, connect, entry, is_known_again, read_all};
use crate::support::until;

async fn is_woken(store: &RedisStore, after: LogCursor) -> bool {
    let mut woken = store.wait_for_entries(after);
    for _ in 0..100 {
        // It asks the server, so that the task of the store has had its turn.
        store.check_writable().await.unwrap();
        let is_woken =
            tokio::select! { biased; () = &mut woken => true, () = std::future::ready(()) => false };
        if is_woken {
            return true;
        }
    }
    false
}

/// An instance that starts later has nothing to read, although the sequence is not 0.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_log_whose_entries_were_all_dropped_wakes_nobody_before_the_next() {
    let server = RedisServer::start();
    let first = connect(&server.url()).await;
    append(&first, 1..=20).await;
    let after_all = UNIX_EPOCH + Duration::from_secs(5_000_000_000);
    assert!(!first.drop_expired(after_all).await.unwrap());
    let second = connect(&server.url()).await;
    assert!(!is_woken(&second, LogCursor::START).await);
    append(&first, [21]).await;
    second.wait_for_entries(LogCursor::START).await;
    assert_eq!(read_all(&second).await.0, [21]);
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_restart_with_the_data_is_the_same_history() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, 1..=20).await;
    let (tags, cursor) = read_all(&store).await;
    for _ in 0..3 {
        server.kill();
        server.start_again();
        assert!(is_known_again(&store, cursor).await);
        assert_eq!(read_all(&store).await, (tags.clone(), cursor));
    }
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_restart_without_the_data_is_another_history() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, 1..=20).await;
    let cursor = read_all(&store).await.1;
    store.wait_for_entries(LogCursor::START).await;
    server.kill();
    server.delete_data();
    server.start_again();
    assert!(!is_known_again(&store, cursor).await);
    assert_eq!(read_all(&store).await, (vec![], LogCursor::START));
    // The same sequence again, with other entries.
    append(&store, 101..=120).await;
    assert!(!is_known_again(&store, cursor).await);
    let (tags, new) = read_all(&store).await;
    assert_eq!((tags.len(), new.sequence), (20, cursor.sequence));
    assert!(is_known_again(&store, new).await);
    // A wake-up of the old history is none of the new one: an instance that has read all of it would read for ever.
    store.wait_for_entries(LogCursor { sequence: new.sequence - 1, ..new }).await;
    assert!(!is_woken(&store, new).await);
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn data_that_was_deleted_under_an_open_connection_is_another_history() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, 1..=20).await;
    let cursor = read_all(&store).await.1;
    store.wait_for_entries(LogCursor::START).await;
    server.command(&["FLUSHALL"]);
    assert_eq!(store.read(cursor, 4).await.unwrap(), LogRead::AnotherHistory);
    assert!(!is_woken(&store, LogCursor::START).await, "there is nothing");
    append(&store, [21]).await;
    assert_eq!(read_all(&store).await.0, [21]);
}

/// What the primary has acknowledged is missing on the replica that takes over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_failover_that_lost_writes_is_another_history_and_waiting_for_replicas_prevents_it() {
    let primary = RedisServer::start();
    let replication = Proxy::start(primary.port()).await;
    let replica = RedisOptions::replica_of(replication.port()).start();
    let clients = Proxy::start(primary.port()).await;
    let url = format!("redis://127.0.0.1:{}", clients.port());
    let options = RedisStore::options().time_limit(TIME_LIMIT);
    let store = options.clone().connect(&url).await.unwrap();
    let hasty = RedisStore::options().time_limit(Duration::from_secs(2)).wait_for_replicas(1);
    let careful = hasty.connect(&url).await.unwrap();

    until("the replica follows", async || careful.append(vec![entry(1)]).await.is_ok()).await;
    let replicated = read_all(&store).await.1;
    replication.silence();
    append(&store, [2]).await;
    let lost = read_all(&store).await.1;
    let error = careful.append(vec![entry(3)]).await.unwrap_err().to_string();
    let expected =
        "0 replicas have acknowledged this write, and 1 must (`RedisStoreOptions::wait_for_replicas`)";
    assert!(error.contains(expected) && error.contains("unknown"), "{error}");

    primary.kill();
    replica.command(&["REPLICAOF", "NO", "ONE"]);
    clients.lead_to(replica.port());
    assert!(!is_known_again(&store, lost).await);
    assert!(is_known_again(&store, replicated).await, "that one was acknowledged by the replica");
    let tags = read_all(&store).await.0;
    assert!(tags.contains(&1) && !tags.contains(&2), "{tags:?}");
    // Another entry at the same sequence.
    append(&store, [4]).await;
    assert!(!is_known_again(&store, lost).await);
}
