//! A server that is killed, stopped, full, read-only, or can't be reached.

use std::time::Duration;

use auth_runtime::store::{LogCursor, RevocationLog as _};
use auth_runtime::store::{PostgresStore, RefreshTokenStore as _, StoreError};
use auth_tests_servers::{PostgresServer, Proxy};
use tokio::task::JoinSet;

use super::{Admin, assert_says, entry, family, quoted, tags, until_ok};
use crate::support::postgres::{new_schema, open};

/// Short, so that the tests are; the messages name it.
const LIMIT: Duration = Duration::from_millis(500);

async fn impatient(url: &str, schema: &str) -> PostgresStore {
    PostgresStore::options().schema(schema).time_limit(LIMIT).connect(url).await.unwrap()
}

/// Many calls at once, all of which fail.
async fn fail(store: &PostgresStore) -> Vec<StoreError> {
    let mut calls = JoinSet::new();
    for number in 0..30 {
        let store = store.clone();
        calls.spawn(async move {
            match number % 3 {
                0 => store.append(vec![entry(1000 + number)]).await.unwrap_err(),
                1 => store.read(LogCursor::START, 10).await.unwrap_err(),
                _ => store.insert(family(u8::try_from(number).unwrap())).await.unwrap_err(),
            }
        });
    }
    calls.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn what_was_acknowledged_outlives_kills() {
    let server = PostgresServer::start();
    let store = impatient(&server.url(), "auth").await;
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut appends = JoinSet::new();
        for tag in 0..200 {
            let (store, tag) = (store.clone(), round * 1000 + tag);
            appends.spawn(async move { store.append(vec![entry(tag)]).await.is_ok().then_some(tag) });
        }
        let mut done = 0;
        while let Some(ended) = appends.join_next().await {
            acknowledged.extend(ended.unwrap());
            done += 1;
            if done == 50 {
                server.kill();
            }
        }
        server.start_again();
        // By itself, on other connections.
        until_ok(async || store.read(LogCursor::START, 1).await).await;
        let (found, _) = tags(&store, LogCursor::START).await;
        let lost: Vec<_> = acknowledged.iter().filter(|tag| !found.contains(tag)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
    }
    assert!(acknowledged.len() >= 3, "{acknowledged:?}");
}

/// A pool of ten connections is not used up by thirty calls that got no answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_server_that_does_not_answer_is_an_error_after_the_time_limit() {
    let server = PostgresServer::start();
    let store = impatient(&server.url(), "auth").await;
    store.append(vec![entry(1)]).await.unwrap();
    for _ in 0..2 {
        server.stop();
        for error in fail(&store).await {
            let text = error.to_string();
            let says = [
                "has not answered for 500ms",
                "wait for longer than 500ms",
                "no connection could be had in time",
            ];
            assert!(says.iter().any(|says| text.contains(says)), "{text}");
        }
        server.cont();
        until_ok(async || store.append(vec![entry(2)]).await).await;
        assert!(tags(&store, LogCursor::START).await.0.contains(&2));
    }
}

