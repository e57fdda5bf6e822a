//! Several instances on one server: the order of the log, what is durable, and the wake-up.

use std::time::Duration;

use auth_runtime::store::{LogCursor, LogRead, RevocationLog as _};
use auth_runtime::store::{PostgresStore, RefreshTokenStore as _};
use auth_tests_servers::PostgresServer;
use futures_util::FutureExt as _;
use sqlx::postgres::PgListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Admin, entry, family, quoted, tags};
use crate::support::postgres::{new_schema, open};

/// The transaction of an append, which somebody has not committed yet. It has the lock of the counter.
async fn begin_append(admin: &mut Admin, schema: &str, tag: u64) {
    let schema = quoted(schema);
    admin
        .run(format!(
            "BEGIN; WITH counted AS (UPDATE {schema}.log_counter SET sequence = sequence + 1 RETURNING sequence) \
             INSERT INTO {schema}.log SELECT sequence, {tag}, 4000000000, '' FROM counted"
        ))
        .await;
}

/// Whether somebody waits for the lock of a row of this schema.
fn is_waiting(schema: &str) -> String {
    format!(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, '{}.log_counter') > 0",
        quoted(schema).replace('\'', "''")
    )
}

/// A number that was taken first is committed first, so a reader never goes on past one that is still to come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn an_append_is_committed_after_the_ones_before_it() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let [store, reader] = [open(&schema).await, open(&schema).await];
    let [mut other, mut admin] = [Admin::of(server).await, Admin::of(server).await];
    for (tag, end) in [(1, "COMMIT"), (3, "ROLLBACK"), (5, "COMMIT")] {
        let (mut before, _) = tags(&reader, LogCursor::START).await;
        begin_append(&mut other, &schema, tag).await;
        let later = tokio::spawn({
            let store = store.clone();
            async move { store.append(vec![entry(tag + 1)]).await }
        });
        admin.until(&is_waiting(&schema)).await;
        assert_eq!(tags(&reader, LogCursor::START).await.0, before, "neither is there, and reads go on");
        other.run(end).await;
        later.await.unwrap().unwrap();
        before.extend((end == "COMMIT").then_some(tag).into_iter().chain([tag + 1]));
        assert_eq!(tags(&reader, LogCursor::START).await.0, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_reader_misses_nothing_of_four_instances() {
    const EACH: u64 = 100;
    let schema = new_schema();
    let reader = open(&schema).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let store = open(&schema).await;
        for task in 0..4 {
            let store = store.clone();
            writers.spawn(async move {
                for number in 0..EACH / 4 {
                    store.append(vec![entry(writer * 1000 + task * 100 + number)]).await.unwrap();
                }
            });
        }
    }
    let (mut found, mut cursor) = (Vec::new(), LogCursor::START);
    loop {
        let is_last = writers.is_empty();
        let (new, last) = tags(&reader, cursor).await;
        found.extend(new);
        cursor = last;
        if is_last {
            break;
        }
        while writers.try_join_next().is_some_and(|ended| ended.is_ok()) {}
    }
    assert_eq!(found, tags(&reader, LogCursor::START).await.0, "in this order");
    assert_eq!(u64::try_from(found.len()).unwrap(), 4 * EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn appends_that_wait_share_a_transaction() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = open(&schema).await;
    let [mut other, mut admin] = [Admin::of(server).await, Admin::of(server).await];
    begin_append(&mut other, &schema, 1).await;
    let mut appends = JoinSet::new();
    for tag in 2..202 {
        let store = store.clone();
        appends.spawn(async move { store.append(vec![entry(tag)]).await.unwrap() });
    }
    admin.until(&is_waiting(&schema)).await;
    other.run("COMMIT").await;
    appends.join_all().await;
    let transactions = format!("SELECT count(DISTINCT xmin::text) FROM {}.log", quoted(&schema));
    let transactions = admin.number(transactions).await;
    assert!(transactions <= 10, "201 appends have {transactions} transactions");
    assert_eq!(tags(&store, LogCursor::START).await.0.len(), 201);
}

/// With one worker, which runs first whom the last answer or the first append has woken.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn callers_that_append_again_together_share_a_transaction_again() {
    const CALLERS: u64 = 8;
    const ROUNDS: u64 = 40;
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = open(&schema).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let store = store.clone();
        callers.spawn(async move {
            for round in 1..=ROUNDS {
                store.append(vec![entry(caller * 1000 + round)]).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let transactions = format!("SELECT count(DISTINCT xmin::text) FROM {}.log", quoted(&schema));
    let transactions = Admin::of(server).await.number(transactions).await.unsigned_abs();
    // Not two in each round, one for the first caller and one for the others. The scheduler may separate them now and then.
    assert!(transactions <= ROUNDS + ROUNDS / 2, "{ROUNDS} rounds have {transactions} transactions");
    assert_eq!(tags(&store, LogCursor::START).await.0.len() as u64, CALLERS * ROUNDS);
}

/// Such as a backup: it has a snapshot, and a transaction id, for hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_long_transaction_of_somebody_else_blocks_nothing() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let [store, reader] = [open(&schema).await, open(&schema).await];
    store.append((1..=3).map(entry).collect()).await.unwrap();
    store.insert(family(1)).await.unwrap();
    let mut other = Admin::of(server).await;
    let tables = ["log_counter", "log_state", "log", "refresh_families"];
    let looked: String =
        tables.iter().map(|table| format!("SELECT * FROM {}.{table};", quoted(&schema))).collect();
    other.run(format!("BEGIN ISOLATION LEVEL SERIALIZABLE; CREATE TABLE of_another (a int); {looked}")).await;

    store.append(vec![entry(4)]).await.unwrap();
    let (found, cursor) = tags(&reader, LogCursor::START).await;
    assert_eq!(found, [1, 2, 3, 4]);
    assert!(store.replace(1, family(1)).await.unwrap());
    let far = std::time::UNIX_EPOCH + std::time::Duration::from_secs(5_000_000_000);
    assert!(!auth_runtime::store::RevocationLog::drop_expired(&store, far).await.unwrap());
    assert_eq!(tags(&reader, cursor).await, (vec![], cursor), "it was dropped, and is where the log goes on");
    store.append(vec![entry(5)]).await.unwrap();
    assert_eq!(tags(&reader, cursor).await.0, [5]);
    other.run("ROLLBACK").await;
}

/// Whatever the database's default is; reads of others do not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn what_must_not_be_lost_is_flushed_before_it_is_acknowledged() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let mut admin = Admin::of(server).await;
    admin.run("CREATE ROLE careless LOGIN SUPERUSER; ALTER ROLE careless SET synchronous_commit = off").await;
    let url = format!("postgres://careless@127.0.0.1:{}/postgres", server.port());
    let store = PostgresStore::options().schema(&schema).connect(&url).await.unwrap();
    let schema = quoted(&schema);
    for table in ["log", "refresh_families", "log_state"] {
        admin
            .run(format!(
                "CREATE TABLE IF NOT EXISTS {schema}.seen (seen text);
                 CREATE OR REPLACE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     INSERT INTO {schema}.seen VALUES (TG_TABLE_NAME || ' ' || current_setting('synchronous_commit'));
                     RETURN NULL;
                 END $$;
                 CREATE TRIGGER see AFTER INSERT OR UPDATE ON {schema}.{table} EXECUTE FUNCTION {schema}.see()"
            ))
            .await;
    }
    store.append(vec![entry(1)]).await.unwrap();
    store.insert(family(1)).await.unwrap();
    store.set_confirmed_time(std::time::UNIX_EPOCH).await.unwrap();
    let seen = admin.run(format!("SELECT seen FROM {schema}.seen ORDER BY seen")).await;
    let seen: Vec<String> = seen.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    assert_eq!(seen, ["log on", "log_state off", "refresh_families on"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn an_instance_is_woken_up_by_what_another_appends() {
    let schema = new_schema();
    let [writer, reader] = [open(&schema).await, open(&schema).await];
    let mut cursor = LogCursor::START;
    let server = PostgresServer::shared();
    let mut admin = Admin::of(server).await;
    for tag in 1..10 {
        if tag == 5 {
            // The connection that listens is lost, and made again.
            admin
                .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
                .await;
        }
        let woken = reader.wait_for_entries(cursor);
        writer.append(vec![entry(tag)]).await.unwrap();
        woken.await;
        let (found, last) = loop {
            // It may be that it was woken up because it listens from now on.
            let (found, last) = tags(&reader, cursor).await;
            if !found.is_empty() {
                break (found, last);
            }
            reader.wait_for_entries(cursor).await;
        };
        assert_eq!(found, [tag]);
        cursor = last;
    }
}

/// What is notified on the channel of the store, of one schema or with this word.
fn notifications(mut listener: PgListener, schema: &str, word: &str) -> mpsc::UnboundedReceiver<String> {
    let (schema, word) = (schema.to_owned(), word.to_owned());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let payload = listener.recv().await.unwrap().payload().to_owned();
            if (payload.ends_with(&schema) || payload == word) && sender.send(payload).is_err() {
                break;
            }
        }
    });
    receiver
}

/// `NOTIFY` locks out those of the whole server, so there is one at a time, for all that was appended in 2 milliseconds. Time passes when the
/// test says so.
#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_burst_of_appends_wakes_the_others_once_in_two_milliseconds() {
    const BETWEEN: Duration = Duration::from_millis(2);
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = open(&schema).await;
    let mut admin = Admin::of(server).await;
    let mut listener = PgListener::connect(&server.url()).await.unwrap();
    listener.listen("auth_runtime_log").await.unwrap();
    let fence = format!("fence of {schema} ");
    let mut heard = notifications(listener, &schema, &fence);
    // A fence is behind all that was notified before.
    let notify = format!("SELECT pg_notify('auth_runtime_log', '{}')", fence.replace('\'', "''"));
    tokio::time::pause();
    // While something runs, paused time stands still.
    let running = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });

    store.append(vec![entry(1)]).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), format!("1 {schema}"));
    for last in [41, 81] {
        for tag in last - 39..=last {
            store.append(vec![entry(tag)]).await.unwrap();
        }
        admin.run(&*notify).await;
        assert_eq!(heard.recv().await.unwrap(), fence, "nothing before the time has passed");
        // It may begin to wait only after this has heard of the notification.
        let woken = loop {
            tokio::time::advance(BETWEEN).await;
            admin.run(&*notify).await;
            match heard.recv().await.unwrap() {
                again if again == fence => {}
                woken => break woken,
            }
        };
        assert_eq!(woken, format!("{last} {schema}"), "one, of the last");
        assert_eq!(heard.recv().await.unwrap(), fence, "and none after it");
    }
    running.abort();
}

