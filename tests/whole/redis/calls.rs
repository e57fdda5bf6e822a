//! How many calls the server has, and what is in them: appends that wait share one, a refresh writes one row, and a page is not converted.

use std::task::{Context, Waker};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::store::{
    LogEntry, RedisStore, RefreshTokenFamily, RefreshTokenStore, RevocationLog, StoreError, StoreFuture,
};
use auth_tests_servers::RedisServer;
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;
use tokio::time::timeout;

use super::{append, assert_says, connect, entry, read_all};
use crate::support::rows::family;
use crate::support::until;

/// How often the server has executed this command, also within scripts.
fn calls(server: &RedisServer, command: &str) -> u64 {
    let all = server.command(&["INFO", "commandstats"]);
    let line = all.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// Begins an append, and leaves it in the queue.
fn begin(store: &RedisStore, entry: LogEntry) -> StoreFuture<'_, ()> {
    // Otherwise the runtime has a task that begins many wait before all of them have begun.
    let mut appending: StoreFuture<'_, ()> = Box::pin(unconstrained(store.append(vec![entry])));
    let mut context = Context::from_waker(Waker::noop());
    assert!(appending.as_mut().poll(&mut context).is_pending(), "it waits for others");
    appending
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// On one thread nothing is sent before all of them wait.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn appends_that_wait_share_a_call() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    // The server has the script then.
    append(&store, [1]).await;
    let before = calls(&server, "evalsha");
    let appends: Vec<_> = (2..202).map(|tag| begin(&store, entry(tag))).collect();
    assert!(join_all(appends).await.iter().all(Result::is_ok));
    assert_eq!(calls(&server, "evalsha") - before, 1);
    assert_eq!(read_all(&store).await.0, (1..=100).collect::<Vec<_>>(), "in their order");
    assert_eq!(server.command(&["XLEN", "{auth}:log"]), "201");
}

/// A call has a thousand entries at most, so that others do not wait for long, or one append that has more.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_call_has_a_thousand_entries_at_most_and_no_append_is_in_two() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, [1]).await;
    let before = calls(&server, "evalsha");
    // More than there are places in the queue.
    let appends: Vec<_> = (0..3000).map(|tag| begin(&store, entry(10_000 + tag))).collect();
    let (small, large) = tokio::join!(join_all(appends), store.append((20_000..21_500).map(entry).collect()));
    assert!(small.iter().all(Result::is_ok) && large.is_ok());
    assert_eq!(server.command(&["XLEN", "{auth}:log"]), "4501");
    let now = calls(&server, "evalsha") - before;
    assert!((4..=8).contains(&now), "{now} calls");
}

/// It revokes something, also if nobody waits for the answer.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn an_append_whose_caller_is_gone_is_sent_with_the_others() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let [first, gone, last] = [1, 2, 3].map(|tag| begin(&store, entry(tag)));
    drop(gone);
    let [first, last] = [first.await, last.await];
    assert!(first.is_ok() && last.is_ok());
    assert_eq!(read_all(&store).await.0, [1, 2, 3]);
    // Also the one that has started the task.
    drop(begin(&store, entry(4)));
    until("it is sent", async || read_all(&store).await.0.len() == 4).await;
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn each_caller_learns_that_their_call_failed() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    append(&store, [1]).await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let appends: Vec<_> = (2..10).map(|tag| begin(&store, entry(tag))).collect();
    for answer in join_all(appends).await {
        assert_says(&answer.unwrap_err().to_string(), &server, &["its memory is full: raise `maxmemory`"]);
    }
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    append(&store, [10]).await;
    assert_eq!(read_all(&store).await.0, [1, 10]);
}

/// Whether it was done is unknown to all of them.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn no_caller_of_a_call_without_an_answer_is_told_that_it_succeeded() {
    let server = RedisServer::start();
    let limit = Duration::from_millis(200);
    let store = RedisStore::options().time_limit(limit).connect(&server.url()).await.unwrap();
    server.stop();
    let appends: Vec<_> = (1..10).map(|tag| begin(&store, entry(tag))).collect();
    for answer in join_all(appends).await {
        let error = answer.unwrap_err().to_string();
        assert_says(&error, &server, &["it has not answered for 200ms", "is unknown"]);
    }
    server.cont();
    until("it is usable again", async || store.append(vec![entry(10)]).await.is_ok()).await;
}

/// The task that sends is on a runtime of which nobody waits for anything any more.
#[test]
#[ignore = "needs redis-server: bash tests/run"]
fn a_runtime_that_is_not_driven_holds_up_no_other() {
    let server = RedisServer::start();
    let (idle, driven) = (runtime(), runtime());
    let options = RedisStore::options().time_limit(Duration::from_secs(1));
    let store = driven.block_on(options.connect(&server.url())).unwrap();
    let left = {
        let _context = idle.enter();
        begin(&store, entry(1))
    };
    driven.block_on(async {
        let error = store.append(vec![entry(2)]).await.unwrap_err().to_string();
        assert_says(&error, &server, &["(`RedisStoreOptions::time_limit`)", "is unknown"]);
        // Another task goes on with what waits.
        until("all are there", async || read_all(&store).await.0 == [1, 2]).await;
        append(&store, [3]).await;
    });
    idle.block_on(left).unwrap();
}

