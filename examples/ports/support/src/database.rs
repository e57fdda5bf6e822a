//! A SQLite file: its tables, its first rows, and what a failure of it is answered with.

use std::error::Error;
use std::fmt;
use std::path::Path;

use auth_runtime::session::{BoxError, PasswordHasher};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use sqlx::{SqlSafeStr as _, query, raw_sql};

/// Opens the file, or makes it, and brings its tables up to date: each migration is a name and its statements, in their order.
///
/// # Errors
/// If the file cannot be opened, or has tables of another program or of a later version.
pub async fn open(file: &Path, migrations: &[(&'static str, &'static str)]) -> Result<SqlitePool, BoxError> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
    let migrations = migrations.iter().zip(1..).map(|(&(name, statements), version)| {
        Migration::new(version, name.into(), MigrationType::Simple, statements.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect()).run(&pool).await?;
    Ok(pool)
}

/// Adds the rows that a port begins with, where they are missing. Then runs `set_password` for each name and password, with the name as
/// `?1` and the hash as `?2`: it should leave an account as it is that has a password.
///
/// # Errors
/// If the file cannot be written, or a password cannot be hashed.
pub async fn seed(
    pool: &SqlitePool,
    rows: &'static str,
    set_password: &'static str,
    passwords: &[(&str, &str)],
    hasher: &PasswordHasher,
) -> Result<(), BoxError> {
    raw_sql(rows).execute(pool).await?;
    for (name, password) in passwords {
        query(set_password).bind(*name).bind(hasher.hash(*password).await?).execute(pool).await?;
    }
    Ok(())
}

/// The database failed. As an answer it is 503: the reason goes to the log, never to the caller.
#[derive(Debug)]
pub struct DatabaseError(sqlx::Error);

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database failed")
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl IntoResponse for DatabaseError {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "the database failed");
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{query_as, query_scalar};

    use super::*;

    const TABLE: &str = "create table accounts (name text primary key, hash text) strict";
    const ROWS: &str = "insert or ignore into accounts (name) values ('alice'), ('bob')";
    const SET: &str = "update accounts set hash = ?2 where name = ?1 and hash is null";

    #[tokio::test]
    async fn what_is_there_stays_as_it_is() -> Result<(), BoxError> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("database");
        let hasher = PasswordHasher::with_cost(8, 1, 1)?;
        let mut hashes = Vec::new();
        for password in ["wonderland", "another one"] {
            let pool = open(&file, &[("accounts", TABLE)]).await?;
            seed(&pool, ROWS, SET, &[("alice", password)], &hasher).await?;
            let hash: String =
                query_scalar("select hash from accounts where name = 'alice'").fetch_one(&pool).await?;
            hashes.push(hash);
            let others: Vec<(String, Option<String>)> =
                query_as("select name, hash from accounts where name <> 'alice'").fetch_all(&pool).await?;
            assert_eq!(others, [("bob".to_owned(), None)]);
            pool.close().await;
        }
        assert_eq!(hashes[0], hashes[1]);
        assert!(hasher.verify("wonderland", Some(&hashes[1])).await?);
        assert!(!hasher.verify("another one", Some(&hashes[1])).await?);
        Ok(())
    }

    #[tokio::test]
    async fn a_file_of_another_program_is_not_opened() -> Result<(), BoxError> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("database");
        open(&file, &[("accounts", TABLE)]).await?.close().await;
        let changed = "create table accounts (name text primary key) strict";
        assert!(open(&file, &[("accounts", changed)]).await.is_err());
        assert!(open(&file, &[]).await.is_err());
        open(&file, &[("accounts", TABLE), ("notes", "create table notes (text text) strict")]).await?;
        Ok(())
    }

    #[test]
    fn the_reason_of_a_failure_is_not_in_the_answer() {
        let error = DatabaseError::from(sqlx::Error::PoolClosed);
        assert!(error.source().is_some());
        assert_eq!(error.into_response().status(), 503);
    }
}
