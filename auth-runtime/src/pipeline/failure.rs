//! A rejection with its reason, until the one place that renders and reports it.

use std::borrow::Cow;

use crate::policy::Remedy;
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind};

/// What is known of a credential that was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialState {
    /// It is valid, or may be at another time or for another request.
    Undetermined,
    /// It was valid, and has expired.
    Expired,
    /// It was valid, and was revoked.
    Revoked,
    /// It is invalid, and will stay so.
    Invalid,
}

/// A rejection with its reason.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(super) rejection: Rejection,
    /// For tracing and audit, never for the caller.
    pub(super) reason: Cow<'static, str>,
    /// The caller, once it is known.
    pub(super) principal: Option<Principal>,
    pub(super) credential: CredentialState,
}

impl Failure {
    pub(super) fn new(kind: RejectionKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            rejection: Rejection::new(kind),
            reason: reason.into(),
            principal: None,
            credential: CredentialState::Undetermined,
        }
    }

    pub(super) fn invalid_token(credential: CredentialState, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { credential, ..Self::new(RejectionKind::InvalidToken, reason) }
    }

    pub(super) fn denied(reason: String, remedy: Remedy, principal: &Principal) -> Self {
        Self {
            rejection: Rejection::denied(remedy),
            reason: reason.into(),
            principal: Some(principal.clone()),
            credential: CredentialState::Undetermined,
        }
    }

    pub(super) fn of(mut self, principal: &Principal) -> Self {
        self.principal = Some(principal.clone());
        self
    }
}
