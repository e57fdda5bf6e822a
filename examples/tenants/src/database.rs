//! The database. Its pool is private to this module and to those in it, which have the queries.

mod across_tenants;
mod projects;

use std::error::Error;
use std::fmt;
use std::path::Path;

use axum::BoxError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use sqlx::{SqlSafeStr as _, raw_sql};

pub use self::across_tenants::TenantSize;
pub use self::projects::Project;

/// The database of all tenants. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Database {
    pool: SqlitePool,
}

impl Database {
    /// Opens the file, or makes it, and brings its tables up to date.
    ///
    /// # Errors
    /// If the file cannot be opened, or has tables of another program or of a later version.
    pub async fn open(file: &Path) -> Result<Self, BoxError> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
        let projects = include_str!("../migrations/1_projects.sql").into_sql_str();
        let migrations = vec![Migration::new(1, "projects".into(), MigrationType::Simple, projects, false)];
        Migrator::with_migrations(migrations).run(&pool).await?;
        Ok(Self { pool })
    }

    /// Adds the projects that the example begins with, where they are missing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn seed(&self) -> Result<(), DatabaseError> {
        raw_sql(include_str!("../seed.sql")).execute(&self.pool).await?;
        Ok(())
    }
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
