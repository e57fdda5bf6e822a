//! Tokens that are taken back before they expire: by token, by session, by user.
//!
//! Never by the token's own bytes: an ECDSA signature has a second encoding that verifies too, so a token has more
//! than one spelling.

//!
//! | file | what |
//! |---|---|
//! | `view` | what is revoked, in memory: what every request asks |
//! | `follow` | keeps the view in step with a store's log |
//! | `readiness` | a handler that tells whether it is |

mod follow;
mod readiness;
mod view;

use std::fmt;
use std::time::SystemTime;

pub(crate) use self::follow::RevocationState;
pub use self::follow::RevocationStatus;
pub use self::readiness::readiness;
pub(crate) use self::view::RevocationView;
use crate::principal::Principal;
use crate::store::StoreError;
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
    /// All tokens of one login: `iss` and `sid`.
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

impl Revocation {
    /// All tokens of `principal`'s user that were issued up to now: this one in any case, also if its issuer's clock is
    /// ahead.
    pub(crate) fn of_user(principal: &Principal, now: SystemTime) -> Self {
        Self::User {
            issuer: principal.token_identity().issuer.to_owned(),
            subject: principal.subject().to_owned(),
            issued_at_or_before: now.max(principal.issued_at().unwrap_or(SystemTime::UNIX_EPOCH)),
        }
    }
}

/// What identifies a token, its session and its user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenIdentity<'a> {
    /// `iss`; empty where the token has none.
    pub(crate) issuer: &'a str,
    /// The subject, from where the issuer's mapping says it stands.
    pub(crate) subject: &'a str,
    /// `jti`.
    pub(crate) token_id: Option<&'a str>,
    /// `sid`.
    pub(crate) session_id: Option<&'a str>,
    /// `iat`, in whole seconds since the epoch.
    pub(crate) issued_at: Option<i64>,
}

impl<'a> TokenIdentity<'a> {
    pub(crate) fn of(token: &'a VerifiedToken, subject: &'a str) -> Self {
        Self {
            issuer: token.claims.issuer.as_deref().unwrap_or_default(),
            subject,
            token_id: token.claims.token_id.as_deref(),
            session_id: token.claims.session_id.as_deref(),
            issued_at: token.claims.issued_at,
        }
    }
}

/// Why a principal's token, session or user could not be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeError {
    /// The token lacks the claim that it would be known by: `jti` for a token, `sid` for a session.
    NotIdentifiable(&'static str),
    /// The store could not record it.
    Unavailable(StoreError),
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIdentifiable(claim) => write!(
                f,
                "the token has no `{claim}`, so it can't be revoked by it: have its issuer put one in, or revoke the user"
            ),
            Self::Unavailable(error) => write!(f, "the revocation could not be recorded: {error}"),
        }
    }
}

impl std::error::Error for RevokeError {}

impl From<StoreError> for RevokeError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}
