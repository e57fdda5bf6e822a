//! Why a revocation was not recorded.

use std::fmt;

use crate::store::StoreError;

/// Why a principal's token, session or user could not be revoked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RevokeError {
    /// The token lacks the claim that it would be known by: `jti` for a token, `sid` for a session.
    NotIdentifiable(&'static str),
    /// The caller is of the [authenticator](mod@crate::authenticator) of this name, whose credentials are not tokens: their lifetime is not
    /// the engine's, so an entry that expires can't end them. End the credential where the authenticator looks it up.
    NotAToken(String),
    /// The store could not record it.
    Unavailable(StoreError),
    /// The hook of [`AuthBuilder::audit`](crate::AuthBuilder::audit) panicked, with this message. It is revoked all the same.
    AuditHook(String),
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIdentifiable(claim) => write!(
                f,
                "the token has no `{claim}`, so it can't be revoked by it: have its issuer add the claim, or revoke the user"
            ),
            Self::NotAToken(scheme) => write!(
                f,
                "the credentials of the authenticator `{scheme}` are not tokens, so they can't be revoked: end the credential where the \
                 authenticator looks it up, and call `Revocations::forget`, so that no instance remembers it"
            ),
            Self::Unavailable(error) => write!(f, "the revocation was not recorded: {error}"),
            Self::AuditHook(panic) => write!(f, "the revocation was recorded, and the audit hook {panic}"),
        }
    }
}

impl std::error::Error for RevokeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotIdentifiable(_) | Self::NotAToken(_) | Self::AuditHook(_) => None,
            Self::Unavailable(error) => Some(error),
        }
    }
}

impl From<StoreError> for RevokeError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}