#[test]
#[ignore = "needs redis-server: bash tests/run"]
fn what_waits_on_a_runtime_that_ends_fails_at_once_and_the_next_is_sent() {
    let server = RedisServer::start();
    let (ending, lasting) = (runtime(), runtime());
    let store = lasting.block_on(connect(&server.url()));
    let left = {
        let _context = ending.enter();
        begin(&store, entry(1))
    };
    drop(ending);
    lasting.block_on(async {
        let error: StoreError = left.await.unwrap_err();
        assert_says(&error.to_string(), &server, &["the tokio runtime that sent this write has ended"]);
        append(&store, [2]).await;
        assert_eq!(read_all(&store).await.0, [2]);
    });
}

/// Whose callers give up before the time limit, as those of a service with a shorter one do.
#[test]
#[ignore = "needs redis-server: bash tests/run"]
fn a_runtime_that_is_not_driven_holds_up_no_caller_that_gives_up_early() {
    let server = RedisServer::start();
    let (idle, driven) = (runtime(), runtime());
    let limit = Duration::from_millis(800);
    let store = driven.block_on(RedisStore::options().time_limit(limit).connect(&server.url())).unwrap();
    {
        let _context = idle.enter();
        drop(begin(&store, entry(1)));
    }
    driven.block_on(async {
        let mut tag = 1;
        until("another task sends", async || {
            tag += 1;
            timeout(limit / 8, store.append(vec![entry(tag)])).await.is_ok()
        })
        .await;
        assert!(read_all(&store).await.0.starts_with(&[1, 2]), "what waited is sent, too");
    });
}

/// One member for entries that follow each other and expire together, of which each has a hundred at most.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn entries_that_expire_together_share_a_row_of_the_expiry() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let of = |(tag, seconds)| LogEntry { keep_until: at(seconds), ..entry(tag) };
    store
        .append([10, 10, 20, 20, 20, 10].into_iter().zip(1..).map(|(time, tag)| of((tag, time))).collect())
        .await
        .unwrap();
    store.append((7..257).map(|tag| of((tag, 20))).collect()).await.unwrap();
    assert_eq!(server.command(&["ZCARD", "{auth}:log-expiry"]), "6");
    assert!(!RevocationLog::drop_expired(&store, at(11)).await.unwrap());
    let (tags, cursor) = read_all(&store).await;
    assert_eq!(tags, (3..=5).chain(7..104).collect::<Vec<_>>());
    assert_eq!(server.command(&["XLEN", "{auth}:log"]), "253");
    assert_eq!(server.command(&["ZCARD", "{auth}:log-expiry"]), "4");
    assert!(!RevocationLog::drop_expired(&store, at(21)).await.unwrap());
    assert_eq!(server.command(&["XLEN", "{auth}:log"]), "0");
    assert_eq!(server.command(&["ZCARD", "{auth}:log-expiry"]), "0");
    assert!(store.read(cursor, 1).await.unwrap().page().is_none(), "it is not the last that was dropped");
}

/// Nothing but the row is written where the new one expires later, also of a server whose memory is full.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_refresh_writes_one_row_and_the_time_at_which_it_expires_counts() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let row = |version, expires_at| RefreshTokenFamily { version, expires_at, ..family(1) };
    store.insert(row(1, 100)).await.unwrap();
    assert!(store.replace(1, row(2, 200)).await.unwrap());
    let commands = ["hget", "hset", "zadd", "zrem"];
    let before = commands.map(|command| calls(&server, command));
    assert!(store.replace(2, row(3, 300)).await.unwrap());
    let after = commands.map(|command| calls(&server, command));
    assert_eq!([0, 1, 2, 3].map(|at: usize| after[at] - before[at]), [1, 1, 0, 0]);

    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(!RefreshTokenStore::drop_expired(&store, at(101)).await.unwrap());
    assert_eq!(store.find([1; 16]).await.unwrap(), Some(row(3, 300)));
    assert_eq!(server.command(&["ZSCORE", "{auth}:family-expiry", "AQEBAQEBAQEBAQEBAQEBAQ"]), "300");
    assert!(store.replace(3, row(4, 250)).await.unwrap());
    assert!(!RefreshTokenStore::drop_expired(&store, at(251)).await.unwrap());
    assert_eq!(store.find([1; 16]).await.unwrap(), None);
    assert!(store.find_by_subject("i", "s").await.unwrap().is_empty());
}
