//! A rejection with its reason, until the one place that renders and reports it.

use std::borrow::Cow;

use crate::catch_panic::Panic;
use crate::engine::is_access_cookie;
use crate::policy::Remedy;
use crate::rejection::{CallerError, CallerErrorKind, Rejection, RejectionKind};
use crate::source::{CredentialLocation, CredentialSource, is_for_one_host};

/// What is known of a credential that was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialState {
    /// It is valid, or was not judged.
    Undetermined,
    /// Its authenticator was not called, because a middleware did not ask for it.
    NotJudged,
    /// It can't be judged without waiting, and that is not done here.
    NeedsToWait,
    /// It is invalid now, and may be valid later.
    NotYetValid,
    /// It is invalid, and will stay so: it has expired, was revoked, or can't be read or verified here.
    Invalid,
}

/// Why a caller is not accepted, in a request.
impl From<CallerError> for Failure {
    fn from(error: CallerError) -> Self {
        let credential = match error.kind() {
            CallerErrorKind::NotYetValid => CredentialState::NotYetValid,
            CallerErrorKind::Invalid | CallerErrorKind::Expired | CallerErrorKind::Revoked => {
                CredentialState::Invalid
            }
            CallerErrorKind::Denied | CallerErrorKind::Unavailable | CallerErrorKind::Misconfigured => {
                CredentialState::Undetermined
            }
        };
        let (rejection, reason) = error.into_rejection();
        Self { rejection, reason, credential }
    }
}

/// A rejection with its reason.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(super) rejection: Rejection,
    /// For tracing and audit, never for the caller.
    pub(super) reason: Cow<'static, str>,
    pub(super) credential: CredentialState,
}

impl Failure {
    pub(super) fn new(kind: RejectionKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            rejection: Rejection::new(kind),
            reason: reason.into(),
            credential: CredentialState::Undetermined,
        }
    }

    pub(super) fn invalid_token(credential: CredentialState, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { credential, ..Self::new(RejectionKind::InvalidToken, reason) }
    }

    /// The authenticator of this source is not among those that may be called. It never reaches a caller.
    pub(super) fn not_judged(source: &dyn CredentialSource) -> Self {
        let reason = source.name().to_owned();
        Self { credential: CredentialState::NotJudged, ..Self::new(RejectionKind::Misconfigured, reason) }
    }

    /// The pipeline must wait for something, and may not. It never reaches a caller.
    pub(super) fn needs_to_wait() -> Self {
        let reason = "something must be waited for";
        Self { credential: CredentialState::NeedsToWait, ..Self::new(RejectionKind::Misconfigured, reason) }
    }

    pub(super) fn is_of_waiting(&self) -> bool {
        self.credential == CredentialState::NeedsToWait
    }

    /// Code of the application's answered with a rejection, in the place that `by` names.
    pub(super) fn of_application(mut rejection: Rejection, by: String) -> Self {
        let reason = rejection.take_reason().map_or(by.clone(), |reason| format!("{by}: {reason}"));
        Self { rejection, reason: reason.into(), credential: CredentialState::Undetermined }
    }

    /// The credential of this source was sent more than once. The caller learns which one it is: its owner can't see it.
    pub(super) fn repeated(source: &dyn CredentialSource) -> Self {
        let what = match source.location() {
            Some(CredentialLocation::Cookie { name }) => format!("the cookie `{name}`"),
            Some(CredentialLocation::Header { name, .. }) => format!("the header `{name}`"),
            Some(CredentialLocation::Query { name }) => format!("the query parameter `{name}`"),
            None => format!("the credential of source `{}`", source.name()),
        };
        let detail = format!("{what} was sent more than once");
        let reason = match source.location() {
            Some(CredentialLocation::Cookie { name }) if !is_for_one_host(name) => {
                let remedy = if is_access_cookie(source) {
                    " in `CookieOptions::name`, or name that domain in `CookieOptions::clear_domains`"
                } else {
                    ""
                };
                format!(
                    "{detail}: the browser has another one of this name, of a parent domain or for another path. Give the cookie a name \
                     with `__Host-`{remedy}"
                )
            }
            _ => detail.clone(),
        };
        let rejection = Rejection::new(RejectionKind::InvalidRequest).with_detail(detail);
        Self { rejection, ..Self::new(RejectionKind::InvalidRequest, reason) }
    }

    /// Code of the application's panicked: the check of this name or an extractor of it; with `None` what is called before.
    pub(super) fn panicked(check: Option<&str>, panic: &Panic) -> Self {
        let reason = match check {
            Some(name) => format!("the check {name}, or an extractor of it, {panic}"),
            None => format!(
                "the application's code that finds the caller (a source, an authenticator, the clock, the `UserStore`, or for a \
                 renewal the store or `SubjectStore::subject`) {panic}"
            ),
        };
        Self::new(RejectionKind::Misconfigured, reason)
    }

    pub(super) fn denied(reason: String, remedy: Remedy) -> Self {
        Self {
            rejection: Rejection::denied(remedy),
            reason: reason.into(),
            credential: CredentialState::Undetermined,
        }
    }
}
