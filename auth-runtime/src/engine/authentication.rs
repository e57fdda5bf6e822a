//! How callers are found: where credentials are, which pages may use them, and how they are verified.

use std::sync::Arc;

use super::{Sources, TokenCache};
use crate::origin::OriginPolicy;
use crate::verify::{JwtVerifier, Limits, Verifier};

/// How callers are found.
#[derive(Debug)]
pub(crate) struct Authentication {
    pub(crate) sources: Sources,
    pub(crate) origins: OriginPolicy,
    pub(crate) verifier: TokenVerifier,
    /// Bounds on the times in a token.
    pub(crate) limits: Limits,
    pub(crate) token_cache: TokenCache,
    /// Whether a request may bring its principal along: only for an engine that `TestAuth` made.
    #[cfg(feature = "test-util")]
    pub(crate) accepts_injected_principals: bool,
}

/// The engine's own verifier, or one of the application's.
#[derive(Clone, Debug)]
pub(crate) enum TokenVerifier {
    Jwt(Arc<JwtVerifier>),
    Own(Arc<dyn Verifier>),
}

impl TokenVerifier {
    pub(crate) fn get(&self) -> &dyn Verifier {
        match self {
            Self::Jwt(jwt) => &**jwt,
            Self::Own(own) => &**own,
        }
    }

    /// Whether a verifier of the application's own decides which texts are tokens.
    #[cfg(feature = "openapi")]
    pub(crate) fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}
