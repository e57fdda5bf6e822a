//! Rejections after the gate: of handlers, and of what else the application answers with.

use axum::http::Method;
use axum::response::{IntoResponse as _, Response};

use super::request_auth::{Decision, RequestAuth};
use crate::audit::{AuditAction, AuditEvent};
use crate::rejection::{KeptHead, Rejection, RejectionKind, merge};

/// The answer to a request that the application rejects, in place of the one that has the rejection's mark. It is reported, unless
/// that was done.
pub(crate) fn answer_after_gate(
    auth: &RequestAuth,
    rejection: Rejection,
    marked: Response,
    head: KeptHead,
) -> Response {
    let head = head.into_parts();
    let rejection = report(auth, rejection, &head.method);
    merge(marked, auth.render(rejection, &head).into_response(), &head.method)
}

/// Returns the rejection, which is another one if the audit hook panics.
fn report(auth: &RequestAuth, mut rejection: Rejection, method: &Method) -> Rejection {
    let Some(reason) = rejection.take_reason() else { return rejection };
    let decision = auth.decision();
    let event = decision.event(method).failed(rejection.kind(), &reason);
    let (is_provoked, is_of_data) = (rejection.is_provoked(), rejection.is_of_data());
    let event = AuditEvent { is_provoked, is_of_data, ..event };
    auth.set_rejection(rejection.kind());
    match auth.engine().responses.audit_log.report(&event) {
        Ok(()) => rejection,
        // Its message is in the log.
        Err(_) => Rejection::new(RejectionKind::Misconfigured),
    }
}

impl Decision {
    /// The event of what is decided after it.
    fn event<'a>(&'a self, method: &'a Method) -> AuditEvent<'a> {
        AuditEvent {
            client_address: self.client_address,
            method: Some(method),
            route: &self.route,
            handler: self.handler.map_or("[unknown]", |handler| handler.name),
            ..AuditEvent::new(AuditAction::Request).of(self.principal.as_ref())
        }
    }
}
