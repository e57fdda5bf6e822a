//! A refusal with its reason, on its way to the one place that renders and reports it.

use std::borrow::Cow;

use crate::policy::Remedy;
use crate::principal::Principal;
use crate::rejection::{Refusal, RejectionKind};

/// What has become of a credential that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is good, or may be at another time or for another request.
    Open,
    /// It was good, and has expired.
    Expired,
    /// It was good, and was revoked.
    Revoked,
    /// It will never be good, as things stand.
    Bad,
}

#[derive(Debug)]
pub(crate) struct Refused {
    pub(super) refusal: Refusal,
    /// For tracing and audit, never for the caller.
    pub(super) reason: Cow<'static, str>,
    /// Who, once that is known.
    pub(super) principal: Option<Principal>,
    /// What has become of the credential.
    pub(super) fate: Fate,
}

impl Refused {
    pub(super) fn new(code: RejectionKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { refusal: Refusal::new(code), reason: reason.into(), principal: None, fate: Fate::Open }
    }

    pub(super) fn invalid_token(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RejectionKind::InvalidToken, reason)
    }

    pub(super) fn denied(reason: String, remedy: Remedy, principal: &Principal) -> Self {
        Self {
            refusal: Refusal::denied(remedy),
            reason: reason.into(),
            principal: Some(principal.clone()),
            fate: Fate::Open,
        }
    }

    pub(super) fn with_fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }

    pub(super) fn of(mut self, principal: &Principal) -> Self {
        self.principal = Some(principal.clone());
        self
    }
}
