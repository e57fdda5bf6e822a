//! Errors of issuing, refreshing and revoking tokens.

use std::error::Error;
use std::fmt;

use axum::BoxError;

use crate::jose::SignError;
use crate::store::StoreError;

/// Why a token could not be issued, refreshed or revoked. Its text is for the log; the ready routes send their caller an error code
/// alone.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The refresh token is invalid: `invalid_grant` of RFC 6749 §5.2.
    InvalidRefreshToken(RefreshError),
    /// The store of refresh tokens and revocations failed.
    Store(StoreError),
    /// The application's [`SubjectStore`](super::SubjectStore) failed.
    SubjectStore(BoxError),
    /// This system's clock is behind: all tokens of the subject are revoked up to a time that is still to come.
    ClockBehind {
        /// The id of the subject.
        subject: String,
        /// How far that time is ahead of this system's clock, in seconds.
        seconds: i64,
    },
    /// A token can't hold what the application says about the subject. The text says what is wrong.
    Claims(String),
    /// The token could not be signed.
    Sign(SignError),
    /// The engine has no token issuer.
    NoTokenIssuer(NoTokenIssuer),
}

/// Why a refresh token is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshError {
    /// It is not a refresh token of this issuer.
    Forged,
    /// Its session has ended, or it has expired.
    Ended,
    /// It was used before, so it or its successor was stolen. The session was ended, with all of its tokens (RFC 9700 §4.14.2).
    Reused,
    /// The application no longer knows the user.
    SubjectGone,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRefreshToken(error) => error.fmt(f),
            Self::Store(error) => write!(f, "the store of tokens failed: {error}"),
            Self::SubjectStore(error) => write!(f, "`SubjectStore::subject` failed: {error}"),
            Self::ClockBehind { subject, seconds } => write!(
                f,
                "the tokens of `{subject}` are revoked up to a time that is {seconds} s ahead of this system's clock: synchronize the \
                 clocks of all systems"
            ),
            Self::Claims(reason) => write!(f, "a token can't hold the claims of the subject: {reason}"),
            Self::Sign(error) => write!(f, "the token could not be signed: {error}"),
            Self::NoTokenIssuer(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forged => {
                "it is not a refresh token of this issuer, or the key that it was made with was removed"
            }
            Self::Ended => "the session of the refresh token has ended",
            Self::Reused => {
                "the refresh token was used before: it or its successor was stolen, so the session was ended"
            }
            Self::SubjectGone => "the application no longer knows the user of the refresh token",
        })
    }
}

impl Error for TokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidRefreshToken(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::SubjectStore(error) => Some(&**error),
            Self::Sign(error) => Some(error),
            Self::NoTokenIssuer(error) => Some(error),
            Self::ClockBehind { .. } | Self::Claims(_) => None,
        }
    }
}

impl Error for RefreshError {}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SignError> for TokenError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

impl From<RefreshError> for TokenError {
    fn from(error: RefreshError) -> Self {
        Self::InvalidRefreshToken(error)
    }
}

impl From<NoTokenIssuer> for TokenError {
    fn from(error: NoTokenIssuer) -> Self {
        Self::NoTokenIssuer(error)
    }
}

/// The engine has no token issuer, so it issues no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoTokenIssuer;

impl fmt::Display for NoTokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the engine issues no tokens: call `.token_issuer(TokenIssuer::new(..))` on its builder")
    }
}

impl Error for NoTokenIssuer {}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::{RefreshError, TokenError};
    use crate::store::StoreError;

    #[test]
    fn every_error_keeps_its_cause() {
        let store = TokenError::from(StoreError::new("the disk is full"));
        assert_eq!(store.source().unwrap().to_string(), "the disk is full");
        let application = TokenError::SubjectStore("no connection".into());
        assert_eq!(application.source().unwrap().to_string(), "no connection");
        let refresh = TokenError::from(RefreshError::Ended);
        assert!(refresh.source().unwrap().is::<RefreshError>());
    }
}
