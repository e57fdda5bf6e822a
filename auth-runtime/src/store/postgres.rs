//! A store in PostgreSQL, which many instances share.
//!
//! | file | what |
//! |---|---|
//! | `options` | how it is connected |
//! | `statements` | all SQL, but that of the schema |
//! | `schema`, `schema.sql` | the tables, their versions, and how they are made |
//! | `database` | the connections, and how a statement is run |
//! | `appends` | the queue of appends: one transaction for all that wait |
//! | `wake_up` | `NOTIFY` and `LISTEN` |
//! | `log`, `families`, `api_keys`, `attempts` | the traits |
//! | `failure` | why a statement failed, and what to do |

#[cfg(feature = "api-keys")]
mod api_keys;
mod appends;
#[cfg(feature = "token-routes")]
mod attempts;
mod database;
mod failure;
mod families;
mod log;
mod options;
mod schema;
mod statements;
mod wake_up;
mod writability;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use sqlx::Row as _;
use sqlx::postgres::PgPool;

use self::appends::Appends;
use self::database::{Access, Database, Statement};
pub use self::options::PostgresStoreOptions;
use self::schema::Schema;
use self::wake_up::WakeUp;
use super::StoreError;

/// The maximum number of expired rows that one statement deletes.
const MAX_DROPPED: i64 = 1000;

/// A store in PostgreSQL, which all instances of a service share. Clones share the connections.
///
/// It has a schema of its own, `auth`, in a database of yours, and makes its tables when it is connected. See the page
/// [`many_instances`](crate::guide::many_instances) of the guide: the rights that it needs, the tables, poolers, failover.
///
/// A write is acknowledged when the server has flushed its commit (`synchronous_commit = on`, whatever is the default): it survives a crash
/// of the server, and a failover if a synchronous standby has it. Revocations that are appended at the same time share a transaction.
/// Login attempts and the times of last use of API keys may be lost with the last second before a crash.
///
/// The other instances are woken up by `NOTIFY`, and read the log every second all the same. If a connection is lost, or the server is
/// restarted, the store connects again by itself. A replica is rejected, also for reads: it may not know yet what was revoked. An operation
/// that takes longer than 5 seconds fails ([`PostgresStoreOptions::time_limit`]).
///
/// It works in the tokio runtime in which it was connected. PostgreSQL 13 or later.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    database: Arc<Database>,
    appends: Appends,
    wake_up: Arc<WakeUp>,
}

impl PostgresStore {
    /// Connects to the server of this URL: see [`PostgresStoreOptions::connect`].
    ///
    /// # Errors
    /// [`StoreError`] if the server can't be reached, does not accept the user, or has tables of a newer version; if the tables can't be
    /// made.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::options().connect(url).await
    }

    /// Uses the pool of the application, of [sqlx](https://docs.rs/sqlx/0.9) 0.9: see [`PostgresStoreOptions::with_pool`].
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn with_pool(pool: PgPool) -> Result<Self, StoreError> {
        Self::options().with_pool(pool).await
    }

    /// Returns the options of [`PostgresStore::connect`] and [`PostgresStore::with_pool`], to be changed.
    pub fn options() -> PostgresStoreOptions {
        PostgresStoreOptions::default()
    }

    async fn with(pool: PgPool, options: &PostgresStoreOptions) -> Result<Self, StoreError> {
        let schema = Schema::new(&options.schema)?;
        let database = Arc::new(Database::new(pool, &schema, options.time_limit, options.transaction_pooler));
        database.place().runtime()?;
        schema::prepare(&database, &schema, !options.require_schema).await?;
        let wake_up = Arc::new(WakeUp::default());
        let appends = Appends::start(&database, &wake_up);
        Ok(Self { inner: Arc::new(Inner { database, appends, wake_up }) })
    }

    /// Runs a statement that deletes rows. Returns whether more can be deleted.
    async fn drop_rows(&self, statement: Statement) -> Result<bool, StoreError> {
        let database = &self.inner.database;
        let rows = database.run(Access::Write, statement).await?;
        let more = rows.first().map(|row| row.try_get("are_more_left")).transpose();
        Ok(more.map_err(|error| database.unreadable("a count", error))?.unwrap_or(false))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("place", &format_args!("{}", self.inner.database.place()))
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.wake_up.stop();
    }
}

/// A hash of two strings, each of which ends where it says. An index has no place for long ones, and `text` none for NUL.
fn hash(parts: [&str; 2]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().to_vec()
}

fn page_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
