//! The API keys: a hash of rows, a sorted set of those that end, and one by owner.

use std::time::SystemTime;

use ::redis::Script;

use super::index::{hash_of, parts_of};
use super::request::{Request, StaticScript};
use super::{BATCH, RedisStore};
use crate::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse, StoreError, StoreFuture, drop_before};

macro_rules! script {
    ($file:literal) => {
        StaticScript::new(|| Script::new(concat!(include_str!("scripts/api_key.lua"), include_str!($file))))
    };
}

static INSERT: StaticScript = script!("scripts/api_key_insert.lua");
static ROTATE: StaticScript = script!("scripts/api_key_rotate.lua");
static REVOKE: StaticScript = script!("scripts/api_key_revoke.lua");
static USED: StaticScript = script!("scripts/api_key_used.lua");
static LIST: StaticScript = script!("scripts/api_key_list.lua");
static DROP: StaticScript = script!("scripts/api_key_drop.lua");

impl RedisStore {
    /// The row: what the scripts read and change, and the key.
    fn api_key_row(&self, key: &ApiKeyRecord) -> Result<Vec<u8>, StoreError> {
        let owner = hash_of(&key.prefix, &key.owner);
        let text = |time: Option<i64>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let [expires, overlap, revoked, used] =
            [key.expires_at, key.overlap_ends_at, key.revoked_at, key.last_used_at].map(text);
        let mut row = format!("{} {expires} {overlap} {revoked} {used} {owner}\n", key.version).into_bytes();
        serde_json::to_writer(&mut row, key).map_err(|error| self.unreadable("an API key", &error))?;
        Ok(row)
    }

    fn read_api_key(&self, row: &[u8]) -> Result<ApiKeyRecord, StoreError> {
        let unreadable = || self.unreadable("an API key", &"it is not of this library");
        let (header, json) = parts_of(row).ok_or_else(unreadable)?;
        let header = str::from_utf8(header).map_err(|error| self.unreadable("an API key", &error))?;
        let mut values = header.split(' ');
        let mut next = || values.next().ok_or_else(unreadable);
        let version = next()?.parse().map_err(|error| self.unreadable("an API key", &error))?;
        let mut next_time = || match next()? {
            "-" => Ok(None),
            time => time.parse().map(Some).map_err(|error| self.unreadable("an API key", &error)),
        };
        let [expires_at, overlap_ends_at, revoked_at, last_used_at] =
            [next_time()?, next_time()?, next_time()?, next_time()?];
        let made: ApiKeyRecord =
            serde_json::from_slice(json).map_err(|error| self.unreadable("an API key", &error))?;
        Ok(ApiKeyRecord { version, expires_at, overlap_ends_at, revoked_at, last_used_at, ..made })
    }

    async fn insert_api_key(&self, key: ApiKeyRecord) -> Result<(), StoreError> {
        let request =
            Request::write_script(&INSERT, &self.keys().api_keys).arg(&key.id).arg(self.api_key_row(&key)?);
        self.call_to_write(&request).await
    }

    async fn api_keys_of(
        &self,
        prefix: String,
        owner: String,
        after: String,
        limit: usize,
    ) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let request = Request::read_script(&LIST, &self.keys().api_keys)
            .arg(hash_of(&prefix, &owner))
            .arg(after)
            .arg(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows: Vec<Vec<u8>> = self.call(&request).await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let key = self.read_api_key(&row)?;
            // Another owner can have the same hash.
            if key.prefix == prefix && key.owner == owner {
                keys.push(key);
            }
        }
        Ok(keys)
    }
}

impl ApiKeyStore for RedisStore {
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        Box::pin(self.insert_api_key(key))
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        let [api_keys, ..] = &self.keys().api_keys;
        let request = Request::read("HGET").arg(api_keys).arg(id);
        Box::pin(async move {
            let row: Option<Vec<u8>> = self.call(&request).await?;
            row.map(|row| self.read_api_key(&row)).transpose()
        })
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        let [prefix, owner, after] = [prefix, owner, after].map(str::to_owned);
        Box::pin(self.api_keys_of(prefix, owner, after, limit))
    }

    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool> {
        let request = Request::write_script(&ROTATE, &self.keys().api_keys)
            .arg(id)
            .arg(expected)
            .arg(overlap_ends_at)
            .arg(&next.id);
        Box::pin(async move { self.call_to_write(&request.arg(self.api_key_row(&next)?)).await })
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        let request = Request::write_script(&REVOKE, &self.keys().api_keys).arg(id).arg(at);
        Box::pin(async move { self.call_to_write(&request).await })
    }

    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        let mut request = Request::write_script(&USED, &self.keys().api_keys);
        for ApiKeyUse { id, at } in uses {
            request = request.arg(id).arg(at);
        }
        Box::pin(async move { self.call(&request).await })
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        let request = Request::write_script(&DROP, &self.keys().api_keys).arg(drop_before(time)).arg(BATCH);
        Box::pin(async move { self.call(&request).await })
    }
}
