//! The keys that an issuer's keys are replaced with.

use super::issuer::KeySetText;
use crate::jose::Key;

/// All keys that an issuer's signatures are verified with, for [`Auth::replace_keys`](crate::Auth::replace_keys): the text of a JWKS
/// document (RFC 7517 §5), single keys, or both.
///
/// ```
/// use auth_runtime::verify::{Algorithm, Key, KeySet};
///
/// let fetched = r#"{"keys":[]}"#; // the body of the answer of the issuer's `jwks_uri`
/// let from_text = KeySet::from(fetched);
/// let with_one_more = KeySet::from(fetched).key(Key::secret(Algorithm::HS256, [7; 32]).with_id("internal"));
/// # let _ = (from_text, with_one_more);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "pass it to `Auth::replace_keys`"]
pub struct KeySet {
    pub(super) keys: Vec<Key>,
    pub(super) sets: Vec<KeySetText>,
}

impl KeySet {
    /// No keys. As it is, it replaces nothing: [`Auth::replace_keys`](crate::Auth::replace_keys) refuses an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key, as [`TrustedIssuer::key`](super::TrustedIssuer::key) does.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds the keys of a JWKS document, as [`TrustedIssuer::jwks`](super::TrustedIssuer::jwks) does. Keys that can't be used are
    /// skipped and logged.
    pub fn jwks(mut self, json: impl Into<String>) -> Self {
        self.sets.push(KeySetText(json.into()));
        self
    }
}

/// The text of a JWKS document.
impl From<&str> for KeySet {
    fn from(jwks: &str) -> Self {
        Self::new().jwks(jwks)
    }
}

/// The text of a JWKS document.
impl From<String> for KeySet {
    fn from(jwks: String) -> Self {
        Self::new().jwks(jwks)
    }
}

impl From<Key> for KeySet {
    fn from(key: Key) -> Self {
        Self::new().key(key)
    }
}
