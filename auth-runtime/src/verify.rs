//! Verification: from the text of a token to verified claims. The signature is verified first, then the claims.
//!
//! | item | purpose |
//! |---|---|
//! | [`TrustedIssuer`] | an issuer whose tokens are accepted: its keys, audience and claim names |
//! | [`Key`], [`Algorithm`] | the keys that verify its signatures |
//! | [`ClaimRule`], [`ClaimName`] | what every token of an issuer must have, and where |
//! | [`Verifier`] | verifies another kind of token than JWTs |

mod claims;
mod error;
mod excerpt;
mod issuer;
mod json;
mod jws;
mod jwt;
mod keys;
mod limits;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::claims::TokenClaims;
pub(crate) use self::claims::USER_GENERATION;
pub use self::error::VerifyError;
pub use self::excerpt::Excerpt;
pub(crate) use self::issuer::ClaimMapping;
pub use self::issuer::{ClaimName, ClaimRule, TrustedIssuer};
pub(crate) use self::jwt::JwtVerifier;
pub(crate) use self::limits::Limits;
pub use crate::jose::{Algorithm, Key};

/// Verifies a credential and returns its claims.
///
/// The built-in verifier accepts JWTs of the [`TrustedIssuer`]s of the builder. Implement this trait for another kind of token. The
/// implementation must not block: no network and no disk.
pub trait Verifier: fmt::Debug + Send + Sync + 'static {
    /// Verifies that `token` is authentic and issued for this service.
    ///
    /// The engine itself checks `exp`, `nbf` and `iat` of the returned claims on every request, and rejects a token without `exp`.
    ///
    /// # Errors
    /// [`VerifyError`] if the token is invalid. The caller of the service receives only the code `invalid_token`. The error's text
    /// goes to tracing, so it must not contain the token.
    fn verify(&self, token: &str) -> Result<VerifiedToken, VerifyError>;

    /// Returns a number that increases whenever a token that was accepted may now be invalid, for example when a key is removed.
    /// Change the verifier's state first, then the number. It lets the engine cache verified tokens
    /// ([`AuthBuilder::token_cache`](crate::AuthBuilder::token_cache)). With `None`, the default, the engine calls
    /// [`verify`](Self::verify) on every request.
    fn generation(&self) -> Option<u64> {
        None
    }
}

/// The verified claims of a token.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub(crate) claims: TokenClaims,
    pub(crate) mapping: std::sync::Arc<ClaimMapping>,
    /// Whether the same token stays valid as long as its verifier's generation does not change.
    pub(crate) may_be_remembered: bool,
}

impl VerifiedToken {
    /// Returns verified claims whose roles, scopes and permissions are in the claims with the default names.
    #[must_use]
    pub fn new(claims: TokenClaims) -> Self {
        Self { claims, mapping: std::sync::Arc::default(), may_be_remembered: true }
    }

    /// Returns the subject; `None` if it is missing, empty or not a string.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.mapping.subject.find(&self.claims)?.as_str().filter(|subject| !subject.is_empty())
    }

    /// Returns the claims.
    #[must_use]
    pub fn claims(&self) -> &TokenClaims {
        &self.claims
    }
}
