//! What a key is made with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_analysis::{ListKind, Named};

use crate::clock::unix_seconds;
use crate::issue::one_line;
use crate::store::ApiKeyRecord;
use crate::vocabulary::VocabularyIndex;

/// What a new API key is made with: its label, what a caller with it may do, and when it expires.
///
/// ```
/// use std::time::Duration;
/// use auth_runtime::api_key::ApiKeyOptions;
///
/// let options = ApiKeyOptions::new()
///     .label("nightly export")
///     .scopes(["orders:read"])
///     .expires_in(Duration::from_secs(90 * 24 * 60 * 60));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ApiKeyOptions {
    label: Option<String>,
    roles: Vec<String>,
    scopes: Vec<String>,
    permissions: Vec<String>,
    expiry: Option<Expiry>,
}

#[derive(Clone, Copy, Debug)]
enum Expiry {
    At(SystemTime),
    In(Duration),
}

impl ApiKeyOptions {
    /// Returns options with nothing in them: no label, no rights, and the key does not expire.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what its owner recognizes the key by. It is stored as one line of at most 200 characters, without control characters. It
    /// may come from a client, so a page that shows it must escape it.
    pub fn label(mut self, label: impl AsRef<str>) -> Self {
        self.label = one_line(label.as_ref());
        self
    }

    /// Adds roles that a caller with the key has. They are those of the key and not of its owner: a role that the owner loses stays
    /// with the key until it is revoked.
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Adds scopes (RFC 6749 §3.3).
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Adds permissions.
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.permissions.extend(permissions.into_iter().map(Into::into));
        self
    }

    /// Sets when the key expires, in whole seconds. Default: it does not.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expiry = Some(Expiry::At(time));
        self
    }

    /// Sets how long the key is valid from when it is made, in whole seconds. Default: it does not expire.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expiry = Some(Expiry::In(lifetime));
        self
    }

    /// Whether the key expires some time after it is made. When that is, nobody knows of a key in a configuration.
    pub(super) fn expires_in_some_time(&self) -> bool {
        matches!(self.expiry, Some(Expiry::In(_)))
    }

    /// The row of a key of this owner.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub(super) fn into_record(
        self,
        owner: &str,
        now: SystemTime,
        vocabulary: &VocabularyIndex,
    ) -> Result<ApiKeyRecord, String> {
        if owner.is_empty() {
            return Err(
                "the owner is empty: pass the id of the user or the client that the key is for".into()
            );
        }
        let scopes = Named::Listed(ListKind::Scopes);
        if let Some(objection) = self.scopes.iter().find_map(|scope| scopes.objection(scope)) {
            return Err(format!("{objection}. Pass each scope by itself to `ApiKeyOptions::scopes`"));
        }
        let (mut roles, mut permissions) = (boxed(&self.roles), boxed(&self.permissions));
        vocabulary.expand(&mut roles, &mut permissions);
        if let Some(clash) = vocabulary.clash(&roles) {
            return Err(format!("the key has {clash}: leave one of them out"));
        }
        let expires_at = match self.expiry {
            None => None,
            Some(Expiry::At(time)) => Some(time),
            Some(Expiry::In(lifetime)) => now.checked_add(lifetime),
        };
        // What is before the epoch has expired.
        let expires_at = expires_at.map(|time| if time < UNIX_EPOCH { 0 } else { unix_seconds(time) });
        let created_at = unix_seconds(now);
        Ok(ApiKeyRecord {
            id: String::new(),
            prefix: String::new(),
            hash: [0; 32],
            owner: owner.to_owned(),
            label: self.label,
            roles: self.roles,
            scopes: self.scopes,
            permissions: self.permissions,
            created_at,
            expires_at,
            revoked_at: None,
            last_used_at: None,
            version: 1,
        })
    }
}

fn boxed(names: &[String]) -> Vec<Box<str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}
