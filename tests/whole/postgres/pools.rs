//! The connections: the application's own pool, with its settings; a pooler; time that is paused.

use std::time::Duration;

use auth_runtime::store::{LogCursor, RevocationLog as _};
use auth_runtime::store::{PostgresStore, RefreshTokenStore as _};
use auth_tests_servers::PostgresServer;
use sqlx::Executor as _;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::task::JoinSet;

use super::{entry, family, tags};
use crate::support::postgres::new_schema;

/// Of two connections, with settings that the statements are not made for.
fn odd_pool() -> PgPool {
    let settings = "SET default_transaction_isolation = serializable; SET bytea_output = escape; SET search_path = nowhere; \
                    SET standard_conforming_strings = off; SET default_transaction_deferrable = on; SET timezone = 'Asia/Kathmandu'";
    let pool = PgPoolOptions::new().max_connections(2).after_connect(move |connection, _| {
        Box::pin(async move { connection.execute(settings).await.map(drop) })
    });
    pool.connect_lazy(&PostgresServer::shared().url()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn what_a_pool_sets_for_its_sessions_does_not_matter() {
    let store = PostgresStore::options().schema(new_schema()).with_pool(odd_pool()).await.unwrap();
    store.insert(family(1)).await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let store = store.clone();
        tasks.spawn(async move {
            store.append(vec![entry(number)]).await.unwrap();
            store
                .replace(1, auth_runtime::store::RefreshTokenFamily { version: 2, ..family(1) })
                .await
                .unwrap()
        });
    }
    let replaced = tasks.join_all().await.into_iter().filter(|replaced| *replaced).count();
    assert_eq!(replaced, 1);
    let (mut found, _) = tags(&store, LogCursor::START).await;
    found.sort_unstable();
    assert_eq!(found, (0..50).collect::<Vec<_>>());
}

/// Nobody has got the tokens of such a session. And the application has its connections again, which are in no transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_session_whose_caller_has_gone_away_is_removed() {
    const GONE: u8 = 20;
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let pool = PgPoolOptions::new().max_connections(2).connect_lazy(&server.url()).unwrap();
    let store = PostgresStore::options().schema(&schema).with_pool(pool.clone()).await.unwrap();
    let mut admin = super::Admin::of(server).await;
    let schema = super::quoted(&schema);
    admin
        .run(format!(
            "CREATE TABLE {schema}.seen (seen int);
             CREATE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO {schema}.seen VALUES (1);
                 RETURN NULL;
             END $$;
             CREATE TRIGGER see AFTER INSERT ON {schema}.refresh_families EXECUTE FUNCTION {schema}.see()"
        ))
        .await;
    // They wait for the application, which uses up its pool, and their callers go away.
    let used = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    for number in 0..GONE {
        assert!(futures_util::poll!(store.insert(family(number))).is_pending());
    }
    drop(used);
    store.insert(family(100)).await.unwrap();
    admin.until(&format!("SELECT count(*) = {} FROM {schema}.seen", GONE + 1)).await;
    admin.until(&format!("SELECT count(*) = 1 FROM {schema}.refresh_families")).await;
    assert!(store.find([100; 16]).await.unwrap().is_some());

    let [mut one, mut other] = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    for connection in [&mut one, &mut other] {
        let began = "SELECT xact_start = query_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let row = sqlx::raw_sql(began).fetch_one(&mut **connection).await.unwrap();
        assert!(sqlx::Row::get::<bool, _>(&row, 0), "it is in a transaction");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_store_ends_with_its_last_clone() {
    let server = PostgresServer::shared();
    let pool = PgPoolOptions::new().max_connections(2).connect_lazy(&server.url()).unwrap();
    let store = PostgresStore::options().schema(new_schema()).with_pool(pool.clone()).await.unwrap();
    let clone = store.clone();
    let waiting = store.wait_for_entries(LogCursor { sequence: u64::MAX, tag: 0 });
    drop(store);
    clone.append(vec![entry(1)]).await.unwrap();
    drop((clone, waiting));
    // Only the pool of the application is left.
    let mut admin = super::Admin::of(server).await;
    admin.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'LISTEN %'").await;
}

/// Without the password, and with what to do.
#[tokio::test]
async fn a_server_that_can_not_be_reached_is_named() {
    let options = || PostgresStore::options().time_limit(Duration::from_millis(500));
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused =
        options().connect(&format!("postgres://shop:s3cret@127.0.0.1:{unused}/orders")).await.unwrap_err();
    let text = refused.to_string();
    assert!(
        text.starts_with("the store in the schema \"auth\" of the database `orders` at 127.0.0.1:"),
        "{text}"
    );
    assert!(text.contains("no server listens there: start it, or correct the host and the port"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    let invalid =
        options().connect("postgres://shop:s3cr/et@db/orders?port=x").await.unwrap_err().to_string();
    assert!(invalid.contains("the URL of a `PostgresStore` is not valid: write it as"), "{invalid}");
    assert!(!invalid.contains("s3cr"), "{invalid}");
}
