//! The links that users save.

use std::path::Path;

use auth_runtime::session::BoxError;
use axum::http::Uri;
use ports_support::DatabaseError;
use serde::{Deserialize, Serialize};
use sqlx::{SqlitePool, query, query_as};

/// The address of a web page. Any other one, such as `javascript:..`, would run in the page that shows it.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct WebAddress(String);

impl TryFrom<String> for WebAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_of_the_web = |address: Uri| matches!(address.scheme_str(), Some("http" | "https"));
        match text.parse().is_ok_and(is_of_the_web) {
            true => Ok(Self(text)),
            false => Err("a link begins with https:// or http://"),
        }
    }
}

/// A link that a user has saved.
#[derive(Debug, Serialize)]
pub(crate) struct Link {
    id: i64,
    url: String,
    title: String,
}

type Row = (i64, String, String);

impl From<Row> for Link {
    fn from((id, url, title): Row) -> Self {
        Self { id, url, title }
    }
}

/// Opens the database in this folder.
pub(crate) async fn open_database(data: &Path) -> Result<SqlitePool, BoxError> {
    let migrations = [("reading", include_str!("../migrations/1_reading.sql"))];
    ports_support::open(&data.join("reading.sqlite"), &migrations).await
}

/// The table of links.
#[derive(Clone)]
pub(crate) struct Links {
    database: SqlitePool,
}

impl Links {
    pub(crate) fn new(database: SqlitePool) -> Self {
        Self { database }
    }

    /// The links of this account, the latest first.
    pub(crate) async fn of(&self, account: &str) -> Result<Vec<Link>, DatabaseError> {
        let rows = query_as("select id, url, title from links where account = ?1 order by id desc");
        let rows: Vec<Row> = rows.bind(account).fetch_all(&self.database).await?;
        Ok(rows.into_iter().map(Link::from).collect())
    }

    /// Saves a link. One that is there gets the new title.
    pub(crate) async fn save(
        &self,
        account: &str,
        WebAddress(url): WebAddress,
        title: String,
    ) -> Result<Link, DatabaseError> {
        let row = query_as(
            "insert into links (account, url, title) values (?1, ?2, ?3)
             on conflict (account, url) do update set title = excluded.title returning id, url, title",
        );
        let row: Row = row.bind(account).bind(url).bind(title).fetch_one(&self.database).await?;
        Ok(row.into())
    }

    /// Deletes a link of this account; whether there was one.
    pub(crate) async fn delete(&self, account: &str, id: i64) -> Result<bool, DatabaseError> {
        let statement = query("delete from links where id = ?1 and account = ?2").bind(id).bind(account);
        Ok(statement.execute(&self.database).await?.rows_affected() > 0)
    }
}
