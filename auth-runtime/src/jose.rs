//! JSON Web Algorithms and keys: what signatures are made and checked with (RFC 7517, RFC 7518, RFC 8037).
//!
//! | file | what |
//! |---|---|
//! | `algorithm` | the signature algorithms |
//! | `key` | keys to check signatures with, in every usual format |
//! | `signing` | keys to sign with |
//! | `random` | ids and secrets that can't be guessed |

mod algorithm;
mod key;
mod random;
mod signing;

pub use self::algorithm::Algorithm;
pub use self::key::Key;
pub(crate) use self::key::{KeyIdentity, PreparedKey, check_secret};
pub(crate) use self::random::random_bytes;
pub use self::random::{random_id, random_secret};
pub(crate) use self::signing::EncodedHeader;
#[cfg(feature = "api-keys")]
pub(crate) use self::signing::NO_RANDOM_NUMBERS;
pub use self::signing::{SignError, SigningKey};

/// How long a document of a server may be that is read whole, such as a key set, in bytes.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 512 * 1024;