/// The same of a network that loses everything without a word, and of one that closes its connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_network_that_is_cut_is_an_error_and_it_connects_again_by_itself() {
    let server = PostgresServer::shared();
    let proxy = Proxy::start(server.port()).await;
    let store = impatient(&PostgresServer::url_at(proxy.port()), &new_schema()).await;
    let cut: [fn(&Proxy); 2] = [Proxy::silence, Proxy::cut];
    for (tag, cut) in (1..).zip(cut.into_iter().cycle().take(4)) {
        store.append(vec![entry(tag)]).await.unwrap();
        cut(&proxy);
        for error in fail(&store).await {
            assert!(error.to_string().contains(&format!("at 127.0.0.1:{}: ", proxy.port())), "{error}");
        }
        proxy.lead_to(server.port());
        until_ok(async || store.check_writable().await).await;
    }
    let (found, _) = tags(&store, LogCursor::START).await;
    assert!((1..=4).all(|tag| found.contains(&tag)), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_full_server_is_named_and_is_written_again_when_there_is_space() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = open(&schema).await;
    let mut admin = Admin::of(server).await;
    let schema = quoted(&schema);
    // As the server says it, when it can't extend a file.
    admin
        .run(format!(
            "CREATE FUNCTION {schema}.fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
             END $$;
             CREATE TRIGGER fill BEFORE UPDATE ON {schema}.log_counter EXECUTE FUNCTION {schema}.fill()"
        ))
        .await;
    store.check_writable().await.unwrap();
    for error in [store.append(vec![entry(1)]).await.unwrap_err(), store.check_writable().await.unwrap_err()]
    {
        assert_says(
            &error,
            server.port(),
            &["there is no space on the server's disk: free space there", "could not extend file"],
        );
    }
    admin.run(format!("DROP TRIGGER fill ON {schema}.log_counter")).await;
    // Nobody has appended in between.
    store.check_writable().await.unwrap();
    store.append(vec![entry(2)]).await.unwrap();
    assert_eq!(tags(&store, LogCursor::START).await.0, [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_read_only_server_is_named_and_is_written_again_by_itself() {
    let server = PostgresServer::start();
    let store = PostgresStore::connect(&server.url()).await.unwrap();
    let mut admin = Admin::of(&server).await;
    store.append(vec![entry(1)]).await.unwrap();
    let set = |value: &str| format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
    admin.run(set("on")).await;
    admin.run("SELECT pg_reload_conf()").await;
    admin.until("SELECT current_setting('default_transaction_read_only')::boolean").await;

    // Reads are served, and say that writes would fail.
    while store.check_writable().await.is_ok() {
        assert_eq!(tags(&store, LogCursor::START).await.0, [1]);
    }
    let refused = [
        store.append(vec![entry(2)]).await.unwrap_err(),
        store.insert(family(1)).await.unwrap_err(),
        store.check_writable().await.unwrap_err(),
    ];
    for error in refused {
        assert_says(
            &error,
            server.port(),
            &["the server can't be written", "turn the setting off for the user of the store"],
        );
    }
    admin.run("SET default_transaction_read_only = off").await;
    admin.run(set("off")).await;
    admin.run("SELECT pg_reload_conf()").await;
    until_ok(async || store.check_writable().await).await;
    until_ok(async || store.append(vec![entry(3)]).await).await;
    assert_eq!(tags(&store, LogCursor::START).await.0, [1, 3]);
}

/// The server gives up, too: a call each second would leave it a session each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_table_that_somebody_has_locked_is_named_and_leaves_no_session_that_waits() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = impatient(&server.url(), &schema).await;
    let [mut other, mut admin] = [Admin::of(server).await, Admin::of(server).await];
    other.run(format!("BEGIN; LOCK TABLE {}.log", quoted(&schema))).await;
    for error in fail_to_read(&store).await {
        let text = error.to_string();
        assert!(
            text.contains("waited for too long") || text.contains("has not answered for 500ms"),
            "{text}"
        );
    }
    let waiting = format!(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, '{}') > 0",
        quoted(&schema).replace('\'', "''")
    );
    admin.until(&waiting).await;
    other.run("ROLLBACK").await;
    assert_eq!(tags(&store, LogCursor::START).await.0, [0; 0]);
}

async fn fail_to_read(store: &PostgresStore) -> Vec<StoreError> {
    let mut reads = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        reads.spawn(async move { store.read(LogCursor::START, 10).await.unwrap_err() });
    }
    reads.join_all().await
}

/// Between its statement and its commit it has the lock of the counter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_transaction_of_a_client_that_has_stopped_is_ended() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = impatient(&server.url(), &schema).await;
    let mut admin = Admin::of(server).await;
    let schema = quoted(&schema);
    admin
        .run(format!(
            "CREATE TABLE {schema}.seen (seen text);
             CREATE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO {schema}.seen VALUES
                     (current_setting('idle_in_transaction_session_timeout') || ' ' || current_setting('statement_timeout'));
                 RETURN NULL;
             END $$;
             CREATE TRIGGER see AFTER UPDATE ON {schema}.log_counter EXECUTE FUNCTION {schema}.see()"
        ))
        .await;
    store.append(vec![entry(1)]).await.unwrap();
    let seen: String = sqlx::Row::get(&admin.run(format!("SELECT seen FROM {schema}.seen")).await[0], 0);
    assert_eq!(seen, "500ms 500ms");
}

/// An instance whose logins fail is not ready, also if nobody logs out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn after_a_login_that_could_not_be_stored_it_is_tested_whether_the_store_can_be_written() {
    let server = PostgresServer::start();
    let store = impatient(&server.url(), "auth").await;
    store.check_writable().await.unwrap();
    let mut admin = Admin::of(&server).await;
    admin.run("ALTER DATABASE postgres SET default_transaction_read_only = on").await;
    admin
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
        .await;
    until_ok(async || {
        let inserted = store.insert(family(1)).await;
        assert!(inserted.is_err(), "it is read-only");
        Ok::<_, StoreError>(())
    })
    .await;
    let error = store.check_writable().await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
}
