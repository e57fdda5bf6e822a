//! What the store in PostgreSQL does beyond the contract of a store: its schema, several instances, a server that fails.

mod faults;
mod instances;
mod pools;
mod replicas;
mod schema;
mod tls;

use auth_runtime::store::{LogCursor, PostgresStore, RevocationLog as _, StoreError};
use auth_tests_servers::PostgresServer;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::support::rows::{entry, family};

/// The tags of the entries after a cursor, and the last cursor.
async fn tags(store: &PostgresStore, after: LogCursor) -> (Vec<u64>, LogCursor) {
    let page = store.read(after, usize::MAX).await.unwrap().page().unwrap();
    (page.entries.iter().map(|entry| entry.tag).collect(), page.cursor)
}

/// A connection beside the store's, as an administrator has it.
pub(crate) struct Admin(PgConnection);

impl Admin {
    pub(crate) async fn of(server: &PostgresServer) -> Self {
        Self(PgConnection::connect(&server.url()).await.unwrap())
    }

    pub(crate) async fn run(&mut self, sql: impl Into<String>) -> Vec<PgRow> {
        let sql = sql.into();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut self.0).await;
        rows.unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    async fn number(&mut self, sql: impl Into<String>) -> i64 {
        self.run(sql).await[0].try_get(0).unwrap()
    }

    /// Returns once this query, of one truth value, says so.
    pub(crate) async fn until(&mut self, sql: &str) {
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
