//! From a token's text to verified claims: the signature first, then the claims.
//!
//! Keys and algorithms are those of JOSE: [`Key`] and [`Algorithm`].
//!
//! | file | what |
//! |---|---|
//! | `jws` | the compact form and its header, strictly |
//! | `claims` | the payload: registered claims with their types, the rest as JSON |
//! | `issuer` | what is trusted: an issuer, its keys, audience and claim names |
//! | `jwt` | the verifier that puts these together |
//! | `limits` | `exp`, `nbf`, `iat` |

mod claims;
mod error;
mod issuer;
mod json;
mod jws;
mod jwt;
mod limits;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::claims::TokenClaims;
pub use self::error::VerifyError;
pub(crate) use self::issuer::ClaimMapping;
pub use self::issuer::{ClaimName, ClaimRule, TrustedIssuer};
pub(crate) use self::jwt::JwtVerifier;
pub(crate) use self::limits::Limits;
pub use crate::jose::{Algorithm, Key};

/// Turns a credential into verified claims.
///
/// The engine's own verifier takes JWTs of the [`TrustedIssuer`]s that the builder names. Implement this trait for
/// another kind of token. It must not wait: no network and no disk stand in the way of a request.
pub trait Verifier: fmt::Debug + Send + Sync + 'static {
    /// Verifies that `token` is authentic and meant for this service.
    ///
    /// `exp`, `nbf` and `iat` of what comes back the engine checks itself, on every request: no verifier can forget
    /// them, and a token without `exp` is refused.
    ///
    /// # Errors
    /// Whatever makes the token unusable. The caller of the service learns only that it is `invalid_token`; the
    /// error's text goes to tracing, so it must not contain the token.
    fn verify(&self, token: &str) -> Result<VerifiedToken, VerifyError>;

    /// A number that grows whenever a token that was accepted might no longer be, such as when a key is taken away: change
    /// what decides first, and then the number. With it the engine remembers verified tokens
    /// ([`AuthBuilder::token_cache`](crate::AuthBuilder::token_cache)); `None`, the default, has it ask every time.
    fn generation(&self) -> Option<u64> {
        None
    }
}

/// What a [`Verifier`] has verified.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub(crate) claims: TokenClaims,
    pub(crate) mapping: std::sync::Arc<ClaimMapping>,
    /// Whether the same token would be accepted again as long as its verifier's generation stays the same.
    pub(crate) may_be_remembered: bool,
}

impl VerifiedToken {
    /// Verified claims, with roles, scopes and permissions under their default names.
    #[must_use]
    pub fn new(claims: TokenClaims) -> Self {
        Self { claims, mapping: std::sync::Arc::default(), may_be_remembered: true }
    }

    /// Whom the token is about; `None` if it does not say, or says it in a form that is no subject.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.mapping.subject.find(&self.claims)?.as_str().filter(|subject| !subject.is_empty())
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &TokenClaims {
        &self.claims
    }
}
