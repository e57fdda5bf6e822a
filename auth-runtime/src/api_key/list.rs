//! Keys, as their owner and an administrator see them.

use std::time::SystemTime;

use crate::clock::from_unix_seconds;
use crate::store::ApiKeyRecord;

/// Some keys of an owner, in the order of their ids.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiKeyList {
    /// The keys: at most 100.
    pub keys: Vec<ApiKey>,
    /// What to pass to [`list_after`](super::ApiKeyService::list_after) for the others; `None` if there are none.
    pub next: Option<String>,
}

/// An API key, without what could be used as one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// The id of the key, which is a part of its text.
    pub id: String,
    /// The subject of a caller with the key.
    pub owner: String,
    /// What its owner recognizes it by. It may be text of a client: a page must escape it.
    pub label: Option<String>,
    /// The roles that it was made with.
    pub roles: Vec<String>,
    /// The scopes that it was made with.
    pub scopes: Vec<String>,
    /// The permissions that it was made with.
    pub permissions: Vec<String>,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it expires; `None` if it does not. A key that was rotated expires when the overlap has passed, if not before.
    pub expires_at: Option<SystemTime>,
    /// When it was revoked; `None` if it was not.
    pub revoked_at: Option<SystemTime>,
    /// When it was last used, as far as that was recorded: see [`ApiKeys`](super::ApiKeys).
    pub last_used_at: Option<SystemTime>,
}

impl ApiKey {
    /// Returns whether the key is valid at this time, such as [`Auth::now`](crate::Auth::now).
    #[must_use]
    pub fn is_valid_at(&self, time: SystemTime) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| time < expires_at)
    }
}

impl From<ApiKeyRecord> for ApiKey {
    fn from(record: ApiKeyRecord) -> Self {
        let expires_at = record.valid_until().map(from_unix_seconds);
        Self {
            id: record.id,
            owner: record.owner,
            label: record.label,
            roles: record.roles,
            scopes: record.scopes,
            permissions: record.permissions,
            created_at: from_unix_seconds(record.created_at),
            expires_at,
            revoked_at: record.revoked_at.map(from_unix_seconds),
            last_used_at: record.last_used_at.map(from_unix_seconds),
        }
    }
}
