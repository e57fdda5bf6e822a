//! What the store in PostgreSQL does beyond the contract of a store: its schema, several instances, a server that fails.

mod faults;
mod instances;
mod pools;
mod replicas;
mod schema;
mod secrets;

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::store::{LogCursor, LogEntry, LogPage, LogRead, RevocationLog as _};
use auth_runtime::store::{PostgresStore, RefreshTokenFamily, StoreError};
use auth_tests_servers::PostgresServer;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

/// An entry with this tag, which is kept for long.
fn entry(tag: u64) -> LogEntry {
    LogEntry {
        tag,
        keep_until: UNIX_EPOCH + Duration::from_secs(4_000_000_000),
        bytes: tag.to_string().into_bytes(),
    }
}

fn page(read: LogRead) -> LogPage {
    match read {
        LogRead::Page(page) => page,
        LogRead::AnotherHistory => panic!("it is another history"),
    }
}

/// The tags of the entries after a cursor, and the last cursor.
async fn tags(store: &PostgresStore, after: LogCursor) -> (Vec<u64>, LogCursor) {
    let page = page(store.read(after, usize::MAX).await.unwrap());
    (page.entries.iter().map(|entry| entry.tag).collect(), page.cursor)
}

fn family(number: u8) -> RefreshTokenFamily {
    RefreshTokenFamily {
        id: [number; 16],
        issuer: "i".into(),
        subject: "s".into(),
        key_id: "k1".into(),
        generation: 1,
        version: 1,
        started_at: 10,
        rotated_at: 20,
        expires_at: 4_000_000_000,
        last_issued_at: 25,
        user_generation: 7,
        acr: None,
        reissued: false,
        ends_with_browser: false,
        label: None,
    }
}

/// A connection beside the store's, as an administrator has it.
struct Admin(PgConnection);

impl Admin {
    async fn of(server: &PostgresServer) -> Self {
        Self(PgConnection::connect(&server.url()).await.unwrap())
    }

    async fn run(&mut self, sql: impl Into<String>) -> Vec<PgRow> {
        let sql = sql.into();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut self.0).await;
        rows.unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    async fn number(&mut self, sql: impl Into<String>) -> i64 {
        self.run(sql).await[0].try_get(0).unwrap()
    }

    /// Returns once this query, of one truth value, says so.
    async fn until(&mut self, sql: &str) {
        while !self.run(sql).await[0].try_get::<bool, _>(0).unwrap() {
            tokio::task::yield_now().await;
        }
    }
}

/// The name as SQL has it.
fn quoted(schema: &str) -> String {
    format!("\"{}\"", schema.replace('"', "\"\""))
}

/// The error says where, what is wrong, and what to do.
fn assert_says(error: &StoreError, server_port: u16, words: &[&str]) {
    let text = error.to_string();
    let place = format!("of the database `postgres` at 127.0.0.1:{server_port}: ");
    for words in [&[place.as_str()], words].concat() {
        assert!(text.contains(words), "no {words:?} in: {text}");
    }
}

/// Tries again until it succeeds.
async fn until_ok<T>(mut attempt: impl AsyncFnMut() -> Result<T, StoreError>) -> T {
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
