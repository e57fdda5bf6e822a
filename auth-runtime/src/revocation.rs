//! Tokens that are taken back before they expire: by token, by session, by user.
//!
//! Never by the token's own bytes: an ECDSA signature has a second encoding that verifies too, so a token has more
//! than one spelling.

mod memory;

use std::fmt;
use std::pin::Pin;
use std::time::SystemTime;

pub use self::memory::MemoryRevocations;
use crate::verify::VerifiedToken;

/// What is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// One token: `iss` and `jti`.
    Token {
        /// The issuer of the token.
        issuer: String,
        /// The id of the token.
        token_id: String,
    },
    /// All tokens of one log-in: `iss` and `sid`.
    Session {
        /// The issuer of the tokens.
        issuer: String,
        /// The id of the session.
        session_id: String,
    },
    /// All tokens of one user (`iss` and `sub`) whose `iat` is this time or earlier, in whole seconds: a token of
    /// the same second is revoked too.
    User {
        /// The issuer of the tokens.
        issuer: String,
        /// The subject of the tokens.
        subject: String,
        /// The time up to which tokens are revoked.
        issued_at_or_before: SystemTime,
    },
}

/// Answers, without waiting, whether a token was revoked. Asked on every request.
pub trait RevocationView: fmt::Debug + Send + Sync + 'static {
    /// Whether `token` was revoked, as known at `now`.
    ///
    /// # Errors
    /// [`RevocationsUnavailable`] if it cannot be told; the request is then answered 503.
    fn is_revoked(&self, token: &TokenIdentity<'_>, now: SystemTime) -> Result<bool, RevocationsUnavailable>;

    /// Revokes. When the future is done without an error, the revocation is in force here, and as lasting as the view is.
    ///
    /// `keep_until` is when the last token that it could concern has expired; the entry may go then.
    ///
    /// # Errors
    /// [`RevocationsUnavailable`] if it could not be recorded: then nothing was revoked.
    fn revoke(&self, revocation: Revocation, keep_until: SystemTime, now: SystemTime) -> RevokeFuture<'_>;
}

/// A revocation that is being recorded.
pub type RevokeFuture<'a> = Pin<Box<dyn Future<Output = Result<(), RevocationsUnavailable>> + Send + 'a>>;

/// What identifies a token, its session and its user.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenIdentity<'a> {
    /// `iss`; empty where the token has none.
    pub issuer: &'a str,
    /// The subject, from where the issuer's mapping says it stands.
    pub subject: &'a str,
    /// `jti`.
    pub token_id: Option<&'a str>,
    /// `sid`.
    pub session_id: Option<&'a str>,
    /// `iat`, in whole seconds since the epoch.
    pub issued_at: Option<i64>,
}

impl<'a> TokenIdentity<'a> {
    /// `None` if the token does not say whom it is about.
    pub(crate) fn of(token: &'a VerifiedToken) -> Option<Self> {
        Some(Self {
            issuer: token.claims.issuer.as_deref().unwrap_or_default(),
            subject: token.subject()?,
            token_id: token.claims.token_id.as_deref(),
            session_id: token.claims.session_id.as_deref(),
            issued_at: token.claims.issued_at,
        })
    }
}

/// Whether a token is revoked can't be told, or a revocation could not be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationsUnavailable {
    reason: String,
}

impl RevocationsUnavailable {
    /// With a reason for the log.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

impl fmt::Display for RevocationsUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the revocations are unavailable: {}", self.reason)
    }
}

impl std::error::Error for RevocationsUnavailable {}

/// Why a principal's token, session or user could not be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeError {
    /// The token lacks the claim that it would be known by: `jti` for a token, `sid` for a session.
    NotIdentifiable(&'static str),
    /// The view could not record it.
    Unavailable(RevocationsUnavailable),
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIdentifiable(claim) => write!(
                f,
                "the token has no `{claim}`, so it can't be revoked by it: have its issuer put one in, or revoke the user"
            ),
            Self::Unavailable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RevokeError {}

impl From<RevocationsUnavailable> for RevokeError {
    fn from(error: RevocationsUnavailable) -> Self {
        Self::Unavailable(error)
    }
}
