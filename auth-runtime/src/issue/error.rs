//! Why no token was issued, refreshed or revoked.

use std::error::Error;
use std::fmt;

use axum::BoxError;

use super::header::why_reserved;
use super::session_data::SessionDataError;
use crate::jose::SignError;
use crate::rejection::{Rejection, RejectionKind};
use crate::source::CookieTooLarge;
use crate::store::StoreError;

/// Why no token was issued, refreshed or revoked. Its text includes that of its source, and is for the log: the ready
/// routes send an error code to their caller, and no more.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The refresh token is invalid: RFC 6749 §5.2 `invalid_grant`. The user must log in again.
    Refresh(RefreshError),
    /// The store failed. The same call may succeed later.
    Store(StoreError),
    /// The application's [`SubjectStore`](crate::session::SubjectStore) failed. The same call may succeed later.
    SubjectStore(BoxError),
    /// The clock has jumped ahead by more than a day. What is issued now would be dated in the future, and could not be revoked for
    /// as long as it would be valid. If the clock goes on to show such a time, it is believed after ten minutes.
    ClockAhead {
        /// How far it has jumped, in seconds.
        seconds: u64,
    },
    /// The claims that the application wants in a token are invalid.
    Claims(String),
    /// A field of the header that the application wants in a token can't be set: the library sets it, or no verifier may trust it. This is
    /// its name, which RFC 7515 §4.1 or an extension of it registers.
    ReservedHeader(String),
    /// Browsers would drop the cookie of a token. Nothing was recorded.
    CookieTooLarge(CookieTooLarge),
    /// The token could not be signed.
    Sign(SignError),
    /// What the new session would [keep](crate::session::Subject::session_value) is too much, or can't be written. Nothing was recorded.
    SessionData(SessionDataError),
    /// The caller's token is of no session of this issuer: it is of another issuer, or was issued without a session.
    NoSession,
    /// The text is no [`AllSessions::next`](crate::session::AllSessions::next): start again with the first page.
    InvalidCursor,
    /// The engine has no token issuer.
    NoTokenIssuer(NoTokenIssuer),
    /// The hook of [`AuthBuilder::audit`](crate::AuthBuilder::audit) panicked, with this message. What was asked for has happened or
    /// failed, as the log says; what has ended stays ended, and no tokens are returned.
    AuditHook(String),
}

impl TokenError {
    /// The kind of rejection that it is answered with; it has a [status](RejectionKind::status).
    #[must_use]
    pub fn rejection_kind(&self) -> RejectionKind {
        match self {
            Self::Refresh(_) => RejectionKind::InvalidGrant,
            Self::InvalidCursor => RejectionKind::InvalidRequest,
            Self::NoSession => RejectionKind::InsufficientScope,
            Self::SessionData(error) => error.rejection_kind(),
            _ if self.is_temporary() => RejectionKind::Unavailable,
            _ => RejectionKind::Misconfigured,
        }
    }

    /// Whether the same call may succeed later, so that 503 is the right answer (RFC 9110 §15.6.4).
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::SubjectStore(_)
                | Self::ClockAhead { .. }
                | Self::SessionData(SessionDataError::Store(_))
        )
    }
}

/// Why a refresh token is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshError {
    /// It is not a refresh token of this issuer.
    Forged,
    /// Its session has ended, or it has expired.
    Ended,
    /// It was used before, so it or its successor was stolen. The session was ended, with all of its tokens.
    Reused,
    /// The application does not know the user any more.
    SubjectGone,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refresh(error) => error.fmt(f),
            Self::Store(error) => write!(f, "the store of tokens and revocations failed: {error}"),
            Self::SubjectStore(error) => write!(f, "`SubjectStore::subject` failed: {error}"),
            Self::ClockAhead { seconds } => write!(
                f,
                "the clock has jumped ahead by {seconds} s, so no token is issued: correct the clock. If it is right, wait ten minutes, or \
                 restart the service"
            ),
            Self::Claims(why) => write!(f, "the claims of the token are invalid: {why}"),
            Self::ReservedHeader(name) => {
                write!(f, "the header field `{name}` of the token {}", why_reserved(name))
            }
            Self::CookieTooLarge(error) => error.fmt(f),
            Self::Sign(error) => write!(f, "the token could not be signed: {error}"),
            Self::SessionData(error) => error.fmt(f),
            Self::NoSession => f.write_str(
                "the caller's token is of no session of this issuer, so it has no other sessions: to end all sessions of a user, call \
                 `log_out_everywhere`",
            ),
            Self::InvalidCursor => f.write_str(
                "what the next page was asked for with is no `next` of a list of sessions: start again with the first page",
            ),
            Self::NoTokenIssuer(error) => error.fmt(f),
            Self::AuditHook(panic) => write!(f, "the audit hook {panic}"),
        }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forged => {
                "this is not a refresh token of this issuer, or it is of a key that the issuer does not have any more"
            }
            Self::Ended => "the session of the refresh token has ended",
            Self::Reused => {
                "the refresh token was used before, so it or its successor was stolen: the session was ended"
            }
            Self::SubjectGone => "the application does not know the user of the refresh token any more",
        })
    }
}