/// Also of a store that was set back and has fewer entries than before: otherwise it would be read again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn after_a_read_that_found_nothing_it_waits() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = open(&schema).await;
    let mut admin = Admin::of(server).await;
    let settle = async |after: LogCursor| {
        // Until it listens, and has heard of all that was appended.
        loop {
            let cursor = tags(&store, after).await.1;
            tokio::task::yield_now().await;
            if store.wait_for_entries(cursor).now_or_never().is_none() {
                return cursor;
            }
        }
    };
    store.append((1..=10).map(entry).collect()).await.unwrap();
    let cursor = settle(LogCursor::START).await;
    assert_eq!(cursor.sequence, 10);
    let schema = quoted(&schema);
    admin
        .run(format!(
            "DELETE FROM {schema}.log WHERE sequence > 2; UPDATE {schema}.log_counter SET sequence = 2"
        ))
        .await;
    assert_eq!(store.read(cursor, 10).await.unwrap(), LogRead::AnotherHistory);
    assert_eq!(settle(LogCursor::START).await.sequence, 2);
}

/// Restored from a dump, and written on past the cursor of a reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_restored_dump_is_another_history() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let store = open(&schema).await;
    let mut admin = Admin::of(server).await;
    store.append((1..=3).map(entry).collect()).await.unwrap();
    let of_dump = tags(&store, LogCursor::START).await.1;
    let dump = server.dump(&schema);
    let dump: String =
        dump.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect();
    store.append((4..=6).map(entry).collect()).await.unwrap();
    let after_dump = tags(&store, LogCursor::START).await.1;

    admin.run(format!("DROP SCHEMA {} CASCADE; {dump}", quoted(&schema))).await;
    for restored in [store, open(&schema).await] {
        assert_eq!(
            restored.read(after_dump, 10).await.unwrap(),
            LogRead::AnotherHistory,
            "the entry is missing"
        );
        restored.append((14..=18).map(entry).collect()).await.unwrap();
        assert_eq!(
            restored.read(after_dump, 10).await.unwrap(),
            LogRead::AnotherHistory,
            "another has its number"
        );
        let page = restored.read(of_dump, 5).await.unwrap().page().unwrap();
        assert_eq!(page.entries[0].tag, 14);
    }
}
