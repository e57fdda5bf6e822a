//! Credentials are remembered by a keyed hash: a dump of the process's memory shows none.

use std::fmt;

use aws_lc_rs::hmac;

use crate::issue::random_secret;

/// What a credential is remembered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CredentialHash([u8; 32]);

/// The key of the hashes.
pub(super) struct CredentialHasher(hmac::Key);

impl CredentialHasher {
    /// # Errors
    /// If the system has no random bytes.
    pub(super) fn new() -> Result<Self, String> {
        let key = random_secret()
            .map_err(|_| "the system has no random bytes for the hashes of credentials".to_owned())?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    pub(super) fn hash(&self, credential: &str) -> CredentialHash {
        let mut hash = [0; 32];
        let tag = hmac::sign(&self.0, credential.as_bytes());
        hash.copy_from_slice(tag.as_ref());
        CredentialHash(hash)
    }
}

impl fmt::Debug for CredentialHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialHasher")
    }
}
