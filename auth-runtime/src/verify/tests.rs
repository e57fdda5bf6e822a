//! The verifier against test vectors that others published, and against changed tokens.

mod differential;
mod forms;
mod header;
mod key_sets;
mod mutations;
mod oracle;
mod reader;
mod strict;
mod vectors;

use super::{Algorithm, Key, NameList, TrustedIssuer, VerifiedToken, VerifyError};
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

/// What a token says of its caller, as texts.
#[derive(Debug)]
struct NamedTexts {
    roles: Vec<Box<str>>,
    scopes: Vec<Box<str>>,
    permissions: Vec<Box<str>>,
}

impl VerifiedToken {
    fn subject(&self) -> Option<&str> {
        self.subject_span().map(|span| self.claims().text_at(span))
    }

    fn names(&self) -> Result<NamedTexts, String> {
        let (names, claims) = (self.held_names()?, self.claims());
        Ok(NamedTexts {
            roles: names.of(NameList::Roles, claims).map(Box::from).collect(),
            scopes: names.of(NameList::Scopes, claims).map(Box::from).collect(),
            permissions: names.of(NameList::Permissions, claims).map(Box::from).collect(),
        })
    }
}
