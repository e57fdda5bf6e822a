//! The tickets, and who hears of a new one.

use std::path::Path;

use auth_runtime::session::BoxError;
use ports_support::DatabaseError;
use serde::Serialize;
use sqlx::{SqlitePool, query_as, query_scalar};
use tokio::sync::broadcast::{Receiver, Sender, channel};

/// How many tickets wait for a panel that reads slowly.
const WAITING: usize = 100;

/// A ticket.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ticket {
    pub(crate) id: i64,
    pub(crate) owner: String,
    /// The name of the partner that brought it. `None`: its owner did.
    pub(crate) partner: Option<String>,
    pub(crate) title: String,
    pub(crate) is_open: bool,
}

type Row = (i64, String, Option<String>, String, bool);

impl From<Row> for Ticket {
    fn from((id, owner, partner, title, is_open): Row) -> Self {
        Self { id, owner, partner, title, is_open }
    }
}

/// Opens the database in this folder.
pub(crate) async fn open_database(data: &Path) -> Result<SqlitePool, BoxError> {
    let migrations = [("desk", include_str!("../migrations/1_desk.sql"))];
    ports_support::open(&data.join("desk.sqlite"), &migrations).await
}

/// The desk: what the handlers share.
#[derive(Clone)]
pub(crate) struct Desk {
    database: SqlitePool,
    opened: Sender<Ticket>,
}

impl Desk {
    pub(crate) fn new(database: SqlitePool) -> Self {
        Self { database, opened: channel(WAITING).0 }
    }

    /// The tickets that are opened from now on.
    pub(crate) fn opened(&self) -> Receiver<Ticket> {
        self.opened.subscribe()
    }

    pub(crate) async fn all(&self) -> Result<Vec<Ticket>, DatabaseError> {
        let rows: Vec<Row> = query_as("select id, owner, partner, title, is_open from desk order by id")
            .fetch_all(&self.database)
            .await?;
        Ok(rows.into_iter().map(Ticket::from).collect())
    }

    /// The tickets of this account.
    pub(crate) async fn of(&self, account: &str) -> Result<Vec<Ticket>, DatabaseError> {
        let rows =
            query_as("select id, owner, partner, title, is_open from desk where account = ?1 order by id");
        let rows: Vec<Row> = rows.bind(account).fetch_all(&self.database).await?;
        Ok(rows.into_iter().map(Ticket::from).collect())
    }

    /// The account of this name.
    pub(crate) async fn account_of(&self, name: &str) -> Result<Option<String>, DatabaseError> {
        let row = query_scalar("select id from accounts where name = ?1").bind(name);
        Ok(row.fetch_optional(&self.database).await?)
    }

    /// Whether this account is an agent now, whatever is remembered of it.
    pub(crate) async fn is_agent(&self, account: &str) -> Result<bool, DatabaseError> {
        let row = query_scalar("select is_agent from accounts where id = ?1 and is_active").bind(account);
        Ok(row.fetch_optional(&self.database).await?.unwrap_or(false))
    }

    /// Opens a ticket for this account, by itself or by the account of a partner, and reports it to the panels.
    pub(crate) async fn open(
        &self,
        account: &str,
        partner: Option<&str>,
        title: &str,
    ) -> Result<Ticket, DatabaseError> {
        let row = query_as(
            "insert into tickets (account, partner, title) values (?1, ?2, ?3)
             returning id, (select name from accounts where accounts.id = account),
             (select name from accounts where accounts.id = partner), title, is_open",
        );
        let row: Row = row.bind(account).bind(partner).bind(title).fetch_one(&self.database).await?;
        let ticket = Ticket::from(row);
        // An error says that no panel is open.
        let _ = self.opened.send(ticket.clone());
        Ok(ticket)
    }

    /// Closes a ticket. `None`: there is none of this number.
    pub(crate) async fn close(&self, id: i64) -> Result<Option<Ticket>, DatabaseError> {
        let row = query_as(
            "update tickets set is_open = 0 where id = ?1
             returning id, (select name from accounts where accounts.id = account),
             (select name from accounts where accounts.id = partner), title, is_open",
        );
        let row: Option<Row> = row.bind(id).fetch_optional(&self.database).await?;
        Ok(row.map(Ticket::from))
    }
}
