//! How a store in PostgreSQL is connected.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::PostgresStore;
use super::schema::Schema;
use crate::store::StoreError;

/// The maximum number of connections of a store with a URL, beside the one that listens.
const MAX_CONNECTIONS: u32 = 10;

/// How a [`PostgresStore`] is connected. [`PostgresStore::options`] returns the defaults.
///
/// ```no_run
/// use auth_runtime::store::PostgresStore;
///
/// # async fn connect() -> Result<(), auth_runtime::store::StoreError> {
/// let url = "postgres://shop@db.internal/shop?sslmode=verify-full&sslrootcert=/etc/shop/ca.pem";
/// let store = PostgresStore::options().schema("shop_auth").require_schema().connect(url).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "call `connect` or `with_pool`"]
pub struct PostgresStoreOptions {
    pub(super) schema: String,
    pub(super) require_schema: bool,
    pub(super) transaction_pooler: bool,
    pub(super) time_limit: Duration,
}

impl Default for PostgresStoreOptions {
    fn default() -> Self {
        Self {
            schema: "auth".to_owned(),
            require_schema: false,
            transaction_pooler: false,
            time_limit: Duration::from_secs(5),
        }
    }
}

impl PostgresStoreOptions {
    /// Sets the name of the schema, which holds only the tables of the store. Default `auth`. Services that share sessions and
    /// revocations share a schema; others have one each.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// Makes it an error if the tables are not there, or are of an older version. By default they are made. Somebody else then runs
    /// [`schema_sql`](Self::schema_sql), and the user of the store needs no right to make tables.
    pub fn require_schema(mut self) -> Self {
        self.require_schema = true;
        self
    }

    /// Says that a pooler between the service and the server gives each transaction another connection, as PgBouncer does with
    /// `pool_mode = transaction`. Then the store prepares no named statements, and neither sends nor listens for notifications: a
    /// revocation is enforced in other instances when they read the log, every second.
    ///
    /// PgBouncer needs `ignore_startup_parameters = extra_float_digits`.
    pub fn transaction_pooler(mut self) -> Self {
        self.transaction_pooler = true;
        self
    }

    /// Sets how long an operation may take, with the time to get a connection: 10 milliseconds to 1 minute. Default 5 seconds. Then it
    /// fails, and so does the request that needs it. The server ends the statement after the same time.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(Duration::from_millis(10), Duration::from_secs(60));
        self
    }

    /// Returns the statements that make the schema and its tables, for somebody who runs them by hand.
    ///
    /// # Errors
    /// [`StoreError`] if there can be no schema of this name.
    pub fn schema_sql(&self) -> Result<String, StoreError> {
        Ok(Schema::new(&self.schema)?.sql())
    }

    /// Connects to the server of this URL, such as `postgres://user:password@host:5432/database`, with at most 10 connections, and one that
    /// listens.
    ///
    /// The parameters of the URL are those of [libpq](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS)
    /// that sqlx has. Across a network, use `sslmode=verify-full`: the default, `prefer`, connects without TLS where the server has none.
    /// It trusts the certificate authorities of the web, and those in the file that `sslrootcert` names, but not those of the system.
    ///
    /// # Errors
    /// [`StoreError`] if the server can't be reached, does not accept the user, or has tables of a newer version; if the tables can't be
    /// made.
    pub async fn connect(self, url: &str) -> Result<PostgresStore, StoreError> {
        // Without the error of sqlx, which may quote the password.
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            StoreError::new(
                "the URL of a `PostgresStore` is not valid: write it as `postgres://user:password@host:5432/database`, with `%` \
                 encoding (RFC 3986, section 2.1) where the password has other characters than letters and digits",
            )
        })?;
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(self.time_limit)
            .connect_lazy_with(options);
        self.with_pool(pool).await
    }

    /// Uses the pool of the application, of [sqlx](https://docs.rs/sqlx/0.9) 0.9.
    ///
    /// Each operation takes a connection for a short transaction of its own, so a pool that the application uses up makes logins and
    /// logouts wait. One more connection is made to listen. What the pool sets for its sessions does not matter: a transaction sets what
    /// it needs.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn with_pool(self, pool: PgPool) -> Result<PostgresStore, StoreError> {
        PostgresStore::with(pool, &self).await
    }
}
