//! Stores for what must survive a restart: revocations, refresh tokens and API keys.
//!
//! | store | purpose | feature |
//! |---|---|---|
//! | [`MemoryStore`] | tests, and services that may lose its data on restart | |
//! | `PostgresStore` | a service of many processes that has a PostgreSQL server | `postgres` |
//! | `RedbStore` | a service of one process with a disk: one file, no database server | `redb` |
//! | `RedisStore` | a service of many processes that has a Redis or Valkey server | `redis` |
//!
//! A store of your own implements [`RevocationLog`] and [`RefreshTokenStore`], `ApiKeyStore` if it keeps API keys (feature `api-keys`), and
//! `AttemptStore` if it counts login attempts for several instances (feature `token-routes`). The contract that it must satisfy is a test
//! suite, `testing::store_contract!` (feature `test-util`), which takes one line.

#[cfg(feature = "api-keys")]
mod api_key;
#[cfg(feature = "token-routes")]
mod attempts;
mod entry;
mod error;
mod log;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "redis")]
mod redis;
mod revocation;
mod session_data;

use std::fmt;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

#[cfg(feature = "api-keys")]
pub use self::api_key::{ApiKeyRecord, ApiKeyStore, ApiKeyUse};
#[cfg(feature = "token-routes")]
pub use self::attempts::{AttemptKey, AttemptLimit, AttemptStore, CountedAttempt};
pub(crate) use self::entry::{EntryMeaning, LoggedRevocation, Note};
pub use self::error::StoreError;
pub use self::log::{LogCursor, LogEntry, LogPage, LogRead, RevocationLog};
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresStore, PostgresStoreOptions};
#[cfg(feature = "redb")]
pub use self::redb::{RedbStore, RedbStoreOptions};
#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, RedisStoreOptions};
pub use self::revocation::Revocation;
pub use self::session_data::StoredSessionData;
use crate::clock::unix_seconds;

/// The future of a store's method.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The future of [`RevocationLog::wait_for_entries`].
pub type WakeUpFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store of refresh-token families: one row for each session, with the generation of the token that is valid now.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no store of refresh-token families",
    label = "`RefreshTokenStore` is not implemented",
    note = "`MemoryStore` is one; `RedbStore`, `PostgresStore` and `RedisStore` are in the features `redb`, `postgres` and `redis`"
)]
pub trait RefreshTokenStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a family with a new id.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be recorded.
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()>;

    /// Returns the family with this id. An expired family may be missing.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't be read.
    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>>;

    /// Compares and sets: replaces the row with the id of `family` if the version of that row is `expected`. Returns
    /// whether the row was replaced; `false` also if there is no such row. Of any number of concurrent callers with the
    /// same `expected`, exactly one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails. Then the row may or may not be replaced.
    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool>;

    /// Removes all of these families or none. A missing family is not an error.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be recorded.
    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()>;

    /// Returns the families of a user. An expired family may be missing. There are few:
    /// [`max_sessions_per_user`](crate::session::TokenIssuer::max_sessions_per_user) is 100 by default.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't be read.
    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>>;

    /// Returns the first `limit` families of this issuer that come after the one with this subject and this id, which may be gone; the
    /// very first ones for `None`. Fewer are returned only where no more follow. An expired family may be missing.
    ///
    /// The order is the store's own. It depends on the issuer, the subject and the id alone, and the families of a subject are next to
    /// each other: a reader that goes on after the last family of each answer gets every family that is there meanwhile once, however often
    /// it is replaced. It is the list of all sessions, for administrators.
    ///
    /// A row that can't be read is left out, and the others are returned: staff must see them.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't be read.
    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>>;

    /// Deletes families whose `expires_at` is before `now`, as [`RevocationLog::drop_expired`] does.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't be written.
    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool>;
}

/// The id of a family: 128 random bits.
pub type FamilyId = [u8; 16];

/// A family of refresh tokens: the tokens of one session, each of which replaces the one before. The row holds nothing that
/// could be used as a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct RefreshTokenFamily {
    /// The id of the family.
    pub id: FamilyId,
    /// The issuer of the tokens: `iss` of the access tokens.
    pub issuer: String,
    /// The subject of the tokens: `sub` of the access tokens.
    pub subject: String,
    /// The id of the key that made the token of this generation.
    pub key_id: String,
    /// The number of the token that is valid now. The first token has the number 1.
    pub generation: u64,
    /// How often the row was replaced: what [`RefreshTokenStore::replace`] compares.
    #[serde(default)]
    pub version: u64,
    /// When the user logged in, in seconds since the epoch.
    pub started_at: i64,
    /// When the token of this generation was issued, in seconds since the epoch.
    pub rotated_at: i64,
    /// When the token of this generation expires, in seconds since the epoch.
    pub expires_at: i64,
    /// The latest `iat` of the session's access tokens, in seconds since the epoch. It is after `rotated_at` if the clock was set
    /// back.
    #[serde(default)]
    pub last_issued_at: i64,
    /// The generation of the user's sessions that this one is of: see
    /// [`Revocation::OtherGenerations`]. 0 is before the first.
    #[serde(default)]
    pub user_generation: u32,
    /// The generation of the sessions of all users of the issuer that this one is of: see
    /// [`Revocation::OtherIssuerGenerations`]. 0 is before the first.
    #[serde(default)]
    pub issuer_generation: u32,
    /// How the user logged in: `acr`.
    pub acr: Option<String>,
    /// Whether the token of this generation was issued a second time, after the use of the token before it was repeated.
    #[serde(default)]
    pub reissued: bool,
    /// Whether the session's cookies end when the browser is closed.
    #[serde(default)]
    pub ends_with_browser: bool,
    /// What the session's owner recognizes it by, such as the browser and the system that it was started from.
    #[serde(default)]
    pub label: Option<String>,
    /// What the application keeps with the session. Only [`replace`](RefreshTokenStore::replace) changes it: it ends with the row.
    #[serde(default)]
    pub data: StoredSessionData,
}

/// What the JSON of a family has in it exactly if it is of this issuer: a quote within a text is escaped there.
#[cfg(any(feature = "postgres", feature = "redis"))]
fn issuer_member(issuer: &str) -> Vec<u8> {
    format!("\"issuer\":{}", serde_json::Value::from(issuer)).into_bytes()
}

/// Says in the log that a row is left out of the list of all sessions: the others are listed. Nothing of what is in it is said.
#[cfg(any(feature = "postgres", feature = "redb", feature = "redis"))]
fn trace_not_listed(session_id: &str) {
    tracing::error!(
        session_id,
        "auth: a session is not in the list of all sessions, because its row in the store can't be read: a newer version of the program may \
         have written it"
    );
}

/// Returns the time before which entries have expired. A clock before the epoch is wrong, so by it nothing has expired.
fn drop_before(now: SystemTime) -> i64 {
    if now < UNIX_EPOCH { 0 } else { unix_seconds(now) }
}
