//! The store in Redis: which servers it refuses, what it says of those that fail, and how it finds the primary and another history. What it
//! must keep is in `stores`.

mod calls;
mod connect;
mod failures;
mod histories;
mod instances;
mod nodes;

use std::time::Duration;

use auth_runtime::store::{LogCursor, LogPage, LogRead, RedisStore, RevocationLog};
use auth_tests_servers::RedisServer;

use crate::support::rows::entry;
use crate::support::until;

/// Long enough for a machine that does much else.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Where there may be something between it and the server.
async fn connect(url: &str) -> RedisStore {
    RedisStore::options().time_limit(TIME_LIMIT).connect(url).await.unwrap()
}

/// Why it can't be connected to.
async fn refusal(url: &str) -> String {
    RedisStore::connect(url).await.unwrap_err().to_string()
}

async fn append(store: &RedisStore, tags: impl IntoIterator<Item = u64>) {
    store.append(tags.into_iter().map(entry).collect()).await.unwrap();
}

async fn read(store: &RedisStore, after: LogCursor) -> LogPage {
    store.read(after, 100).await.unwrap().page().unwrap()
}

/// The tags of all entries, and the cursor of the last.
async fn read_all(store: &RedisStore) -> (Vec<u64>, LogCursor) {
    let page = read(store, LogCursor::START).await;
    (page.entries.iter().map(|entry| entry.tag).collect(), page.cursor)
}

/// Waits until the store can be read and written again, and returns whether its log is that of the cursor.
async fn is_known_again(store: &RedisStore, cursor: LogCursor) -> bool {
    until("the store is usable", async || store.check_writable().await.is_ok()).await;
    let mut known = None;
    until("the log is readable", async || {
        known = store.read(cursor, 100).await.ok();
        known.is_some()
    })
    .await;
    known != Some(LogRead::AnotherHistory)
}

fn assert_says(error: &str, server: &RedisServer, what: &[&str]) {
    let address = format!("the store in Redis at `127.0.0.1:{}` can't be used", server.port());
    for part in [address.as_str()].iter().chain(what) {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}
