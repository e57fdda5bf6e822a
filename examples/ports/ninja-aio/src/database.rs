//! The database. Its pool is private to this module and to those in it, which have the queries.

mod accounts;
mod articles;
mod tenant;

use std::path::Path;

use auth_runtime::session::{BoxError, PasswordHasher};
use sqlx::sqlite::SqlitePool;

pub(crate) use self::accounts::Account;
pub(crate) use self::articles::{Article, Draft};
pub(crate) use self::tenant::Tenant;

/// The accounts and the articles. A clone is the same database.
#[derive(Clone)]
pub(crate) struct Database {
    pool: SqlitePool,
}

impl Database {
    /// Opens the database in this folder, or makes it.
    pub(crate) async fn open(folder: &Path) -> Result<Self, BoxError> {
        let migrations = [("magazine", include_str!("../migrations/1_magazine.sql"))];
        Ok(Self { pool: ports_support::open(&folder.join("magazine.sqlite"), &migrations).await? })
    }

    /// Adds the rows that the magazine begins with, where they are missing.
    pub(crate) async fn seed(&self, hasher: &PasswordHasher) -> Result<(), BoxError> {
        let set_password = "update accounts set password_hash = ?2 where name = ?1 and password_hash is null";
        let passwords = [("alice", "wonderland"), ("dave", "the old mill")];
        ports_support::seed(&self.pool, include_str!("../seed.sql"), set_password, &passwords, hasher).await
    }
}
