//! The rows of the database.

use std::path::Path;

use auth_runtime::session::BoxError;
use serde::{Deserialize, Serialize};
use sqlx::{SqlitePool, query, query_as, query_scalar};
use utoipa::ToSchema;

/// A contact.
#[derive(Serialize, ToSchema)]
pub(crate) struct Contact {
    id: i64,
    name: String,
    phone: String,
}

type Row = (i64, String, String);

impl From<Row> for Contact {
    fn from((id, name, phone): Row) -> Self {
        Self { id, name, phone }
    }
}

/// A contact that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContact {
    name: String,
    phone: String,
}

/// The contacts.
#[derive(Clone)]
pub(crate) struct Contacts(SqlitePool);

/// Opens the database in this folder.
pub(crate) async fn open_database(data: &Path) -> Result<SqlitePool, BoxError> {
    let migrations = [("address book", include_str!("../migrations/1_address_book.sql"))];
    ports_support::open(&data.join("address-book.sqlite"), &migrations).await
}

impl Contacts {
    pub(crate) fn new(database: SqlitePool) -> Self {
        Self(database)
    }

    /// The contacts of this account.
    pub(crate) async fn of(&self, account: &str) -> Result<Vec<Contact>, sqlx::Error> {
        let rows = query_as("select id, name, phone from contacts where owner = ?1 order by id");
        let rows: Vec<Row> = rows.bind(account).fetch_all(&self.0).await?;
        Ok(rows.into_iter().map(Contact::from).collect())
    }

    pub(crate) async fn owner_of(&self, id: i64) -> Result<Option<String>, sqlx::Error> {
        let row = query_scalar("select owner from contacts where id = ?1").bind(id);
        row.fetch_optional(&self.0).await
    }

    pub(crate) async fn add(&self, account: &str, new: &NewContact) -> Result<Contact, sqlx::Error> {
        let row = query_as(
            "insert into contacts (owner, name, phone) values (?1, ?2, ?3) returning id, name, phone",
        );
        let row: Row = row.bind(account).bind(&new.name).bind(&new.phone).fetch_one(&self.0).await?;
        Ok(Contact::from(row))
    }

    pub(crate) async fn remove(&self, id: i64) -> Result<(), sqlx::Error> {
        query("delete from contacts where id = ?1").bind(id).execute(&self.0).await?;
        Ok(())
    }

    /// Records an export of this account, and returns its number.
    pub(crate) async fn begin_export(&self, account: &str) -> Result<i64, sqlx::Error> {
        let row = query_scalar("insert into exports (owner) values (?1) returning id").bind(account);
        row.fetch_one(&self.0).await
    }
}
