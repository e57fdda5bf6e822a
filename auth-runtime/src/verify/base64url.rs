//! Base64url as tokens have it: without padding and white space, and with zeros in the unused bits (RFC 7515 §2).

use base64::Engine as _;

use super::VerifyError;

/// A part that is no such text.
const NOT_BASE64URL: VerifyError = VerifyError::Malformed("a part is not canonical base64url");

/// Decodes a part into a buffer of exactly its size.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    // Four characters are three bytes, and the rest of a part is rounded down: the unused bits are none of it.
    let mut bytes = vec![0; part.len() / 4 * 3 + part.len() % 4 * 3 / 4];
    let length = decode_into(part, &mut bytes)?;
    if length == bytes.len() { Ok(bytes) } else { Err(NOT_BASE64URL) }
}

/// Decodes a part into the beginning of `buffer`. Returns the length.
///
/// # Errors
/// [`VerifyError::BadSignature`] if it is longer than `buffer`.
pub(super) fn decode_into(part: &str, buffer: &mut [u8]) -> Result<usize, VerifyError> {
    use base64::DecodeSliceError::{DecodeError, OutputSliceTooSmall};
    engine().decode_slice(part, buffer).map_err(|error| match error {
        OutputSliceTooSmall => VerifyError::BadSignature,
        DecodeError(_) => NOT_BASE64URL,
    })
}

/// The decoder that uses the instructions of this machine for many bytes at once.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn engine() -> &'static base64::engine::Simd {
    static ENGINE: std::sync::LazyLock<base64::engine::Simd> =
        std::sync::LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));
    &ENGINE
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn engine() -> &'static base64::engine::GeneralPurpose {
    &base64::engine::general_purpose::URL_SAFE_NO_PAD
}
