//! Verification: from the text of a token to verified claims. The signature is verified first, then the claims.
//!
//! | item | purpose |
//! |---|---|
//! | [`TrustedIssuer`] | an issuer whose tokens are accepted: its keys, audience and claim names |
//! | [`Key`], [`Algorithm`] | the keys that verify its signatures |
//! | [`ClaimRule`], [`ClaimName`] | what every token of an issuer must have, and where |
//! | [`Verifier`] | verifies another kind of token than JWTs |

mod claim_name;
mod claim_rule;
mod claims;
mod error;
mod excerpt;
mod issuer;
mod json;
mod jws;
mod jwt;
mod keys;
mod limits;
mod mapping;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use self::claim_name::ClaimName;
pub use self::claim_rule::ClaimRule;
pub use self::claims::TokenClaims;
pub(crate) use self::claims::USER_GENERATION;
pub use self::error::VerifyError;
pub use self::excerpt::Excerpt;
pub use self::issuer::TrustedIssuer;
pub(crate) use self::jwt::JwtVerifier;
pub(crate) use self::limits::Limits;
use self::mapping::ClaimMapping;
pub(crate) use self::mapping::Names;
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
    mapping: Arc<ClaimMapping>,
    /// Whether the same token stays valid as long as its verifier's generation does not change.
    pub(crate) may_be_remembered: bool,
}

impl VerifiedToken {
    /// Returns verified claims whose roles, scopes and permissions are in the claims with the default names.
    #[must_use]
    pub fn new(claims: TokenClaims) -> Self {
        Self { claims, mapping: Arc::clone(ClaimMapping::standard()), may_be_remembered: true }
    }

    /// Returns the subject: a string, or the text of an integer. `None` if it is missing, empty or of another type.
    pub(crate) fn subject(&self) -> Option<&str> {
        let subject = match self.mapping.subject.find(&self.claims)? {
            Value::String(text) => text,
            Value::Number(_) => self.claims.integer_subject.as_deref()?,
            _ => return None,
        };
        Some(subject).filter(|subject| !subject.is_empty())
    }

    /// Returns the roles, scopes and permissions.
    ///
    /// # Errors
    /// If a claim that holds them has another form, with what is wrong.
    pub(crate) fn names(&self) -> Result<Names, String> {
        self.mapping.read_names(&self.claims)
    }

    /// Returns the claims.
    #[must_use]
    pub fn claims(&self) -> &TokenClaims {
        &self.claims
    }
}
