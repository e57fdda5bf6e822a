//! Why a text ended nothing: what is answered, and what the log and the audit hook learn.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::answer;
use crate::audit::{AuditAction, AuditEvent};
use crate::catch_panic::catch_panic_of;
use crate::engine::Engine;
use crate::rejection::{CallerError, RejectionKind};
use crate::store::StoreError;

/// How often the log and the audit hook learn the same of a text that was signed by whom it names.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// Why a text ended nothing.
pub(super) enum Failure {
    /// It is not accepted, or can't be applied now.
    Refused(Box<Refused>),
    /// The service is misconfigured, or code of the application's panicked.
    Misconfigured(String),
}

/// A text that is refused.
pub(super) struct Refused {
    kind: RejectionKind,
    reason: Cow<'static, str>,
    response: Response,
    /// Who has signed it, if the signature was verified: then it is an error of one of the two sides, and no stranger's text.
    signer: Option<String>,
    /// Whether everyone can cause it.
    is_provoked: bool,
}

impl Failure {
    pub(super) fn new(
        kind: RejectionKind,
        reason: impl Into<Cow<'static, str>>,
        response: Response,
        signer: Option<String>,
    ) -> Self {
        let reason = reason.into();
        Self::Refused(Box::new(Refused { kind, reason, response, signer, is_provoked: false }))
    }

    /// It can't be recorded now.
    pub(super) fn unavailable(error: &StoreError) -> Self {
        Self::new(RejectionKind::Unavailable, error.to_string(), answer::unavailable(None), None)
    }

    /// So much is read at the same time that it is not read now. Everyone can cause that.
    pub(super) fn crowded(reason: &'static str) -> Self {
        let response = answer::unavailable(None);
        let (kind, reason) = (RejectionKind::Unavailable, reason.into());
        Self::Refused(Box::new(Refused { kind, reason, response, signer: None, is_provoked: true }))
    }

    /// It can't be verified now.
    pub(super) fn undecided(error: &CallerError) -> Self {
        Self::Refused(Box::new(Refused {
            kind: RejectionKind::Unavailable,
            reason: error.to_string().into(),
            response: answer::unavailable(error.seconds_to_wait()),
            signer: None,
            is_provoked: error.is_provoked(),
        }))
    }
}

/// Applies a text, and answers. `what` is what was received.
pub(super) async fn answer(
    engine: &Arc<Engine>,
    head: &Parts,
    what: &'static str,
    accepted: StatusCode,
    applied: impl Future<Output = Result<(), Failure>>,
) -> Response {
    let applied = catch_panic_of(applied).await;
    let refused = match applied.unwrap_or_else(|panic| Err(Failure::Misconfigured(panic.to_string()))) {
        Ok(()) => return answer::status(accepted),
        Err(Failure::Refused(refused)) => *refused,
        Err(Failure::Misconfigured(reason)) => {
            tracing::error!(reason, "auth: the answer to {what} is 500");
            return answer::status(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    let Refused { kind, reason, response, signer, is_provoked } = refused;
    let event = AuditEvent {
        issuer: signer.as_deref(),
        client_address: engine.client_address(head),
        is_provoked,
        ..AuditEvent::new(AuditAction::ProviderLogout).failed(kind, &reason)
    };
    let log = &engine.responses.audit_log;
    let reported = match &signer {
        Some(signer) => {
            let said = format!("{signer} {reason}");
            match engine.transmitters.inapplicable.note(&said, engine.age_time(), SAID_EVERY) {
                Some(count) => {
                    tracing::warn!(signer, count, %reason, "auth: {what} was not applied, though its signature is valid");
                    log.call_hook(&event)
                }
                None => Ok(()),
            }
        }
        None => log.report(&event),
    };
    if reported.is_ok() { response } else { answer::status(StatusCode::INTERNAL_SERVER_ERROR) }
}
