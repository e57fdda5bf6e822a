//! The schema: its name, its versions, and how it is made.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::time::timeout;

use super::database::Database;
use super::failure::{Failure, Phase};
use crate::store::StoreError;

/// The statements that make each version from the one before. One that was published never changes.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// How long a migration may take: another instance can be making it.
const MIGRATION_LIMIT: Duration = Duration::from_secs(60);

/// How long the server may take to say why it could not be connected.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// The longest name in bytes (`NAMEDATALEN`). The server cuts a longer one without an error.
const MAX_NAME: usize = 63;

/// The name of a schema.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    name: String,
    quoted: String,
}

impl Schema {
    /// Returns the reason if there can't be one of this name.
    pub(super) fn new(name: &str) -> Result<Self, StoreError> {
        let invalid = |why: &str| {
            Err(StoreError::new(format!(
                "the schema {name:?} of a `PostgresStore` {why}: pass `PostgresStoreOptions::schema` another name, such as `auth`"
            )))
        };
        if name.is_empty() || name.contains('\0') {
            return invalid("has no valid name");
        }
        if name.len() > MAX_NAME {
            return invalid("has a name of more than 63 bytes");
        }
        if name.starts_with("pg_") || name == "information_schema" {
            return invalid("is one of PostgreSQL's own");
        }
        Ok(Self { name: name.to_owned(), quoted: format!("\"{}\"", name.replace('"', "\"\"")) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn quoted(&self) -> &str {
        &self.quoted
    }

    /// All statements, for somebody who runs them by hand.
    pub(super) fn sql(&self) -> String {
        let mut sql = self.in_schema("CREATE SCHEMA {schema};\n\n");
        for migration in MIGRATIONS {
            sql.push_str(&self.in_schema(migration));
        }
        sql.push_str(&self.in_schema("\n-- One row: the version of the schema.\n"));
        sql.push_str(&self.in_schema(VERSION_TABLE));
        sql.push_str(&self.insert_version(MIGRATIONS.len()));
        sql
    }

    fn in_schema(&self, sql: &str) -> String {
        sql.replace("{schema}", &self.quoted)
    }

    fn insert_version(&self, version: usize) -> String {
        self.in_schema(&format!("INSERT INTO {{schema}}.schema_version (version) VALUES ({version});\n"))
    }
}

const VERSION_TABLE: &str = "\
CREATE TABLE {schema}.schema_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL
);
";

/// Makes the schema, or the version that this library needs of it. With `may_migrate` unset, says what is missing instead.
pub(super) async fn prepare(
    database: &Database,
    schema: &Schema,
    may_migrate: bool,
) -> Result<(), StoreError> {
    Migration { database, schema, migrations: MIGRATIONS }.run(may_migrate).await
}

struct Migration<'m> {
    database: &'m Database,
    schema: &'m Schema,
    migrations: &'m [&'m str],
}