impl Error for TokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refresh(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::SubjectStore(error) => Some(&**error),
            Self::CookieTooLarge(error) => Some(error),
            Self::Sign(error) => Some(error),
            Self::SessionData(error) => Some(error),
            Self::NoTokenIssuer(error) => Some(error),
            Self::ClockAhead { .. }
            | Self::Claims(_)
            | Self::ReservedHeader(_)
            | Self::NoSession
            | Self::InvalidCursor
            | Self::AuditHook(_) => None,
        }
    }
}

impl Error for RefreshError {}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SessionDataError> for TokenError {
    fn from(error: SessionDataError) -> Self {
        Self::SessionData(error)
    }
}

impl From<CookieTooLarge> for TokenError {
    fn from(error: CookieTooLarge) -> Self {
        Self::CookieTooLarge(error)
    }
}

impl From<SignError> for TokenError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

impl From<RefreshError> for TokenError {
    fn from(error: RefreshError) -> Self {
        Self::Refresh(error)
    }
}

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<TokenError> for Rejection {
    fn from(error: TokenError) -> Self {
        Self::because(error.rejection_kind(), error.to_string())
    }
}

impl From<NoTokenIssuer> for TokenError {
    fn from(error: NoTokenIssuer) -> Self {
        Self::NoTokenIssuer(error)
    }
}

/// The engine has no token issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoTokenIssuer;

impl fmt::Display for NoTokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the engine issues no tokens: call `.token_issuer(TokenIssuer::new(..))` on its builder")
    }
}

impl Error for NoTokenIssuer {}

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<NoTokenIssuer> for Rejection {
    fn from(error: NoTokenIssuer) -> Self {
        TokenError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::{NoTokenIssuer, RefreshError, SessionDataError, TokenError};
    use crate::jose::{Algorithm, SignError, SigningKey};
    use crate::store::StoreError;

    fn sign_error() -> SignError {
        let claims = std::collections::BTreeMap::from([(vec![1], 1)]);
        SigningKey::generate(Algorithm::EdDSA).unwrap().sign(&claims).unwrap_err()
    }

    #[test]
    fn the_cause_is_the_source_and_in_the_text() {
        let errors: [(TokenError, bool); 6] = [
            (StoreError::new("the disk is full").into(), true),
            (TokenError::SubjectStore("the database is down".into()), true),
            (sign_error().into(), false),
            (RefreshError::Ended.into(), false),
            (SessionDataError::TooLarge { bytes: 2, max: 1 }.into(), false),
            (NoTokenIssuer.into(), false),
        ];
        for (error, temporary) in errors {
            let source = error.source().unwrap();
            assert!(error.to_string().ends_with(&source.to_string()), "{error}");
            assert_eq!(error.is_temporary(), temporary, "{error}");
        }
        let store = TokenError::from(StoreError::new("the disk is full"));
        assert!(store.source().unwrap().is::<StoreError>());
    }

    #[test]
    fn an_error_without_a_cause_says_what_to_do() {
        let ahead = TokenError::ClockAhead { seconds: 90_000 };
        assert!(ahead.source().is_none() && ahead.is_temporary());
        let text = ahead.to_string();
        assert!(text.contains("90000 s") && text.contains("correct the clock"), "{text}");
    }

    #[test]
    fn a_key_that_cannot_be_read_keeps_its_cause() {
        let error = SigningKey::pem(Algorithm::ES256, b"no PEM").unwrap_err();
        assert!(error.source().is_some(), "{error}");
        assert!(sign_error().source().unwrap().is::<serde_json::Error>());
        assert!(SigningKey::pem(Algorithm::HS256, b"").unwrap_err().source().is_none());
    }
}
