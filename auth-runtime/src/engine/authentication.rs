//! How callers are found: where credentials are, which pages may use them, and how they are verified.

use std::sync::Arc;

#[cfg(feature = "introspection")]
use super::IntrospectedTokens;
use super::{Sources, TokenCache};
use crate::origin::OriginPolicy;
use crate::verify::{IssuerProfile, JwtVerifier, Limits};

/// How callers are found.
#[derive(Debug)]
pub(crate) struct Authentication {
    pub(crate) sources: Sources,
    pub(crate) origins: OriginPolicy,
    /// Of the tokens of the issuers; it has none where every caller is found by an authenticator.
    pub(crate) jwt: Arc<JwtVerifier>,
    /// Of each of those issuers, the engine's own among them.
    pub(crate) issuers: Vec<IssuerProfile>,
    /// Bounds on the times in a token.
    pub(crate) limits: Limits,
    pub(crate) token_cache: TokenCache,
    /// `None`: no issuer is asked about its tokens.
    #[cfg(feature = "introspection")]
    pub(crate) introspected: Option<Arc<IntrospectedTokens>>,
    /// Whether a request may bring its principal along: only for an engine that `TestAuth` made.
    #[cfg(feature = "test-util")]
    pub(crate) accepts_injected_principals: bool,
}
