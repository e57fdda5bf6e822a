//! The connections, and how a statement is run: alone in a transaction, within the time limit.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::failure::{Failure, Phase};
use super::schema::Schema;
use super::statements::Statements;
use super::writability::Writability;
use crate::store::StoreError;

/// A statement with its parameters.
pub(super) type Statement = Query<'static, Postgres, PgArguments>;

/// What a transaction is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    /// Reads what must be up to date.
    Read,
    /// Writes what must not be lost: it is acknowledged when the server has flushed it, whatever is configured for others.
    DurableWrite,
    /// Writes what may be lost if the server crashes in the next second.
    Write,
}

impl Access {
    /// The statements that begin the transaction, with milliseconds in place of `{limit}`. They are sent together.
    ///
    /// - The isolation level is the one that the statements are made for, whatever the default is.
    /// - A transaction to read is `READ WRITE`: a server in recovery rejects it. It is a replica, which can lag behind, and what it does
    ///   not know of may be revoked. One to write has the default, which an administrator may have set to read-only.
    /// - The server ends a statement that waits for a lock, and a transaction whose client has stopped, which may have locked the
    ///   counter.
    fn begin(self, limit: Duration) -> String {
        let mode = if let Self::Read = self { ", READ WRITE" } else { "" };
        let durability = match self {
            Self::Read => "",
            Self::DurableWrite => "SET LOCAL synchronous_commit = on;",
            Self::Write => "SET LOCAL synchronous_commit = off;",
        };
        let limit = limit.as_millis().clamp(1, 1_000_000_000);
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED{mode}; {durability} \
             SET LOCAL statement_timeout = {limit}; SET LOCAL idle_in_transaction_session_timeout = {limit}"
        )
    }
}

/// One schema of a database.
pub(super) struct Database {
    pool: PgPool,
    schema: String,
    place: Place,
    statements: Statements,
    time_limit: Duration,
    is_pooled: bool,
    begin: [Arc<str>; 3],
    writability: Writability,
}

