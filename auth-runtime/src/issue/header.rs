//! Which fields of a token's header are the application's to set.

use serde_json::{Map, Value};

use super::error::TokenError;

/// The parameters that RFC 7515 §4.1 registers, `b64` of RFC 7797, and `enc` and `zip`, which say that a text is encrypted (RFC 7516 §4.1).
const RESERVED: &[&str] =
    &["alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "b64", "enc", "zip"];

/// The names that can't be set, in the order of the map.
pub(super) fn reserved(header: &Map<String, Value>) -> impl Iterator<Item = &str> {
    header.keys().map(String::as_str).filter(|name| RESERVED.contains(name))
}

/// Why a reserved field can't be set, and what to do: the end of a sentence.
pub(super) fn why_reserved(name: &str) -> String {
    format!(
        "can't be set: the library sets it, or no verifier may trust it; leave out `.header(\"{name}\", ..)`"
    )
}

/// # Errors
/// [`TokenError::ReservedHeader`].
pub(crate) fn check_header(header: &Map<String, Value>) -> Result<(), TokenError> {
    match reserved(header).next() {
        Some(name) => Err(TokenError::ReservedHeader(name.to_owned())),
        None => Ok(()),
    }
}
