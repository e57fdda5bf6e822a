//! The log of revocations.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::database::Access;
use super::{MAX_DROPPED, PostgresStore, page_limit};
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::store::{
    LogCursor, LogEntry, LogPage, LogRead, RevocationLog, StoreError, StoreFuture, WakeUpFuture, drop_before,
};

impl PostgresStore {
    async fn read_log(&self, after: LogCursor, limit: usize) -> Result<LogRead, StoreError> {
        let database = &self.inner.database;
        let statement = database
            .statement(|all| &all.read)
            .bind(after.sequence.cast_signed())
            .bind(after.tag.cast_signed())
            .bind(page_limit(limit));
        let rows = database.run(Access::Read, statement).await?;
        let source = rows.first().ok_or_else(|| database.unreadable("the log", "it is not there"))?;
        let unreadable = |error| database.unreadable("the log", error);
        self.inner.database.writability().note_read(source.try_get("is_read_only").map_err(unreadable)?);
        if !source.try_get("is_known").map_err(unreadable)? {
            return Ok(LogRead::AnotherHistory);
        }
        let store_time = source.try_get("store_milliseconds").map_err(unreadable)?;
        let mut page =
            LogPage { entries: Vec::new(), cursor: after, store_time: Some(from_milliseconds(store_time)) };
        for row in &rows {
            if let Some((sequence, entry)) = entry(row).map_err(unreadable)? {
                page.cursor = LogCursor { sequence, tag: entry.tag };
                page.entries.push(entry);
            }
        }
        Ok(LogRead::Page(page))
    }

    async fn set_time(&self, time: SystemTime) -> Result<(), StoreError> {
        // A clock before the epoch is wrong.
        let seconds = if time < UNIX_EPOCH { 0 } else { unix_seconds(time) };
        let database = &self.inner.database;
        let statement = database.statement(|all| &all.set_confirmed_time).bind(seconds);
        database.run(Access::Write, statement).await.map(drop)
    }

    async fn time(&self) -> Result<Option<SystemTime>, StoreError> {
        let database = &self.inner.database;
        let rows = database.run(Access::Read, database.statement(|all| &all.confirmed_time)).await?;
        let seconds = rows.first().map(|row| row.try_get::<Option<i64>, _>(0)).transpose();
        let seconds = seconds.map_err(|error| database.unreadable("the confirmed time", error))?;
        Ok(seconds.flatten().map(from_unix_seconds))
    }

    async fn test_write(&self) -> Result<(), StoreError> {
        let database = &self.inner.database;
        database.run(Access::DurableWrite, database.statement(|all| &all.test_write)).await.map(drop)
    }
}

/// The entry of a row, if it has one.
fn entry(row: &PgRow) -> Result<Option<(u64, LogEntry)>, sqlx::Error> {
    let Some(sequence) = row.try_get::<Option<i64>, _>("sequence")? else { return Ok(None) };
    let entry = LogEntry {
        tag: row.try_get::<i64, _>("tag")?.cast_unsigned(),
        keep_until: from_unix_seconds(row.try_get("keep_until")?),
        bytes: row.try_get("bytes")?,
    };
    Ok(Some((sequence.cast_unsigned(), entry)))
}

fn from_milliseconds(milliseconds: i64) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

impl RevocationLog for PostgresStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if entries.is_empty() {
                return Ok(());
            }
            let appended = self.inner.appends.append(&self.inner.database, entries).await;
            self.inner.database.writability().note_write(&appended);
            appended
        })
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        Box::pin(async move {
            let began = self.inner.wake_up.begin_read();
            let read = self.read_log(after, limit).await;
            match &read {
                Ok(LogRead::Page(page)) if page.entries.len() < limit => {
                    self.inner.wake_up.end_read(began, page.cursor.sequence);
                }
                Ok(_) => {}
                // To be woken up is of no use then.
                Err(_) => self.inner.wake_up.end_read(began, 0),
            }
            read
        })
    }

    fn wait_for_entries(&self, after: LogCursor) -> WakeUpFuture {
        self.inner.wake_up.wait(&self.inner.database, after.sequence)
    }

    fn check_writable(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if !self.inner.database.writability().is_in_doubt() {
                return Ok(());
            }
            self.test_write().await
        })
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        Box::pin(self.time())
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        Box::pin(self.set_time(time))
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        let database = &self.inner.database;
        let statement =
            database.statement(|all| &all.drop_entries).bind(drop_before(before)).bind(MAX_DROPPED);
        Box::pin(self.drop_rows(statement))
    }
}
