//! The families of refresh tokens: a hash of rows, a sorted set by expiry, and one by subject.
//! In the last, all scores are 0, so its members are in the order of their bytes: the hash of issuer and subject, and the id.

use std::time::SystemTime;

use ::redis::Script;

use super::index::{hash_of, parts_of, text_of};
use super::request::{Request, StaticScript};
use super::{BATCH, RedisStore};
use crate::store::{
    FamilyId, RefreshTokenFamily, RefreshTokenStore, StoreError, StoreFuture, drop_before, issuer_member,
    trace_not_listed,
};

/// How many families a script looks at. The server does nothing else meanwhile.
const LOOKED_AT: usize = 1000;

macro_rules! script {
    ($file:literal) => {
        StaticScript::new(|| Script::new(concat!(include_str!("scripts/family.lua"), include_str!($file))))
    };
}

static INSERT: StaticScript = script!("scripts/family_insert.lua");
static REPLACE: StaticScript = script!("scripts/family_replace.lua");
static REMOVE: StaticScript = script!("scripts/family_remove.lua");
static LIST: StaticScript = script!("scripts/family_list.lua");
static PAGE: StaticScript = script!("scripts/family_page.lua");
static DROP: StaticScript = script!("scripts/family_drop.lua");

impl RedisStore {
    /// The row: what the scripts read, and the family.
    fn family_row(&self, family: &RefreshTokenFamily) -> Result<Vec<u8>, StoreError> {
        let subject = hash_of(&family.issuer, &family.subject);
        let mut row = format!("{} {subject} {}\n", family.version, family.expires_at).into_bytes();
        serde_json::to_writer(&mut row, family).map_err(|error| self.unreadable("a session", &error))?;
        Ok(row)
    }

    fn read_family(&self, row: &[u8]) -> Result<RefreshTokenFamily, StoreError> {
        let json = parts_of(row).map_or(row, |(_, json)| json);
        serde_json::from_slice(json).map_err(|error| self.unreadable("a session", &error))
    }

    async fn put_family(
        &self,
        script: &'static StaticScript,
        family: RefreshTokenFamily,
        expected: Option<u64>,
    ) -> Result<bool, StoreError> {
        let request = Request::write_script(script, &self.keys().families)
            .arg(text_of(family.id))
            .arg(self.family_row(&family)?)
            .arg(expected);
        self.call_to_write(&request).await
    }
}

impl RefreshTokenStore for RedisStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.put_family(&INSERT, family, None).await.map(drop) })
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        let [families, ..] = &self.keys().families;
        let request = Request::read("HGET").arg(families).arg(text_of(id));
        Box::pin(async move {
            let row: Option<Vec<u8>> = self.call(&request).await?;
            row.map(|row| self.read_family(&row)).transpose()
        })
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        Box::pin(self.put_family(&REPLACE, family, Some(expected)))
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        let ids: Vec<String> = ids.into_iter().map(text_of).collect();
        let request = Request::write_script(&REMOVE, &self.keys().families).arg(ids);
        Box::pin(async move { self.call_to_write(&request).await })
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        Box::pin(async move {
            let request = Request::read_script(&LIST, &self.keys().families).arg(hash_of(&issuer, &subject));
            let rows: Vec<Vec<u8>> = self.call(&request).await?;
            let mut families = Vec::with_capacity(rows.len());
            for row in rows {
                let family = self.read_family(&row)?;
                // Another subject can have the same hash.
                if family.issuer == issuer && family.subject == subject {
                    families.push(family);
                }
            }
            Ok(families)
        })
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let last = after.map(|(subject, id)| (hash_of(issuer, subject) + &text_of(id)).into_bytes());
        let issuer = issuer.to_owned();
        Box::pin(async move {
            let (mut last, mut families) = (last.unwrap_or_default(), Vec::new());
            while families.len() < limit {
                let request = Request::read_script(&PAGE, &self.keys().families)
                    .arg(last)
                    .arg(issuer_member(&issuer))
                    .arg(LOOKED_AT)
                    .arg(limit - families.len());
                let (rows, ids): (Vec<Vec<u8>>, Vec<String>);
                (last, rows, ids) = self.call(&request).await?;
                for (row, id) in rows.iter().zip(&ids) {
                    match self.read_family(row) {
                        Ok(family) => families.extend(Some(family).filter(|family| family.issuer == issuer)),
                        // It is left out, so that staff sees the others.
                        Err(_) => trace_not_listed(id),
                    }
                }
                if last.is_empty() {
                    break;
                }
            }
            Ok(families)
        })
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        let request = Request::write_script(&DROP, &self.keys().families).arg(drop_before(now)).arg(BATCH);
        Box::pin(async move { self.call(&request).await })
    }
}
