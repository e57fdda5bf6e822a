//! Why a caller is not accepted outside of a request.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

use super::{Rejection, RejectionKind};
use crate::policy::Remedy;

/// Why a credential or a caller is not accepted outside of a request: the error of [`Auth::verify`](crate::Auth::verify) and
/// [`Auth::require`](crate::Auth::require).
///
/// Its text is the reason, for logs. Do not send it to the caller: answer by the [kind](Self::kind) alone. The credential is not in it.
///
/// | kind | HTTP | gRPC |
/// |---|---|---|
/// | `Invalid`, `NotYetValid`, `Expired`, `Revoked` | 401 | `UNAUTHENTICATED` |
/// | `Denied` | 403; 401 if a newer or stronger login helps (RFC 9470 §3) | `PERMISSION_DENIED` |
/// | `Unavailable` | 503 | `UNAVAILABLE` |
/// | `Misconfigured` | 500 | `INTERNAL` |
///
/// In a handler or an extractor, `?` makes a [`Rejection`] of it.
#[derive(Clone, Debug)]
pub struct CallerError {
    kind: CallerErrorKind,
    reason: Cow<'static, str>,
    remedy: Remedy,
    /// What an authenticator rejected the caller with; `None`: it follows from the kind.
    answered_as: Option<RejectionKind>,
    /// In how many seconds it may be decided; `None`: that is not known.
    retry_after: Option<NonZeroU16>,
    /// Whether the keys of its issuer, as they are known here, are why a token is not accepted.
    is_of_unknown_key: bool,
    /// Whether everyone can cause it, with a credential that is made up.
    is_provoked: bool,
}

/// The kind of a [`CallerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallerErrorKind {
    /// The credential is none of a caller that is known here, and will never be one.
    Invalid,
    /// The credential is of a time that has not come: its `nbf` or `iat` is in the future.
    NotYetValid,
    /// The credential has expired.
    Expired,
    /// The credential, its session, its user or its issuer was revoked, or the key that verified it was withdrawn.
    Revoked,
    /// The caller does not satisfy the rule.
    Denied,
    /// It can't be decided now: what is needed for it is out of reach. Try again later.
    Unavailable,
    /// The service is misconfigured, or code of the application's panicked.
    Misconfigured,
}

impl CallerError {
    pub(crate) fn new(kind: CallerErrorKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            remedy: Remedy::None,
            answered_as: None,
            retry_after: None,
            is_of_unknown_key: false,
            is_provoked: false,
        }
    }

    /// Of what may be decided in this time.
    pub(crate) fn retry_after(self, time: Duration) -> Self {
        let seconds = u16::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u16::MAX);
        Self { retry_after: NonZeroU16::new(seconds.max(1)), ..self }
    }

    /// Everyone can cause it, with a credential that is made up: it is no error of the service, and what causes it says so itself, at most
    /// every few seconds.
    pub(crate) fn provoked(self) -> Self {
        Self { is_provoked: true, ..self }
    }

    /// Whether everyone can cause it.
    #[cfg(feature = "provider-logout")]
    pub(crate) fn is_provoked(&self) -> bool {
        self.is_provoked
    }

    /// In how many seconds it may be decided; `None`: that is not known.
    #[cfg(feature = "provider-logout")]
    pub(crate) fn seconds_to_wait(&self) -> Option<u16> {
        self.retry_after.map(NonZeroU16::get)
    }

    /// Of a token whose signature no key verifies that is known here.
    pub(crate) fn of_unknown_key(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { is_of_unknown_key: true, ..Self::new(CallerErrorKind::Invalid, reason) }
    }

    pub(crate) fn is_of_unknown_key(&self) -> bool {
        self.is_of_unknown_key
    }

    /// Of a caller that does not satisfy a rule.
    pub(crate) fn denied(reason: String, remedy: Remedy) -> Self {
        Self { remedy, ..Self::new(CallerErrorKind::Denied, reason) }
    }

    /// An authenticator rejected the caller, as code of the application's may.
    pub(crate) fn of_authenticator(kind: RejectionKind, reason: impl Into<Cow<'static, str>>) -> Self {
        let of = match kind {
            RejectionKind::Unauthenticated | RejectionKind::InvalidToken => CallerErrorKind::Invalid,
            RejectionKind::Unavailable => CallerErrorKind::Unavailable,
            RejectionKind::Misconfigured => CallerErrorKind::Misconfigured,
            _ => CallerErrorKind::Denied,
        };
        Self { answered_as: Some(kind), ..Self::new(of, reason) }
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> CallerErrorKind {
        self.kind
    }

    /// What the caller could do about a denial, as far as a protocol has words for it.
    #[must_use]
    pub fn remedy(&self) -> &Remedy {
        &self.remedy
    }

    /// The kind of rejection with which a gate answers for the same reason; it has a [status](RejectionKind::status).
    #[must_use]
    pub fn rejection_kind(&self) -> RejectionKind {
        if let Some(kind) = self.answered_as {
            return kind;
        }
        match self.kind {
            CallerErrorKind::Invalid
            | CallerErrorKind::NotYetValid
            | CallerErrorKind::Expired
            | CallerErrorKind::Revoked => RejectionKind::InvalidToken,
            CallerErrorKind::Denied => RejectionKind::of_denial(&self.remedy),
            CallerErrorKind::Unavailable => RejectionKind::Unavailable,
            CallerErrorKind::Misconfigured => RejectionKind::Misconfigured,
        }
    }

    /// The rejection that tracing and audit have yet to be informed of, and its reason for them.
    pub(crate) fn into_rejection(self) -> (Rejection, Cow<'static, str>) {
        let mut rejection = Rejection::new(self.rejection_kind());
        rejection.cause.remedy = self.remedy;
        rejection.cause.retry_after = self.retry_after;
        rejection.cause.is_provoked = self.is_provoked;
        (rejection, self.reason)
    }
}

impl fmt::Display for CallerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for CallerError {}

/// The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<CallerError> for Rejection {
    fn from(error: CallerError) -> Self {
        let (mut rejection, reason) = error.into_rejection();
        rejection.cause.reason = Some(reason.into());
        rejection
    }
}
