//! A refusal with its reason, on its way to the one place that renders and reports it.

use std::borrow::Cow;

use crate::policy::Denial;
use crate::principal::Principal;
use crate::rejection::{Refusal, RefusalCode};

#[derive(Debug)]
pub(crate) struct Refused {
    pub(super) refusal: Refusal,
    /// For tracing and audit, never for the caller.
    pub(super) reason: Cow<'static, str>,
    /// Who, once that is known.
    pub(super) principal: Option<Principal>,
    /// The credential was good once: it expired or was revoked.
    pub(super) lapsed: bool,
    /// It expired, and nothing else.
    pub(super) expired: bool,
}

impl Refused {
    pub(super) fn new(code: RefusalCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            refusal: Refusal::new(code),
            reason: reason.into(),
            principal: None,
            lapsed: false,
            expired: false,
        }
    }

    pub(super) fn invalid_token(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RefusalCode::InvalidToken, reason)
    }

    pub(super) fn denied(denial: &Denial, principal: &Principal) -> Self {
        Self {
            refusal: Refusal::denied(denial),
            reason: denial.reason().to_owned().into(),
            principal: Some(principal.clone()),
            lapsed: false,
            expired: false,
        }
    }

    pub(super) fn expired(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { expired: true, ..Self::invalid_token(reason).lapsed() }
    }

    pub(super) fn lapsed(mut self) -> Self {
        self.lapsed = true;
        self
    }

    pub(super) fn of(mut self, principal: &Principal) -> Self {
        self.principal = Some(principal.clone());
        self
    }
}
