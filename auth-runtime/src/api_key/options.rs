//! What a key is made with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_analysis::{ListKind, Named};

use crate::clock::{LONGEST_LIFETIME, unix_seconds};
use crate::issue::one_line;
use crate::store::ApiKeyRecord;
use crate::vocabulary::VocabularyIndex;

/// The longest id of an owner, in bytes.
const MAX_OWNER_BYTES: usize = 1024;

/// How many roles a key may have, how many scopes, and how many permissions.
const MAX_NAMES: usize = 100;

/// The longest name of a role, a scope or a permission, in bytes.
const MAX_NAME_BYTES: usize = 256;

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
///
/// A user may fill them from a form, so they have bounds: at most 100 roles, 100 scopes and 100 permissions, each of at most 256 bytes and
/// without characters that can't be seen. What exceeds them is [`ApiKeyError::Invalid`](super::ApiKeyError::Invalid), whose text says the bound.
/// Nothing says whether the user may have these rights: compare them with the user's own before you call
/// [`create`](super::ApiKeyService::create).
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
    /// with the key until it is revoked. With a [`UserStore`](crate::users::UserStore) that grants roles and permissions, a caller has those
    /// of its key that its user has too.
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

    /// Sets when the key expires, in whole seconds: within 100 years. Default: it does not.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expiry = Some(Expiry::At(time));
        self
    }

    /// Sets how long the key is valid from when it is made, in whole seconds: at most 100 years. Default: it does not expire.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expiry = Some(Expiry::In(lifetime));
        self
    }

    /// Whether the key expires some time after it is made. Of a key in a configuration that time is not known.
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
        check_owner(owner)?;
        check_names(ListKind::Roles, &self.roles)?;
        check_names(ListKind::Scopes, &self.scopes)?;
        check_names(ListKind::Permissions, &self.permissions)?;
        let (mut roles, mut permissions) = (boxed(&self.roles), boxed(&self.permissions));
        vocabulary.expand(&mut roles, &mut permissions);
        if let Some(clash) = vocabulary.clash(&roles) {
            return Err(format!("the key has {clash}: leave one of them out"));
        }
        let lifetime = match self.expiry {
            None => Duration::ZERO,
            Some(Expiry::At(time)) => time.duration_since(now).unwrap_or_default(),
            Some(Expiry::In(lifetime)) => lifetime,
        };
        if lifetime > LONGEST_LIFETIME {
            let why = "it would expire in more than 100 years: pass an earlier time, or none for a key that does not expire";
            return Err(why.to_owned());
        }
        let expires_at = match self.expiry {
            None => None,
            Some(Expiry::At(time)) => Some(time),
            Some(Expiry::In(lifetime)) => Some(now.checked_add(lifetime).unwrap_or(now)),
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
            overlap_ends_at: None,
            revoked_at: None,
            last_used_at: None,
            version: 1,
        })
    }
}

/// # Errors
/// What is wrong, here and below.
fn check_owner(owner: &str) -> Result<(), String> {
    let owner_of = "the id of the user or the client that the key is for";
    if owner.is_empty() {
        return Err(format!("the owner is empty: pass {owner_of}"));
    }
    if owner.len() > MAX_OWNER_BYTES {
        let bytes = owner.len();
        return Err(format!("the owner has {bytes} bytes, and may have {MAX_OWNER_BYTES}: pass {owner_of}"));
    }
    if owner.chars().any(char::is_control) {
        return Err(format!("the owner contains a control character: pass {owner_of}"));
    }
    Ok(())
}

fn check_names(kind: ListKind, names: &[String]) -> Result<(), String> {
    let (all, one) = (kind.keyword(), kind.name_with_article());
    if names.len() > MAX_NAMES {
        return Err(format!("the key has {} {all}, and may have {MAX_NAMES}", names.len()));
    }
    if let Some(long) = names.iter().find(|name| name.len() > MAX_NAME_BYTES) {
        return Err(format!("{one} of the key has {} bytes, and may have {MAX_NAME_BYTES}", long.len()));
    }
    match names.iter().find_map(|name| Named::Listed(kind).objection(name)) {
        Some(objection) => Err(format!("{objection}. Pass each by itself to `ApiKeyOptions::{all}`")),
        None => Ok(()),
    }
}

fn boxed(names: &[String]) -> Vec<Box<str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}
