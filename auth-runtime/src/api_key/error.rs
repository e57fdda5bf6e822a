//! Why nothing was done to a key.

use std::error::Error;
use std::fmt;

use crate::jose::SignError;
use crate::rejection::{Rejection, RejectionKind};
use crate::store::StoreError;

/// Why a key was not made, listed, rotated or revoked. Its text is for the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The owner, the options or the prefix can't be those of a key, for this reason.
    Invalid(String),
    /// There is no such key, or it has expired or was revoked.
    NotFound,
    /// The key is in the configuration of the service: remove it there.
    Static,
    /// The key was rotated or revoked at the same time: look at the list, and ask again.
    Changed,
    /// The store failed. The same call may succeed later.
    Store(StoreError),
    /// The system has no random numbers.
    Random(SignError),
    /// The hook of [`AuthBuilder::audit`](crate::AuthBuilder::audit) panicked, with this message. What was asked for has happened or
    /// failed, as the log says. The text of a new key is not returned: revoke the key.
    AuditHook(String),
}

impl ApiKeyError {
    /// Whether the same call may succeed later, so that 503 is the right answer (RFC 9110 §15.6.4).
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Changed | Self::Store(_))
    }

    /// The kind of rejection that it is answered with; it has a [status](RejectionKind::status).
    #[must_use]
    pub fn rejection_kind(&self) -> RejectionKind {
        match self {
            Self::Invalid(_) => RejectionKind::InvalidRequest,
            Self::NotFound => RejectionKind::Hidden,
            Self::Static => RejectionKind::InsufficientScope,
            Self::Changed | Self::Store(_) => RejectionKind::Unavailable,
            Self::Random(_) | Self::AuditHook(_) => RejectionKind::Misconfigured,
        }
    }
}

impl fmt::Display for ApiKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) => write!(f, "the API key can't be made: {why}"),
            Self::NotFound => f.write_str("there is no such API key, or it has expired or was revoked"),
            Self::Static => f.write_str(
                "the API key is in the configuration of the service: remove it from `ApiKeys::static_key`",
            ),
            Self::Changed => f.write_str(
                "the API key was rotated or revoked at the same time: look at the list, and ask again",
            ),
            Self::Store(error) => write!(f, "the store of API keys and revocations failed: {error}"),
            Self::Random(error) => write!(f, "the API key can't be made: {error}"),
            Self::AuditHook(panic) => write!(f, "the audit hook {panic}"),
        }
    }
}

impl Error for ApiKeyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Random(error) => Some(error),
            Self::Invalid(_) | Self::NotFound | Self::Static | Self::Changed | Self::AuditHook(_) => None,
        }
    }
}

impl From<StoreError> for ApiKeyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SignError> for ApiKeyError {
    fn from(error: SignError) -> Self {
        Self::Random(error)
    }
}

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<ApiKeyError> for Rejection {
    fn from(error: ApiKeyError) -> Self {
        Self::because(error.rejection_kind(), error.to_string())
    }
}

/// The engine has no API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoApiKeys;

impl fmt::Display for NoApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the engine has no API keys: call `.api_keys(ApiKeys::in_header(..))` on its builder")
    }
}

impl Error for NoApiKeys {}

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<NoApiKeys> for Rejection {
    fn from(error: NoApiKeys) -> Self {
        Self::because(RejectionKind::Misconfigured, error.to_string())
    }
}
