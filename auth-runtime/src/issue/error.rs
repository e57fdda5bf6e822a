//! What can go wrong with giving tokens out.

use std::fmt;

use crate::jose::SignError;
use crate::store::StoreError;

/// Why no token was given out. Its text is for the log; the ready routes tell their caller an error code and no more.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The refresh token is not good: RFC 6749 §5.2 `invalid_grant`.
    Refused(RefreshError),
    /// The store, or what tells of the application's users, can't be reached.
    Unavailable(String),
    /// What the application wants in a token can't be put into one.
    Claims(String),
    /// The token could not be signed.
    Sign(SignError),
}

/// What is wrong with a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshError {
    /// It is no refresh token of this issuer.
    Forged,
    /// Its login has ended, or its time is over.
    Ended,
    /// It was used before, so it was stolen, or its successor was: the login has been ended, with all of its tokens.
    Reused,
    /// The application knows the user no more.
    SubjectGone,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => why.fmt(f),
            Self::Unavailable(why) => write!(f, "no token can be given out now: {why}"),
            Self::Claims(why) => write!(f, "the subject's claims can't be put into a token: {why}"),
            Self::Sign(error) => write!(f, "the token could not be signed: {error}"),
        }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forged => "this is no refresh token of this issuer's, or of a key that was taken away",
            Self::Ended => "the login of the refresh token has ended",
            Self::Reused => {
                "the refresh token was used before: it or its successor was stolen, and the login was ended"
            }
            Self::SubjectGone => "the application does not know the user of the refresh token any more",
        })
    }
}

impl std::error::Error for TokenError {}

impl std::error::Error for RefreshError {}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<SignError> for TokenError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

impl From<RefreshError> for TokenError {
    fn from(why: RefreshError) -> Self {
        Self::Refused(why)
    }
}

/// The engine gives out no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoTokenIssuer;

impl fmt::Display for NoTokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the engine gives out no tokens: call `.token_issuer(TokenIssuer::new(..))` on its builder",
        )
    }
}

impl std::error::Error for NoTokenIssuer {}
