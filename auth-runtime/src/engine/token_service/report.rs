//! What is reported of sessions: one line in the log, and one audit event.

use std::net::IpAddr;

use axum::http::request::Parts;

use super::TokenService;
use crate::audit::{AuditAction, AuditEvent};
use crate::issue::{IssuerState, TokenError, session_of_family};
use crate::principal::Principal;
use crate::store::RefreshTokenFamily;

/// What is known of a refresh, once it has succeeded or failed.
pub(super) struct RefreshFacts {
    pub(super) action: AuditAction,
    pub(super) subject: Option<String>,
    pub(super) session_id: Option<String>,
}

impl RefreshFacts {
    pub(super) fn unknown() -> Self {
        Self { action: AuditAction::Refresh, subject: None, session_id: None }
    }

    pub(super) fn event(&self) -> AuditEvent<'_> {
        AuditEvent {
            subject: self.subject.as_deref(),
            session_id: self.session_id.as_deref(),
            ..AuditEvent::new(self.action)
        }
    }
}

impl TokenService {
    /// Returns the service for a request of the client with this address, which audit events then have: see
    /// [`AuditEvent::client_address`](crate::audit::AuditEvent::client_address). The token routes do this themselves.
    ///
    /// ```
    /// use auth_runtime::ClientAddress;
    /// use auth_runtime::session::{IssuedTokens, Subject, TokenError, TokenService};
    ///
    /// async fn log_in(
    ///     ClientAddress(address): ClientAddress,
    ///     tokens: &TokenService,
    ///     verified: &Subject,
    /// ) -> Result<IssuedTokens, TokenError> {
    ///     tokens.for_client(address).issue(verified).await
    /// }
    /// ```
    #[must_use]
    pub fn for_client(&self, address: IpAddr) -> Self {
        Self { client_address: Some(address), ..self.clone() }
    }

    /// Returns the service for what this caller asks for, such as an administrator who ends the sessions of a user: audit events then
    /// have it as their [`actor`](crate::audit::AuditEvent::actor). The token routes do this themselves.
    #[must_use]
    pub fn for_caller(&self, caller: &Principal) -> Self {
        Self { actor: Some(caller.subject().into()), ..self.clone() }
    }

    /// The service for a request, whose client audit events then name.
    pub(crate) fn for_request(&self, head: &Parts) -> Self {
        Self { client_address: self.engine.client_address(head), ..self.clone() }
    }

    /// Reports what happened to a session, or failed.
    ///
    /// # Errors
    /// [`TokenError::AuditHook`].
    pub(super) fn report(&self, event: AuditEvent<'_>) -> Result<(), TokenError> {
        let event = AuditEvent {
            issuer: event.issuer.or_else(|| self.engine.sessions.issuer.as_ref().map(IssuerState::issuer)),
            client_address: self.client_address,
            actor: self.actor.as_deref(),
            ..event
        };
        let reported = self.engine.responses.audit_log.report(&event);
        reported.map_err(|panic| TokenError::AuditHook(panic.to_string()))
    }

    /// Reports sessions that were ended together, each by itself.
    ///
    /// # Errors
    /// [`TokenError::AuditHook`].
    pub(super) fn report_ended(
        &self,
        families: &[RefreshTokenFamily],
        reason: &str,
    ) -> Result<(), TokenError> {
        let mut reported = Ok(());
        for family in families {
            let session_id = session_of_family(family.id);
            let event = AuditEvent { reason, ..AuditEvent::new(AuditAction::SessionEnd) };
            let event = AuditEvent { subject: Some(&family.subject), session_id: Some(&session_id), ..event };
            reported = reported.and(self.report(event));
        }
        reported
    }

    /// Reports how something ended, and returns that; or that the audit hook panicked.
    pub(super) fn report_outcome<T>(
        &self,
        event: AuditEvent<'_>,
        outcome: Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        match outcome {
            Ok(value) => self.report(event).map(|()| value),
            Err(error) => {
                self.report(event.failed(error.rejection_kind(), &error.to_string()))?;
                Err(error)
            }
        }
    }
}
