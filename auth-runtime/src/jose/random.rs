//! Random secrets and ids.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::signing::{NO_RANDOM_NUMBERS, SignError};

/// 256 bits of the system's random numbers, for a secret such as that of a [`RefreshKey`](crate::session::RefreshKey).
///
/// # Errors
/// If the system has no random numbers.
pub fn random_secret() -> Result<[u8; 32], SignError> {
    random_bytes()
}

/// 128 bits of the system's random numbers, as 22 characters of base64url, for `jti` (RFC 7519 §4.1.7) and `sid`.
///
/// # Errors
/// If the system has no random numbers.
pub fn random_id() -> Result<String, SignError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<16>()?))
}

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], SignError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|error| SignError::with_source(NO_RANDOM_NUMBERS, error))?;
    Ok(bytes)
}
