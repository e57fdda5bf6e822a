//! The keys of an issuer: the one that signs, and those whose tokens are accepted.

use serde_json::{Map, Value};

use crate::jose::{EncodedHeader, Key, SignError, SigningKey};

/// The key that signs, and other keys whose tokens are accepted: the previous key, so that its tokens stay valid until they
/// expire, and the next key, so that readers of the key set know it before it signs its first token.
///
/// A key without an id gets its thumbprint (RFC 7638) as id, unless it is a secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigningKeys {
    pub(super) signing: SigningKey,
    also_accepted: Vec<Key>,
}

impl SigningKeys {
    /// One key.
    pub fn new(signing: SigningKey) -> Self {
        Self { signing: signing.with_thumbprint(), also_accepted: Vec::new() }
    }

    /// A key whose tokens are accepted too: [`SigningKey::verifying_key`] of the previous key, or of the next.
    pub fn also_accept(mut self, key: Key) -> Self {
        self.also_accepted.push(key.with_thumbprint());
        self
    }

    pub(super) fn accepted(&self) -> Vec<Key> {
        std::iter::once(self.signing.verifying_key()).chain(self.also_accepted.iter().cloned()).collect()
    }
}

impl From<SigningKey> for SigningKeys {
    fn from(key: SigningKey) -> Self {
        Self::new(key)
    }
}

/// A key that signs, with the header of its tokens.
pub(crate) struct TokenSigner {
    key: SigningKey,
    header: EncodedHeader,
}

impl TokenSigner {
    pub(super) fn new(key: SigningKey, further_header: &Map<String, Value>) -> Self {
        let header = key.access_token_header(further_header);
        Self { key, header }
    }

    pub(super) fn sign(&self, claims: &Map<String, Value>) -> Result<String, SignError> {
        self.key.sign_with_header(&self.header, claims)
    }

    /// Signs a token with another header: `further` are its fields besides those of the key.
    pub(super) fn sign_with(
        &self,
        further: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, SignError> {
        self.key.sign_with_header(&self.key.access_token_header(further), claims)
    }
}
