//! A replica: it is rejected while it is one, and found when it has become the primary.

use std::time::Duration;

use auth_runtime::store::{LogCursor, LogRead, RevocationLog as _};
use auth_runtime::store::{PostgresStore, RefreshTokenStore as _};
use auth_tests_servers::{PostgresServer, Proxy};

use super::{Admin, assert_says, entry, family, tags, until_ok};

/// The replica has everything that the primary has.
async fn caught_up(primary: &PostgresServer, replica: &PostgresServer) {
    let position = Admin::of(primary).await.run("SELECT pg_current_wal_lsn()::text").await;
    let position: String = sqlx::Row::get(&position[0], 0);
    Admin::of(replica).await.until(&format!("SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn")).await;
}

/// What it answers may be old: a session that has ended lives there, and a log that lags behind looks up to date.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_replica_is_asked_nothing() {
    let primary = PostgresServer::start();
    let store = PostgresStore::connect(&primary.url()).await.unwrap();
    store.append(vec![entry(1)]).await.unwrap();
    let replica = primary.replica();
    caught_up(&primary, &replica).await;
    let of_replica = PostgresStore::connect(&replica.url()).await.unwrap();
    let read = of_replica.read(LogCursor::START, 10).await.unwrap_err();
    let found = of_replica.find([1; 16]).await.unwrap_err();
    for error in [read, found] {
        assert_says(
            &error,
            replica.port(),
            &["the server is a replica (in recovery)", "connect to the primary"],
        );
    }
    let append = of_replica.append(vec![entry(2)]).await.unwrap_err();
    let insert = of_replica.insert(family(1)).await.unwrap_err();
    for error in [append, insert, of_replica.check_writable().await.unwrap_err()] {
        assert_says(&error, replica.port(), &["the server can't be written: it is a replica"]);
    }
    assert_eq!(tags(&store, LogCursor::START).await.0, [1], "the primary is fine");
}

/// Nobody restarts the service; the name of the host leads to another server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn after_a_failover_the_new_primary_is_found_and_lost_writes_are_noticed() {
    let primary = PostgresServer::start();
    let proxy = Proxy::start(primary.port()).await;
    let url = PostgresServer::url_at(proxy.port());
    let store = PostgresStore::options().time_limit(Duration::from_secs(2)).connect(&url).await.unwrap();
    store.append(vec![entry(1)]).await.unwrap();
    let kept = tags(&store, LogCursor::START).await.1;
    let replica = primary.replica();
    caught_up(&primary, &replica).await;

    // The last write does not get there.
    let mut of_replica = Admin::of(&replica).await;
    of_replica.run("ALTER SYSTEM SET primary_conninfo = ''").await;
    of_replica.run("SELECT pg_reload_conf()").await;
    of_replica.until("SELECT count(*) = 0 FROM pg_stat_wal_receiver").await;
    store.append(vec![entry(2)]).await.unwrap();
    let lost = tags(&store, LogCursor::START).await.1;
    primary.kill();
    // First to what is still a replica, and connections to it stay when it is promoted.
    proxy.lead_to(replica.port());
    assert!(store.read(lost, 10).await.is_err());
    replica.promote();
    let read = until_ok(async || store.read(lost, 10).await).await;
    assert_eq!(read, LogRead::AnotherHistory);
    until_ok(async || store.append(vec![entry(2)]).await).await;
    assert_eq!(tags(&store, kept).await.0, [2]);
    // It is appended again, as the library does it.
    assert!(matches!(store.read(lost, 10).await.unwrap(), LogRead::Page(_)));
}