impl Migration<'_> {
    async fn run(&self, may_migrate: bool) -> Result<(), StoreError> {
        let found = self.within(self.database.time_limit(), self.version_of_pool()).await?;
        if self.is_current(found)? {
            return Ok(());
        }
        if may_migrate {
            return self.within(MIGRATION_LIMIT, self.migrate()).await?;
        }
        let needed = self.migrations.len();
        Err(self.database.place().error(match found {
            None => format!(
                "its tables are not there, and `PostgresStoreOptions::require_schema` is set: run the statements that \
                 `PostgresStoreOptions::schema_sql` returns (version {needed})"
            ),
            Some(found) => format!(
                "its tables are of version {found}, this program needs version {needed}, and `PostgresStoreOptions::require_schema` is \
                 set: run the statements of the versions between, which the changelog of auth-runtime lists, or start one instance once \
                 without that option"
            ),
        }))
    }

    /// Whether nothing is to do.
    fn is_current(&self, found: Option<usize>) -> Result<bool, StoreError> {
        let needed = self.migrations.len();
        match found {
            Some(found) if found > needed => Err(self.database.place().error(format_args!(
                "its tables are of version {found}, which a newer version of this program has made, and this one knows version {needed}: \
                 run the newer version, or give this one a schema of its own"
            ))),
            found => Ok(found == Some(needed)),
        }
    }

    async fn version_of_pool(&self) -> Result<Option<usize>, sqlx::Error> {
        let mut connection = self.database.pool().acquire().await?;
        self.version(&mut connection).await
    }

    /// The version that is there; `None` if there is none.
    async fn version(&self, connection: &mut PgConnection) -> Result<Option<usize>, sqlx::Error> {
        // Sent without preparing it, so that a pooler can be in between. It has no row if there is no such table.
        let is_there = sqlx::raw_sql(AssertSqlSafe(format!(
            "SELECT FROM pg_catalog.pg_class AS class JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace \
             WHERE class.relname = 'schema_version' AND namespace.nspname = {}",
            literal(self.schema.name())
        )));
        if is_there.fetch_optional(&mut *connection).await?.is_none() {
            return Ok(None);
        }
        let version = self.schema.in_schema("SELECT version FROM {schema}.schema_version");
        let row = sqlx::raw_sql(AssertSqlSafe(version)).fetch_optional(connection).await?;
        let version = row.map(|row| row.try_get::<i32, _>(0)).transpose()?;
        Ok(version.map(|version| usize::try_from(version).unwrap_or(usize::MAX)))
    }

    async fn migrate(&self) -> Result<Result<(), StoreError>, sqlx::Error> {
        let mut connection = self.database.pool().acquire().await?;
        // Of several instances that start together, one makes it, and the others find it made. The lock ends with the transaction.
        let lock = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = {}; \
             SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended({}, 0))",
            MIGRATION_LIMIT.as_millis(),
            literal(&format!("auth-runtime schema {}", self.schema.name()))
        );
        let mut transaction = connection.begin_with(AssertSqlSafe(lock)).await?;
        let found = self.version(&mut transaction).await?;
        match self.is_current(found) {
            Ok(false) => {}
            current => return Ok(current.map(drop)),
        }
        let statements = self.statements(found.unwrap_or(0), !self.is_schema_there(&mut transaction).await?);
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        tracing::info!(
            schema = self.schema.name(),
            from = found,
            to = self.migrations.len(),
            "auth: the tables of the store are made"
        );
        Ok(Ok(()))
    }

    /// `CREATE SCHEMA IF NOT EXISTS` needs the right to create one, even if it exists.
    async fn is_schema_there(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let name = literal(self.schema.name());
        let namespace = format!("SELECT FROM pg_catalog.pg_namespace WHERE nspname = {name}");
        Ok(sqlx::raw_sql(AssertSqlSafe(namespace)).fetch_optional(connection).await?.is_some())
    }

    /// The statements from this version to the last one.
    fn statements(&self, from: usize, with_schema: bool) -> String {
        let mut sql =
            if with_schema { self.schema.in_schema("CREATE SCHEMA {schema};\n") } else { String::new() };
        for migration in self.migrations.iter().skip(from) {
            sql.push_str(&self.schema.in_schema(migration));
        }
        if from == 0 {
            sql.push_str(&self.schema.in_schema(VERSION_TABLE));
        } else {
            sql.push_str(&self.schema.in_schema("DELETE FROM {schema}.schema_version;\n"));
        }
        sql.push_str(&self.schema.insert_version(self.migrations.len()));
        sql
    }

    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let error = match timeout(limit, work).await {
            Ok(Ok(done)) => return Ok(done),
            // A pool tries a server again and again that refuses connections, and does not say why it got none.
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => {
                self.cause().await.unwrap_or(sqlx::Error::PoolTimedOut)
            }
            Ok(Err(error)) => error,
        };
        Err(Failure::new(Phase::Connect, error).at(self.database.place(), limit))
    }

    /// Why there is no connection.
    async fn cause(&self) -> Option<sqlx::Error> {
        let options = self.database.pool().connect_options();
        timeout(PROBE_LIMIT, PgConnection::connect_with(&options)).await.ok()?.err()
    }
}

/// A string of SQL, also where `standard_conforming_strings` is off.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests;