impl Database {
    pub(super) fn new(pool: PgPool, schema: &Schema, time_limit: Duration, is_pooled: bool) -> Self {
        let begin = [Access::Read, Access::DurableWrite, Access::Write];
        Self {
            schema: schema.name().to_owned(),
            place: Place::of(&pool, schema),
            statements: Statements::new(schema.quoted()),
            begin: begin.map(|access| access.begin(time_limit).into()),
            pool,
            time_limit,
            is_pooled,
            writability: Writability::default(),
        }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// Whether a pooler may give each transaction another connection.
    pub(super) fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    pub(super) fn writability(&self) -> &Writability {
        &self.writability
    }

    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The error for a row that can't be read.
    pub(super) fn unreadable(&self, row: &str, error: impl Into<BoxError>) -> StoreError {
        let error = error.into();
        let reason = format_args!(
            "the row of {row} can't be read ({error}): a newer version of the program may have written it"
        );
        self.place.error(reason).with_source(error)
    }

    /// The statement, to which parameters are added.
    ///
    /// It is prepared once for a connection. A pooler would prepare it on one connection and run it on another, so there it is prepared
    /// without a name each time, which its transaction keeps on one connection.
    pub(super) fn statement(&self, of: impl FnOnce(&Statements) -> &Arc<str>) -> Statement {
        let text = Arc::clone(of(&self.statements));
        sqlx::query(AssertSqlSafe(text)).persistent(!self.is_pooled)
    }

    /// The text of a statement.
    pub(super) fn text(&self, of: impl FnOnce(&Statements) -> &Arc<str>) -> &str {
        of(&self.statements)
    }

    /// Runs a statement without parameters, which may be lost, in a transaction of its own that is sent at once: one round trip, and not
    /// three.
    pub(super) async fn run_at_once(&self, statement: &str) -> Result<(), StoreError> {
        let [.., begin] = &self.begin;
        let transaction = sqlx::raw_sql(AssertSqlSafe(format!("{begin}; {statement}; COMMIT")));
        let deadline = Instant::now() + self.time_limit;
        let mut connection = self.acquire(deadline).await?;
        let failure = match timeout_at(deadline, transaction.execute(&mut *connection)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => Failure::new(Phase::Commit, error),
            Err(_) => Failure::too_slow(Access::Write),
        };
        // Its transaction may not have ended.
        drop(connection.detach());
        Err(failure.at(&self.place, self.time_limit))
    }

    /// Runs a statement in a transaction of its own. Returns its rows.
    ///
    /// It is done in a task of its own: a caller that stops to wait, because its client has gone, leaves no connection in the middle of a
    /// transaction.
    pub(super) async fn run(
        self: &Arc<Self>,
        access: Access,
        statement: Statement,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.run_task(access, statement, None).await
    }

    /// Runs a write that is of use to its caller alone. If the caller has stopped to wait when it is done, runs `undo`: no client has got the
    /// tokens of a new session, or a new key.
    pub(super) async fn run_or_undo(
        self: &Arc<Self>,
        statement: Statement,
        undo: Statement,
    ) -> Result<(), StoreError> {
        self.run_task(Access::DurableWrite, statement, Some(undo)).await.map(drop)
    }

    async fn run_task(
        self: &Arc<Self>,
        access: Access,
        statement: Statement,
        undo: Option<Statement>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let runtime = self.place.runtime()?;
        let (sender, receiver) = oneshot::channel();
        let database = Arc::clone(self);
        runtime.spawn(async move {
            let done = database.run_here(access, statement).await;
            if let (Err(Ok(_)), Some(undo)) = (sender.send(done), undo) {
                tracing::warn!(
                    "auth: a session or an API key was stored too late for its caller, and is removed"
                );
                if let Err(error) = database.run_here(Access::Write, undo).await {
                    tracing::warn!(%error, "auth: it could not be removed, and stays until it expires");
                }
            }
        });
        receiver.await.unwrap_or_else(|_| Err(self.place.error("its tokio runtime has ended")))
    }

    async fn run_here(&self, access: Access, statement: Statement) -> Result<Vec<PgRow>, StoreError> {
        let done = self.run_on_a_connection(access, statement).await;
        if let Access::DurableWrite = access {
            self.writability.note_write(&done);
        }
        done
    }

    async fn run_on_a_connection(
        &self,
        access: Access,
        statement: Statement,
    ) -> Result<Vec<PgRow>, StoreError> {
        let deadline = Instant::now() + self.time_limit;
        let mut connection = self.acquire(deadline).await?;
        let done = timeout_at(deadline, self.transaction(&mut connection, access, statement)).await;
        done.unwrap_or_else(|_| Err(Failure::too_slow(access))).map_err(|failure| {
            if failure.is_of_connection() {
                // It is closed without a word to a server that may not answer. The pool makes another, perhaps to another server.
                drop(connection.detach());
            }
            failure.at(&self.place, self.time_limit)
        })
    }

    async fn acquire(&self, deadline: Instant) -> Result<PoolConnection<Postgres>, StoreError> {
        let acquired = timeout_at(deadline, self.pool.acquire()).await;
        let acquired = acquired.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        acquired.map_err(|error| Failure::new(Phase::Connect, error).at(&self.place, self.time_limit))
    }

    async fn transaction(
        &self,
        connection: &mut PgConnection,
        access: Access,
        statement: Statement,
    ) -> Result<Vec<PgRow>, Failure> {
        let [read, durable, write] = &self.begin;
        let begin = match access {
            Access::Read => read,
            Access::DurableWrite => durable,
            Access::Write => write,
        };
        let mut transaction = connection
            .begin_with(AssertSqlSafe(Arc::clone(begin)))
            .await
            .map_err(|error| Failure::new(Phase::Begin, error))?;
        let rows = statement.fetch_all(&mut *transaction).await;
        let rows = rows.map_err(|error| Failure::new(Phase::Statement, error))?;
        let phase = if let Access::Read = access { Phase::Statement } else { Phase::Commit };
        transaction.commit().await.map_err(|error| Failure::new(phase, error))?;
        Ok(rows)
    }
}

/// Where the store is, for messages. Without the password.
#[derive(Clone)]
pub(super) struct Place(Arc<str>);

impl Place {
    fn of(pool: &PgPool, schema: &Schema) -> Self {
        let options = pool.connect_options();
        let server = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        // Without a name it is that of the user (libpq).
        let database = options.get_database().unwrap_or(options.get_username());
        Self(
            format!("the store in the schema {} of the database `{database}` at {server}", schema.quoted())
                .into(),
        )
    }

    /// The runtime that calls.
    pub(super) fn runtime(&self) -> Result<Handle, StoreError> {
        Handle::try_current()
            .map_err(|_| self.error("it was used outside of a tokio runtime: call it from a task of one"))
    }

    pub(super) fn error(&self, reason: impl Display) -> StoreError {
        StoreError::new(format!("{self}: {reason}"))
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
