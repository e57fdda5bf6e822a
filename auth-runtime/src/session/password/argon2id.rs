//! Argon2id: one hash for every call, whatever its answer is.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, try_generate_salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier, Version};

use super::{MAX_PASSWORD_BYTES, PasswordError};

/// Argon2id with its parameters.
pub(super) struct Argon2idHasher {
    pub(super) argon2: Argon2<'static>,
    /// The hash of a random password, with the same parameters.
    pub(super) of_unknown_user: PasswordHash,
}

/// What one call compares. It computes one hash, whatever the answer is.
pub(super) struct Comparison {
    pub(super) password: String,
    pub(super) with: PasswordHash,
    pub(super) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Whether the hashes are equal.
    OfComparison,
    AlwaysFalse,
    Malformed,
}

impl Argon2idHasher {
    pub(super) fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let params = Params::new(memory_kib, passes, lanes, Some(Params::DEFAULT_OUTPUT_LEN))
            .map_err(|_| PasswordError::Cost)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params);
        // A salt of 128 random bits serves as the password.
        let password = try_generate_salt().map_err(|_| PasswordError::Failed)?;
        let of_unknown_user = argon2.hash_password(&password).map_err(|_| PasswordError::Failed)?;
        Ok(Self { argon2, of_unknown_user })
    }

    pub(super) fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let hash = self.argon2.hash_password(password.as_bytes()).map_err(|_| PasswordError::Failed)?;
        Ok(hash.to_string())
    }

    pub(super) fn comparison(&self, password: String, stored: Option<&str>) -> Comparison {
        let (with, answer) = match stored.map(parse) {
            Some(Some((hash, _))) => (hash, Answer::OfComparison),
            Some(None) => (self.of_unknown_user.clone(), Answer::Malformed),
            None => (self.of_unknown_user.clone(), Answer::AlwaysFalse),
        };
        if password.len() <= MAX_PASSWORD_BYTES {
            return Comparison { password, with, answer };
        }
        let answer = if answer == Answer::OfComparison { Answer::AlwaysFalse } else { answer };
        Comparison { password: String::new(), with, answer }
    }

    pub(super) fn compare(&self, comparison: Comparison) -> Result<bool, PasswordError> {
        let Comparison { password, with, answer } = comparison;
        let equal = match self.argon2.verify_password(password.as_bytes(), &with) {
            Ok(()) => true,
            Err(Error::PasswordInvalid) => false,
            Err(_) => return Err(PasswordError::Failed),
        };
        match answer {
            Answer::OfComparison => Ok(equal),
            Answer::AlwaysFalse => Ok(false),
            Answer::Malformed => Err(PasswordError::Malformed),
        }
    }
}

/// A hash that argon2 can compute again: its parameters are supported, and it has a salt and an output to compare with.
pub(super) fn parse(stored: &str) -> Option<(PasswordHash, Params)> {
    let mut hash = PasswordHash::new(stored).ok()?;
    Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    // Hashes from before argon2 had versions name none. The crate argon2 reads them as of the newest version, which is wrong.
    let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
    hash.version = Some(version.into());
    let params = Params::try_from(&hash).ok()?;
    (hash.salt.is_some() && hash.hash.is_some()).then_some((hash, params))
}
