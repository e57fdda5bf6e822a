//! The API keys.

use std::time::SystemTime;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::database::{Access, Statement};
use super::{MAX_DROPPED, PostgresStore, hash, page_limit};
use crate::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse, StoreError, StoreFuture, drop_before};

impl PostgresStore {
    /// Adds the columns of a row to a statement, the first of which is the id.
    fn bind_key(&self, statement: Statement, key: &ApiKeyRecord) -> Result<Statement, StoreError> {
        let row =
            serde_json::to_vec(key).map_err(|error| self.inner.database.unreadable("an API key", error))?;
        Ok(statement
            .bind(key.id.clone().into_bytes())
            .bind(hash([&key.prefix, &key.owner]))
            .bind(row)
            .bind(key.version.cast_signed())
            .bind(key.expires_at)
            .bind(key.overlap_ends_at)
            .bind(key.revoked_at)
            .bind(key.last_used_at))
    }

    fn key(&self, row: &PgRow) -> Result<ApiKeyRecord, StoreError> {
        let read = || -> Result<ApiKeyRecord, axum::BoxError> {
            let key: ApiKeyRecord = serde_json::from_slice(&row.try_get::<Vec<u8>, _>("key")?)?;
            Ok(ApiKeyRecord {
                version: row.try_get::<i64, _>("version")?.cast_unsigned(),
                overlap_ends_at: row.try_get("overlap_ends_at")?,
                revoked_at: row.try_get("revoked_at")?,
                last_used_at: row.try_get("last_used_at")?,
                ..key
            })
        };
        read().map_err(|error| self.inner.database.unreadable("an API key", error))
    }
}

impl ApiKeyStore for PostgresStore {
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let database = &self.inner.database;
            let statement = self.bind_key(database.statement(|all| &all.insert_key), &key)?;
            let undo = database.statement(|all| &all.remove_key).bind(key.id.into_bytes());
            database.run_or_undo(statement, undo).await
        })
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        let database = &self.inner.database;
        let statement = database.statement(|all| &all.find_key).bind(id.as_bytes().to_vec());
        Box::pin(async move {
            let rows = database.run(Access::Read, statement).await?;
            rows.first().map(|row| self.key(row)).transpose()
        })
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        let database = &self.inner.database;
        let statement = database
            .statement(|all| &all.keys_of_owner)
            .bind(hash([prefix, owner]))
            .bind(after.as_bytes().to_vec())
            .bind(page_limit(limit));
        Box::pin(async move {
            let rows = database.run(Access::Read, statement).await?;
            rows.iter().map(|row| self.key(row)).collect()
        })
    }

    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool> {
        let id = id.as_bytes().to_vec();
        Box::pin(async move {
            let database = &self.inner.database;
            let statement = self.bind_key(database.statement(|all| &all.rotate_key), &next)?;
            let statement = statement.bind(id).bind(overlap_ends_at).bind(expected.cast_signed());
            Ok(!database.run(Access::DurableWrite, statement).await?.is_empty())
        })
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        let database = &self.inner.database;
        let statement = database.statement(|all| &all.revoke_key).bind(id.as_bytes().to_vec()).bind(at);
        Box::pin(async move { Ok(!database.run(Access::DurableWrite, statement).await?.is_empty()) })
    }

    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if uses.is_empty() {
                return Ok(());
            }
            let (ids, times): (Vec<_>, Vec<_>) =
                uses.into_iter().map(|used| (used.id.into_bytes(), used.at)).unzip();
            let database = &self.inner.database;
            let statement = database.statement(|all| &all.record_key_uses).bind(ids).bind(times);
            database.run(Access::Write, statement).await.map(drop)
        })
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        let database = &self.inner.database;
        let statement = database.statement(|all| &all.drop_keys).bind(drop_before(time)).bind(MAX_DROPPED);
        Box::pin(self.drop_rows(statement))
    }
}
