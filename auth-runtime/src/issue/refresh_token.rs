//! The text of a refresh token: `KEY-ID.BASE64URL`, where the bytes are a family's id, a generation, and a MAC over both.
//!
//! The text is opaque to the client. The store holds nothing that could be used as a token: a row has the family and the
//! generation, and only the service has the key of the MAC. So the service can make the same token again from its row, and
//! it rejects a guessed token without reading the store.

use std::fmt;

#[cfg(feature = "token-routes")]
use aws_lc_rs::hkdf;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::ConfigErrors;
use crate::jose::{SignError, check_secret, random_id, random_secret};
use crate::store::FamilyId;

/// The maximum length of a refresh token, in bytes.
const MAX_BYTES: usize = 256;

const MAX_KEY_ID_BYTES: usize = 64;

const MIN_SECRET_BYTES: usize = 32;

/// The lengths of a family's id, a generation, and a MAC, in bytes.
const FAMILY: usize = 16;
const GENERATION: usize = 8;
const MAC: usize = 32;

/// A key that makes and verifies refresh tokens (HMAC-SHA-256). All instances of a service need the same keys.
#[derive(Clone)]
pub struct RefreshKey {
    id: String,
    secret: Vec<u8>,
}

impl RefreshKey {
    /// Returns the key with this id and secret. The id has 1 to 64 letters, digits, `-` and `_`. It is a part of every
    /// token, so that a new key can replace the old one while tokens of the old one are still valid. The secret has at
    /// least 32 bytes, for example from `openssl rand -base64 32`.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<Vec<u8>>) -> Self {
        Self { id: id.into(), secret: secret.into() }
    }

    /// Returns a new random key. No refresh token stays valid after this process ends.
    ///
    /// # Errors
    /// [`SignError`] if the system has no random numbers.
    pub fn generate() -> Result<Self, SignError> {
        Ok(Self::new(random_id()?, random_secret()?))
    }

    /// Returns what the names of login attempts are hashed with, before a store counts them: derived from the secret (HKDF, RFC 5869), so
    /// that all instances have it, and neither it nor the secret says anything of the other.
    #[cfg(feature = "token-routes")]
    fn attempt_key(&self, issuer: &str) -> Result<hmac::Key, aws_lc_rs::error::Unspecified> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"auth-runtime").extract(&self.secret);
        let info = [b"login attempts 1\0", issuer.as_bytes()];
        Ok(secret.expand(&info, hmac::HMAC_SHA256)?.into())
    }

    #[cfg_attr(
        not(feature = "token-routes"),
        allow(unused_variables, reason = "login attempts are counted for an issuer")
    )]
    fn prepare(&self, issuer: &str) -> Result<PreparedRefreshKey, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.id.is_empty() || self.id.len() > MAX_KEY_ID_BYTES || !self.id.bytes().all(plain) {
            return Err(format!(
                "the id `{}` of a refresh key must have 1 to {MAX_KEY_ID_BYTES} letters, digits, `-` and `_`: write one such as \
                 the year, `2026`",
                self.id
            ));
        }
        check_secret(&self.secret, MIN_SECRET_BYTES, "a refresh key")
            .map_err(|problem| format!("the secret of the refresh key `{}` {problem}", self.id))?;
        Ok(PreparedRefreshKey {
            id: self.id.clone(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &self.secret),
            #[cfg(feature = "token-routes")]
            attempts: self
                .attempt_key(issuer)
                .map_err(|_| format!("no key can be derived from the refresh key `{}`", self.id))?,
        })
    }
}

/// Redacts the secret.
impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The refresh keys of an issuer. The first one makes new tokens; all of them verify tokens.
#[derive(Debug)]
pub(crate) struct RefreshKeys {
    issuer: String,
    keys: Vec<PreparedRefreshKey>,
}

struct PreparedRefreshKey {
    id: String,
    key: hmac::Key,
    #[cfg(feature = "token-routes")]
    attempts: hmac::Key,
}

/// Redacts the key.
impl fmt::Debug for PreparedRefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRefreshKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The content of a valid refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenedRefreshToken {
    pub(crate) family: FamilyId,
    pub(crate) generation: u64,
}

impl RefreshKeys {
    pub(super) fn new(issuer: &str, keys: &[RefreshKey], errors: &mut ConfigErrors) -> Self {
        let mut prepared: Vec<PreparedRefreshKey> = Vec::new();
        for key in keys {
            match key.prepare(issuer) {
                Ok(key) if prepared.iter().any(|other| other.id == key.id) => {
                    errors
                        .push(format!("two refresh keys have the id `{}`: give each key its own id", key.id));
                }
                Ok(key) => prepared.push(key),
                Err(error) => errors.push(error),
            }
        }
        Self { issuer: issuer.to_owned(), keys: prepared }
    }

    /// Returns the id of the key that makes new tokens.
    pub(crate) fn newest(&self) -> &str {
        self.keys.first().map_or("", |key| &key.id)
    }

    /// Returns what the names of login attempts are hashed with. A new refresh key changes it: then attempts are counted anew.
    #[cfg(feature = "token-routes")]
    pub(crate) fn attempt_key(&self) -> Option<&hmac::Key> {
        self.keys.first().map(|key| &key.attempts)
    }

