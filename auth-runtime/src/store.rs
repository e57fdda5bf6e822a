//! What outlives a process: the log of revocations, and the families of refresh tokens.
//!
//! | store | for | feature |
//! |---|---|---|
//! | [`MemoryStore`] | tests, and services that may forget on restart | |
//! | `RedbStore` | one process with a disk: one file, nothing to install | `redb` |
//!
//! A store of your own implements the two traits. The contract that they must keep is a test suite in
//! `tests/whole/stores` of the repository, where a store is added in one line.

mod error;
mod memory;
#[cfg(feature = "redb")]
mod redb;
mod revocation;

use std::fmt;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub use self::error::StoreError;
pub use self::memory::MemoryStore;
#[cfg(feature = "redb")]
pub use self::redb::RedbStore;
pub use self::revocation::Revocation;
use crate::clock::unix_seconds;

/// What a store is doing.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// An append-only log of revocations, which every instance of a service follows.
///
/// A position in it is a cursor: 0 is before the first entry. Whoever has read up to a cursor never finds an entry
/// before it later: a store in which transactions end in another order than their numbers must see to that.
pub trait RevocationLog: fmt::Debug + Send + Sync + 'static {
    /// Appends, all or none. When the future is done without an error, the entries are as durable as the store is.
    ///
    /// # Errors
    /// If they could not be recorded. Whether they were then is not known.
    fn append(&self, entries: Vec<LoggedRevocation>) -> StoreFuture<'_, ()>;

    /// The entries behind the cursor `after`, oldest first, `limit` at most. Those whose `keep_until` has passed may be
    /// missing.
    ///
    /// # Errors
    /// If the log can't be read.
    fn read(&self, after: u64, limit: usize) -> StoreFuture<'_, LogPage>;

    /// Drops entries whose `keep_until` lies before `now`: a bounded number, so that nobody waits for long. Returns
    /// whether more are left to drop.
    ///
    /// # Errors
    /// If the log can't be written.
    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool>;
}

/// A revocation, and when the last token that it could concern has expired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct LoggedRevocation {
    /// What is revoked.
    pub revocation: Revocation,
    /// The entry may go when this has passed.
    pub keep_until: SystemTime,
}

/// Some entries of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct LogPage {
    /// The entries, oldest first.
    pub entries: Vec<LoggedRevocation>,
    /// The cursor of the last of them; the one that was asked for, if there are none.
    pub cursor: u64,
}

/// The families of refresh tokens: one row for each login, with the generation of the token that is good now.
pub trait RefreshTokenStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a family. Its id is new.
    ///
    /// # Errors
    /// If it could not be recorded.
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()>;

    /// The family of this id. One that has expired may be missing.
    ///
    /// # Errors
    /// If the store can't be read.
    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>>;

    /// Compare and set: puts `family` in the place of the row with its id if that row's generation is `expected`. Returns
    /// whether it was; `false` also if there is no such row. Of any number of callers with the same `expected`, one
    /// gets `true`.
    ///
    /// # Errors
    /// If it could not be recorded. Whether it was then is not known.
    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool>;

    /// Removes families, all or none. One that is not there is none the less removed.
    ///
    /// # Errors
    /// If it could not be recorded.
    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()>;

    /// A user's families. One that has expired may be missing.
    ///
    /// # Errors
    /// If the store can't be read.
    fn of_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>>;

    /// Drops families whose `expires_at` lies before `now`, as [`RevocationLog::drop_expired`] does.
    ///
    /// # Errors
    /// If the store can't be written.
    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool>;
}

/// The id of a family: 128 random bits.
pub type FamilyId = [u8; 16];

/// A family of refresh tokens: one login, and the tokens that came from it one after the other. It holds nothing that
/// could be used as a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct RefreshTokenFamily {
    /// Its id.
    pub id: FamilyId,
    /// Who gave out the tokens: `iss` of the access tokens.
    pub issuer: String,
    /// Whose they are: `sub`.
    pub subject: String,
    /// The id of the key that the token of this generation was made with.
    pub key_id: String,
    /// Which token of the family is the one that is good now; the first is 1.
    pub generation: u64,
    /// When the user logged in, in seconds since the epoch.
    pub started_at: i64,
    /// When this generation came, in seconds since the epoch.
    pub rotated_at: i64,
    /// When the token of this generation expires, in seconds since the epoch.
    pub expires_at: i64,
    /// How the user logged in: `acr`.
    pub acr: Option<String>,
}

/// A clock before the epoch stands wrong, and is no reason to forget revocations: nothing has expired by it.
fn drop_before(now: SystemTime) -> i64 {
    if now < UNIX_EPOCH { 0 } else { unix_seconds(now) }
}
