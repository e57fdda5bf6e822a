//! API keys, as a store keeps them.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::StoreFuture;

/// A store of API keys: one row for each key. It never holds what could be used as a key.
///
/// ```sql
/// create table api_keys (
///     id text collate "C" primary key, prefix text not null, hash bytea not null, owner text not null, label text,
///     roles text[] not null, scopes text[] not null, permissions text[] not null,
///     created_at bigint not null, expires_at bigint, overlap_ends_at bigint, revoked_at bigint, last_used_at bigint,
///     version bigint not null
/// );
/// create index on api_keys (prefix, owner, id);
/// create index on api_keys (least(expires_at, overlap_ends_at, revoked_at));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no store of API keys",
    label = "`ApiKeyStore` is not implemented",
    note = "`MemoryStore` is one; `RedbStore`, `PostgresStore` and `RedisStore` are in the features `redb`, `postgres` and `redis`"
)]
pub trait ApiKeyStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a key with a new id.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if it could not be recorded.
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()>;

    /// Returns the key with this id, also one that has expired or was revoked. Ids are compared byte by byte.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store can't be read.
    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>>;

    /// Returns at most `limit` keys of an owner with this prefix: those whose id is after `after`, in the order of the ids' bytes.
    /// `""` is before all ids.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store can't be read.
    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>>;

    /// Compares and sets: if the row with this id has the version `expected`, sets its `overlap_ends_at`, adds 1 to its version, and adds
    /// the key `next`, all in one transaction. Returns whether it did; `false` also if there is no such row. Of any number of
    /// concurrent callers with the same `expected`, exactly one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store fails. Then all of it is done or nothing.
    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool>;

    /// Sets `revoked_at` and adds 1 to the version, unless the key is revoked already. Returns whether it was not; `false` also if
    /// there is no such row.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store fails. Then the key may or may not be revoked.
    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool>;

    /// Sets `last_used_at` of these keys, where it is earlier or missing. Versions stay. A key that is missing is not an error, and
    /// is not added.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store can't be written. Then some may be recorded.
    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()>;

    /// Deletes a bounded number of keys whose [`ends_at`](ApiKeyRecord::ends_at) is before `time`, so that other calls do not wait
    /// for long. Returns whether more can be deleted.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store can't be written.
    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool>;
}

/// An API key, as a store keeps it. Times are in seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct ApiKeyRecord {
    /// The id of the key: 22 letters and digits, which are a part of its text.
    pub id: String,
    /// The prefix of the key's text. An engine with another prefix does not see the key.
    pub prefix: String,
    /// SHA-256 of the key's text.
    pub hash: [u8; 32],
    /// Who acts when the key is used: the subject of its principal.
    pub owner: String,
    /// What its owner recognizes it by.
    pub label: Option<String>,
    /// The roles of a caller with this key.
    pub roles: Vec<String>,
    /// The scopes of a caller with this key.
    pub scopes: Vec<String>,
    /// The permissions of a caller with this key.
    pub permissions: Vec<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it expires, as it was made; `None` if it does not.
    pub expires_at: Option<i64>,
    /// When it expires since it was rotated; `None` if it was not.
    pub overlap_ends_at: Option<i64>,
    /// When it was revoked. A key that was revoked stays so, whatever the clock shows.
    pub revoked_at: Option<i64>,
    /// When it was last used. It is written once a minute.
    pub last_used_at: Option<i64>,
    /// How often the row was changed, apart from `last_used_at`: what [`ApiKeyStore::rotate`] compares.
    pub version: u64,
}

impl ApiKeyRecord {
    /// Returns when the key expires, unless it is revoked: the earlier of `expires_at` and `overlap_ends_at`; `None` if it does not.
    #[must_use]
    pub fn valid_until(&self) -> Option<i64> {
        self.expires_at.into_iter().chain(self.overlap_ends_at).min()
    }

    /// Returns when the key has ended or will: the earlier of [`valid_until`](Self::valid_until) and `revoked_at`; `None` if it does not
    /// end.
    #[must_use]
    pub fn ends_at(&self) -> Option<i64> {
        self.valid_until().into_iter().chain(self.revoked_at).min()
    }
}

/// When a key was last used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "stores of others read it")]
pub struct ApiKeyUse {
    /// The id of the key.
    pub id: String,
    /// When it was used, in seconds since the epoch.
    pub at: i64,
}