    /// Returns the token of a family's generation. It is always the same text. `None` if no key has this id.
    pub(crate) fn token(&self, key_id: &str, family: FamilyId, generation: u64) -> Option<String> {
        let key = self.keys.iter().find(|key| key.id == key_id)?;
        let mut bytes = Vec::with_capacity(FAMILY + GENERATION + MAC);
        bytes.extend(family);
        bytes.extend(generation.to_be_bytes());
        bytes.extend(hmac::sign(&key.key, &self.message(key_id, family, generation)).as_ref());
        Some(format!("{key_id}.{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns the content of the token, if this issuer made it.
    pub(crate) fn open(&self, token: &str) -> Option<OpenedRefreshToken> {
        let (key_id, body) = token.split_once('.').filter(|_| token.len() <= MAX_BYTES)?;
        let key = self.keys.iter().find(|key| key.id == key_id)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
        let (family, rest) = bytes.split_first_chunk::<FAMILY>()?;
        let (generation, mac) = rest.split_first_chunk::<GENERATION>()?;
        let generation = u64::from_be_bytes(*generation);
        hmac::verify(&key.key, &self.message(key_id, *family, generation), mac).ok()?;
        Some(OpenedRefreshToken { family: *family, generation })
    }

    /// Returns the input of the MAC. It contains the issuer, so two services with the same secret reject each other's tokens.
    fn message(&self, key_id: &str, family: FamilyId, generation: u64) -> Vec<u8> {
        let mut message = b"auth-runtime refresh token 1\0".to_vec();
        for part in [self.issuer.as_bytes(), key_id.as_bytes(), &family, &generation.to_be_bytes()] {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend(part);
        }
        message
    }
}

/// Returns the `sid` of the access tokens of a family.
pub(crate) fn session_of_family(id: FamilyId) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// Returns the family whose access tokens have this `sid`.
pub(crate) fn family_of_session(session_id: &str) -> Option<FamilyId> {
    URL_SAFE_NO_PAD.decode(session_id).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "token-routes")]
    use super::hmac;
    use super::{ConfigErrors, RefreshKey, RefreshKeys};

    fn keys(issuer: &str, keys: &[RefreshKey]) -> RefreshKeys {
        let mut errors = ConfigErrors::default();
        let keys = RefreshKeys::new(issuer, keys, &mut errors);
        assert_eq!(errors.into_vec(), Vec::<String>::new());
        keys
    }

    #[test]
    fn a_token_is_made_again_and_opened() {
        let (old, new) = (RefreshKey::new("2025", [1; 32]), RefreshKey::new("2026", [2; 32]));
        let before = keys("i", std::slice::from_ref(&old));
        let after = keys("i", &[new, old]);
        let token = before.token("2025", [9; 16], 3).unwrap();
        assert_eq!(after.token("2025", [9; 16], 3).unwrap(), token);
        let opened = after.open(&token).unwrap();
        assert_eq!((opened.family, opened.generation), ([9; 16], 3));
        assert_eq!(after.newest(), "2026");
        assert!(before.open(&after.token("2026", [9; 16], 3).unwrap()).is_none());
    }

    #[test]
    fn any_other_text_is_forged() {
        let ours = keys("i", &[RefreshKey::new("k", [1; 32]), RefreshKey::new("l", [1; 32])]);
        let token = ours.token("k", [9; 16], 3).unwrap();
        for at in 0..token.len() {
            for byte in [b'A', b'B', b'-', b'.', b'=', b' '] {
                let mut changed = token.clone().into_bytes();
                if changed[at] == byte {
                    continue;
                }
                changed[at] = byte;
                let changed = String::from_utf8(changed).unwrap();
                assert!(ours.open(&changed).is_none(), "{changed}");
            }
            assert!(ours.open(&token[..at]).is_none(), "cut at {at}");
        }
        for other in
            [format!("{token}A"), format!("{token}="), format!(" {token}"), token.replacen("k.", "l.", 1)]
        {
            assert!(ours.open(&other).is_none(), "{other}");
        }
        assert!(keys("j", &[RefreshKey::new("k", [1; 32])]).open(&token).is_none(), "another issuer's");
        assert!(keys("i", &[RefreshKey::new("k", [2; 32])]).open(&token).is_none(), "another secret's");
    }

    /// All instances derive the same key, also those of other versions: the MAC was made with Python's `hmac`.
    #[cfg(feature = "token-routes")]
    #[test]
    fn the_key_of_attempts_is_of_the_newest_secret_and_the_issuer() {
        let mac = |issuer, all: &[RefreshKey]| {
            let mac = hmac::sign(keys(issuer, all).attempt_key().unwrap(), b"m");
            mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let (old, new) = (RefreshKey::new("k", [1; 32]), RefreshKey::new("l", [2; 32]));
        let [old_alone, old_first, new_first] =
            [&[old.clone()][..], &[old.clone(), new.clone()], &[new, old]].map(|all| mac("i", all));
        assert_eq!(old_alone, "7ef9f60b93b43c55dd95a5b8f0ba41b6136f0879e2cc0144a67cd157d828b2d3");
        assert_eq!(old_first, old_alone);
        assert_ne!(new_first, old_alone);
        assert_ne!(mac("j", &[RefreshKey::new("k", [1; 32])]), old_alone);
    }

    #[test]
    fn every_error_of_a_key_is_reported() {
        let mut errors = ConfigErrors::default();
        let long = "x".repeat(65);
        let given = [("a.b", 32), ("", 32), (&long, 32), ("short", 31), ("twice", 32), ("twice", 32)];
        let given: Vec<_> = given.iter().map(|(id, len)| RefreshKey::new(*id, vec![7; *len])).collect();
        let _ = RefreshKeys::new("i", &given, &mut errors);
        let errors = errors.into_vec();
        assert_eq!(errors.len(), 5, "{errors:#?}");
    }
}
