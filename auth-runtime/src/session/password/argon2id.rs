//! Argon2id: a call computes as many hashes as the password has forms, whatever its answer is.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};

use super::PasswordError;
use super::buffers::{Buffer, Buffers};
use super::forms::forms_to_compare;

/// The memory that a stored hash may ask for, in KiB, unless the hasher itself uses more. RFC 9106's second recommended option (§4)
/// has 64 MiB, and Django's default 100 MiB.
const MAX_STORED_KIB: u32 = 128 * 1024;

/// Argon2id with its parameters.
#[derive(Clone)]
pub(super) struct Argon2idHasher {
    pub(super) argon2: Argon2<'static>,
    /// The hash of a random password, with the same parameters.
    pub(super) of_unknown_user: PasswordHash,
    /// The memory that a stored hash may ask for, in KiB.
    pub(super) max_stored_kib: u32,
}

/// What one call compares. It computes a hash of each form, whatever the answer is.
pub(super) struct Comparison {
    /// One or two. How many depends on the password that was sent alone.
    pub(super) forms: Vec<String>,
    pub(super) with: PasswordHash,
    pub(super) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Whether the hashes are equal.
    OfComparison,
    AlwaysFalse,
    Fails(PasswordError),
}

impl Argon2idHasher {
    pub(super) fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let params = Params::new(memory_kib, passes, lanes, Some(Params::DEFAULT_OUTPUT_LEN))
            .map_err(|_| PasswordError::Cost)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params);
        // A salt of 128 random bits serves as the password.
        let password = try_generate_salt().map_err(|_| PasswordError::Failed)?;
        let of_unknown_user = hash_with(&argon2, &password, &mut Buffers::default().take())?;
        Ok(Self { argon2, of_unknown_user, max_stored_kib: MAX_STORED_KIB.max(memory_kib) })
    }

    pub(super) fn hash(&self, password: &str, buffer: &mut Buffer<'_>) -> Result<String, PasswordError> {
        Ok(hash_with(&self.argon2, password.as_bytes(), buffer)?.to_string())
    }

    pub(super) fn comparison(&self, password: String, stored: Option<&str>) -> Comparison {
        let unknown = |answer| (self.of_unknown_user.clone(), answer);
        let (with, answer) = match stored.map(parse) {
            Some(Some((_, params))) if params.m_cost() > self.max_stored_kib => {
                unknown(Answer::Fails(PasswordError::TooCostly {
                    memory_kib: params.m_cost(),
                    max_kib: self.max_stored_kib,
                }))
            }
            Some(Some((hash, _))) => (hash, Answer::OfComparison),
            Some(None) => unknown(Answer::Fails(PasswordError::Malformed)),
            None => unknown(Answer::AlwaysFalse),
        };
        let forms = forms_to_compare(password);
        if !forms.is_empty() {
            return Comparison { forms, with, answer };
        }
        let answer = if answer == Answer::OfComparison { Answer::AlwaysFalse } else { answer };
        Comparison { forms: vec![String::new()], with, answer }
    }

    pub(super) fn compare(
        &self,
        comparison: Comparison,
        buffer: &mut Buffer<'_>,
    ) -> Result<bool, PasswordError> {
        let Comparison { forms, with, answer } = comparison;
        let mut equal = false;
        for form in forms {
            // All of them, also after one that is equal.
            equal |= is_hash_of(&with, form.as_bytes(), buffer)?;
        }
        match answer {
            Answer::OfComparison => Ok(equal),
            Answer::AlwaysFalse => Ok(false),
            Answer::Fails(error) => Err(error),
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

/// The hash of a password, with a new salt.
fn hash_with(
    argon2: &Argon2<'_>,
    password: &[u8],
    buffer: &mut Buffer<'_>,
) -> Result<PasswordHash, PasswordError> {
    let salt = try_generate_salt().map_err(|_| PasswordError::Failed)?;
    let salt = Salt::new(&salt).map_err(|_| PasswordError::Failed)?;
    let output = output(argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN, buffer)?;
    let params = ParamsString::try_from(argon2.params()).map_err(|_| PasswordError::Failed)?;
    Ok(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::default().into()),
        params,
        salt: Some(salt),
        hash: Some(output),
    })
}

/// Whether a hash is that of this password. The hashes are compared in constant time (`PartialEq` of [`Output`]).
fn is_hash_of(hash: &PasswordHash, password: &[u8], buffer: &mut Buffer<'_>) -> Result<bool, PasswordError> {
    let (argon2, salt, expected) = parts(hash).ok_or(PasswordError::Failed)?;
    Ok(output(&argon2, password, &salt, expected.len(), buffer)? == expected)
}

/// What computes a hash again, and what it was; `None` if [`parse`] would reject it.
fn parts(hash: &PasswordHash) -> Option<(Argon2<'static>, Salt, Output)> {
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = Version::try_from(hash.version?).ok()?;
    let params = Params::try_from(hash).ok()?;
    Some((Argon2::new(algorithm, version, params), hash.salt?, hash.hash?))
}

/// The last step of every form: computes one hash.
fn output(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    length: usize,
    buffer: &mut Buffer<'_>,
) -> Result<Output, PasswordError> {
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length).ok_or(PasswordError::Failed)?;
    let blocks = buffer.blocks(argon2.params().block_count())?;
    argon2
        .hash_password_into_with_memory(password, salt, bytes, blocks)
        .map_err(|_| PasswordError::Failed)?;
    Output::new(bytes).map_err(|_| PasswordError::Failed)
}
