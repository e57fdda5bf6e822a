//! Why a security event token counts for nothing.

use std::borrow::Cow;

use crate::verify::VerifyError;

/// Why a security event token counts for nothing: the code for its transmitter, and the reason for the log.
#[derive(Debug)]
pub(crate) struct EventError {
    pub(crate) code: EventErrorCode,
    pub(crate) reason: Cow<'static, str>,
    /// Whether the signature of a transmitter was verified before: then it is an error of one of the two sides, and no stranger's text.
    pub(crate) is_genuine: bool,
}

/// The error codes of RFC 8935 §2.4, and that of the Shared Signals Framework 1.0 §8.1.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventErrorCode {
    InvalidRequest,
    InvalidKey,
    InvalidIssuer,
    InvalidAudience,
    AuthenticationFailed,
    AccessDenied,
    InvalidState,
}

impl EventErrorCode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidKey => "invalid_key",
            Self::InvalidIssuer => "invalid_issuer",
            Self::InvalidAudience => "invalid_audience",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AccessDenied => "access_denied",
            Self::InvalidState => "invalid_state",
        }
    }

    /// What the transmitter is answered, in English. It says no more than the code: everyone can send a text.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest => {
                "The body is not a security event token whose events can be applied here."
            }
            Self::InvalidKey => "The signature is not by a key that is accepted for this issuer.",
            Self::InvalidIssuer => "Security event tokens of this issuer are not accepted.",
            Self::InvalidAudience => "The audience is not this receiver.",
            Self::AuthenticationFailed => "The transmitter is not authenticated.",
            Self::AccessDenied => "The transmitter may not send events about this subject.",
            Self::InvalidState => "The state is not one that this receiver has asked for.",
        }
    }
}

impl EventError {
    pub(crate) fn new(code: EventErrorCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into(), is_genuine: false }
    }

    pub(super) fn invalid(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(EventErrorCode::InvalidRequest, reason)
    }

    pub(super) fn genuine(self) -> Self {
        Self { is_genuine: true, ..self }
    }
}

impl From<VerifyError> for EventError {
    fn from(error: VerifyError) -> Self {
        let code = match &error {
            VerifyError::UntrustedIssuer(_) | VerifyError::MissingClaim("iss") => {
                EventErrorCode::InvalidIssuer
            }
            VerifyError::WrongAudience(_) | VerifyError::MissingClaim("aud") => {
                EventErrorCode::InvalidAudience
            }
            VerifyError::AlgorithmNotAllowed
            | VerifyError::UnknownKey
            | VerifyError::BadSignature
            | VerifyError::TooManyKeys => EventErrorCode::InvalidKey,
            _ => EventErrorCode::InvalidRequest,
        };
        Self::new(code, error.to_string())
    }
}
