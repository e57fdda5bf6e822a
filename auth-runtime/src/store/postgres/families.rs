//! The families of refresh tokens.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::database::{Access, Statement};
use super::{MAX_DROPPED, PostgresStore, hash, page_limit};
use crate::store::{
    FamilyId, RefreshTokenFamily, RefreshTokenStore, StoreError, StoreFuture, drop_before, issuer_member,
    trace_not_listed,
};

impl PostgresStore {
    /// Adds the columns of a row to a statement, the first of which is the id.
    fn bind_family(
        &self,
        statement: Statement,
        family: &RefreshTokenFamily,
    ) -> Result<Statement, StoreError> {
        let row =
            serde_json::to_vec(family).map_err(|error| self.inner.database.unreadable("a family", error))?;
        Ok(statement
            .bind(family.id.to_vec())
            .bind(hash([&family.issuer, &family.subject]))
            .bind(family.version.cast_signed())
            .bind(family.expires_at)
            .bind(row))
    }

    fn family(&self, row: &PgRow) -> Result<RefreshTokenFamily, StoreError> {
        let unreadable = |error: axum::BoxError| self.inner.database.unreadable("a family", error);
        let bytes: Vec<u8> = row.try_get(0).map_err(|error| unreadable(error.into()))?;
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into()))
    }

    /// The hash and the id, after which the next rows of a list come.
    fn position(&self, row: &PgRow) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        let found = row.try_get(1).and_then(|hash| Ok((hash, row.try_get(2)?)));
        found.map_err(|error| self.inner.database.unreadable("a family", error))
    }
}

impl RefreshTokenStore for PostgresStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let database = &self.inner.database;
            let statement = self.bind_family(database.statement(|all| &all.insert_family), &family)?;
            let undo = database.statement(|all| &all.remove_families).bind(vec![family.id.to_vec()]);
            database.run_or_undo(statement, undo).await
        })
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        Box::pin(async move {
            let database = &self.inner.database;
            let statement = database.statement(|all| &all.find_family).bind(id.to_vec());
            let rows = database.run(Access::Read, statement).await?;
            rows.first().map(|row| self.family(row)).transpose()
        })
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let database = &self.inner.database;
            let statement = self.bind_family(database.statement(|all| &all.replace_family), &family)?;
            let statement = statement.bind(expected.cast_signed());
            Ok(!database.run(Access::DurableWrite, statement).await?.is_empty())
        })
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(());
            }
            let ids: Vec<_> = ids.iter().map(|id| id.to_vec()).collect();
            let database = &self.inner.database;
            let statement = database.statement(|all| &all.remove_families).bind(ids);
            database.run(Access::DurableWrite, statement).await.map(drop)
        })
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let database = &self.inner.database;
        let statement = database.statement(|all| &all.families_of_subject).bind(hash([issuer, subject]));
        Box::pin(async move {
            let rows = database.run(Access::Read, statement).await?;
            rows.iter().map(|row| self.family(row)).collect()
        })
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let database = &self.inner.database;
        // The empty value comes before every other.
        let (mut subject_hash, mut id) =
            after.map(|(subject, id)| (hash([issuer, subject]), id.to_vec())).unwrap_or_default();
        let issuer = issuer.to_owned();
        Box::pin(async move {
            let mut families = Vec::new();
            // One that can't be read is left out, so that staff sees the others, and another is read in its place.
            while families.len() < limit {
                let missing = limit - families.len();
                let statement = database
                    .statement(|all| &all.list_families)
                    .bind(subject_hash)
                    .bind(id)
                    .bind(issuer_member(&issuer))
                    .bind(page_limit(missing));
                let rows = database.run(Access::Read, statement).await?;
                for row in &rows {
                    match self.family(row) {
                        Ok(family) => families.extend(Some(family).filter(|family| family.issuer == issuer)),
                        Err(_) => trace_not_listed(&URL_SAFE_NO_PAD.encode(self.position(row)?.1)),
                    }
                }
                match rows.last() {
                    Some(last) if rows.len() >= missing => (subject_hash, id) = self.position(last)?,
                    _ => break,
                }
            }
            Ok(families)
        })
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        let database = &self.inner.database;
        let statement = database.statement(|all| &all.drop_families).bind(drop_before(now)).bind(MAX_DROPPED);
        Box::pin(self.drop_rows(statement))
    }
}
