//! The notes. Each statement has `owner = ?1`: the id of the caller.

use ports_support::DatabaseError;
use serde::Serialize;
use sqlx::query_as;
use sqlx::sqlite::SqlitePool;

/// A note.
#[derive(Debug, Serialize)]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) text: String,
}

impl Note {
    fn from_row((id, text): (i64, String)) -> Self {
        Self { id, text }
    }
}

/// All notes of this owner, the oldest first.
pub(crate) async fn all(database: &SqlitePool, owner: &str) -> Result<Vec<Note>, DatabaseError> {
    let rows = query_as("select id, text from notes where owner = ?1 order by id").bind(owner);
    Ok(rows.fetch_all(database).await?.into_iter().map(Note::from_row).collect())
}

/// The note with this id, if it is one of this owner.
pub(crate) async fn find(database: &SqlitePool, owner: &str, id: i64) -> Result<Option<Note>, DatabaseError> {
    let row = query_as("select id, text from notes where owner = ?1 and id = ?2").bind(owner).bind(id);
    Ok(row.fetch_optional(database).await?.map(Note::from_row))
}

/// A new note of this owner.
pub(crate) async fn add(database: &SqlitePool, owner: &str, text: &str) -> Result<Note, DatabaseError> {
    let row = query_as("insert into notes (owner, text) values (?1, ?2) returning id, text");
    Ok(Note::from_row(row.bind(owner).bind(text).fetch_one(database).await?))
}
