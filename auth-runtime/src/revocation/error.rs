//! Why a revocation was not recorded, and why none were listed.

use std::fmt;

use crate::rejection::{Rejection, RejectionKind};
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
    /// The hook of [`AuthBuilder::audit`](crate::AuthBuilder::audit) panicked, with this message. It is revoked all the same: another
    /// attempt finds it revoked, returns `Ok(false)`, and is not reported to the hook.
    AuditHook(String),
}

/// Why revocations could not be listed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RevocationListError {
    /// The engine has no store, so its revocations are in memory, as hashes.
    NoStore,
    /// The text is no [`RevocationList::next`](super::RevocationList::next), or the log does not have that position any more, because the
    /// entry there has expired or the store was set back. Start again with the first page.
    InvalidCursor,
    /// The store's log can't be read. The same call may succeed later.
    Unavailable(StoreError),
}

impl fmt::Display for RevocationListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStore => f.write_str(
                "the engine has no store, so it has no list of revocations: give the builder one (`.store(..)`), for tests a `MemoryStore`",
            ),
            Self::InvalidCursor => f.write_str(
                "what the next page was asked for with is no `next` of a list of revocations, or the log does not have that position any \
                 more: start again with the first page",
            ),
            Self::Unavailable(error) => write!(f, "the log of revocations can't be read: {error}"),
        }
    }
}

impl std::error::Error for RevocationListError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoStore | Self::InvalidCursor => None,
            Self::Unavailable(error) => Some(error),
        }
    }
}

impl From<StoreError> for RevocationListError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
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

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<RevokeError> for Rejection {
    fn from(error: RevokeError) -> Self {
        let kind = match error {
            RevokeError::Unavailable(_) => RejectionKind::Unavailable,
            // The caller came with another credential than can be revoked so.
            RevokeError::NotIdentifiable(_) | RevokeError::NotAToken(_) => RejectionKind::InsufficientScope,
            RevokeError::AuditHook(_) => RejectionKind::Misconfigured,
        };
        Self::because(kind, error.to_string())
    }
}

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<RevocationListError> for Rejection {
    fn from(error: RevocationListError) -> Self {
        let kind = match error {
            RevocationListError::Unavailable(_) => RejectionKind::Unavailable,
            RevocationListError::InvalidCursor => RejectionKind::InvalidRequest,
            RevocationListError::NoStore => RejectionKind::Misconfigured,
        };
        Self::because(kind, error.to_string())
    }
}
