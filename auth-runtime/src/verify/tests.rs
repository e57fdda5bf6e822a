//! The verifier against test vectors that others published, and against changed tokens.

mod differential;
mod forms;
mod header;
mod key_sets;
mod mutations;
mod strict;
mod vectors;

use super::{Algorithm, Key, TrustedIssuer, VerifiedToken, VerifyError};
use crate::error::ConfigErrors;
use crate::session::SigningKey;
use crate::verify::JwtVerifier;

/// A key of its own for each test.
pub(super) fn key(algorithm: Algorithm) -> SigningKey {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            SigningKey::secret(algorithm, &[7; 64]).unwrap()
        }
        _ => SigningKey::generate(algorithm).unwrap(),
    }
}

/// A verifier of one issuer, which must have no error.
pub(super) fn verifier(issuer: TrustedIssuer) -> JwtVerifier {
    let mut errors = ConfigErrors::default();
    let verifier = JwtVerifier::new(&[issuer], 16 * 1024, &mut errors);
    let errors = errors.into_vec();
    assert!(errors.is_empty(), "{errors:?}");
    verifier
}

/// Of tokens with any claims.
pub(super) fn any_claims(key: Key) -> JwtVerifier {
    verifier(TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience().key(key))
}

pub(super) fn verify(verifier: &JwtVerifier, token: &str) -> Result<VerifiedToken, VerifyError> {
    verifier.verify(token)
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
