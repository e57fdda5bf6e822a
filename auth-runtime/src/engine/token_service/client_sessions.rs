//! The sessions of a client, as its tokens say, and how they end together.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::TokenService;
use crate::audit::{AuditAction, AuditEvent};
use crate::issue::{TokenError, family_of_session};
use crate::principal::Principal;
use crate::store::FamilyId;

/// What the tokens of a client belong to.
#[derive(Default)]
pub(crate) struct ClientSessions {
    /// By their ids, with the time of the latest access token that is known of each.
    sessions: BTreeMap<String, Option<SystemTime>>,
    /// Of access tokens without a session.
    without_session: Vec<Principal>,
}

impl ClientSessions {
    pub(super) fn families(&self) -> Vec<FamilyId> {
        self.sessions.keys().filter_map(|id| family_of_session(id)).collect()
    }
}

impl TokenService {
    /// Returns what these tokens belong to, of those that this issuer made.
    #[cfg(feature = "token-routes")]
    pub(crate) fn sessions_of(&self, refresh_tokens: &[String], access_tokens: &[String]) -> ClientSessions {
        let mut found = ClientSessions::default();
        for session in refresh_tokens.iter().filter_map(|token| self.session_of(token)) {
            found.sessions.entry(session).or_default();
        }
        for principal in access_tokens.iter().filter_map(|token| self.genuine(token)) {
            match principal.session_id() {
                Some(session) => {
                    let latest = found.sessions.entry(session.to_owned()).or_default();
                    *latest = (*latest).max(principal.issued_at());
                }
                None => found.without_session.push(principal),
            }
        }
        found
    }

    /// Logs a client out: ends each of its sessions, and revokes its access tokens that have none.
    #[cfg(feature = "token-routes")]
    pub(crate) async fn log_out_of(&self, found: ClientSessions) -> Result<(), TokenError> {
        let logout = AuditEvent::new(AuditAction::Logout);
        self.end_all(found, logout, logout).await
    }

    /// Ends the sessions that a browser had for the new one that replaces them. If that fails, the new one ends, and its tokens must not
    /// be sent.
    pub(crate) async fn end_former(&self, mut former: ClientSessions, new: &str) -> Result<(), TokenError> {
        former.sessions.remove(new);
        let reason = "a session was ended: its browser has logged in again";
        let session = AuditEvent { reason, ..AuditEvent::new(AuditAction::SessionEnd) };
        let ended = self.end_all(former, session, AuditEvent::new(AuditAction::TokenRevocation)).await;
        if ended.is_err() {
            self.discard(new).await;
        }
        ended
    }

    /// All of them, also if one fails.
    async fn end_all(
        &self,
        found: ClientSessions,
        session: AuditEvent<'_>,
        token: AuditEvent<'_>,
    ) -> Result<(), TokenError> {
        let mut outcome = Ok(());
        for (session_id, issued_at) in found.sessions {
            outcome = outcome.and(self.end_session_of(session, &session_id, issued_at).await);
        }
        for principal in found.without_session {
            outcome = outcome.and(self.revoke_access(token, &principal).await);
        }
        outcome
    }

    /// Ends a session whose tokens were sent to no client.
    pub(crate) async fn discard(&self, session_id: &str) {
        let reason = "a session was ended: its tokens were sent to no client";
        let event = AuditEvent { reason, ..AuditEvent::new(AuditAction::SessionEnd) };
        if self.end_session_of(event, session_id, None).await.is_ok() {
            return;
        }
        // The log can't be written. Without its row the session is in no list, and its refresh token is invalid.
        let row = family_of_session(session_id).into_iter().collect();
        if let Err(error) = self.families().remove(row).await {
            tracing::warn!(session = session_id, %error, "auth: the session of a login that failed can't be ended");
        }
    }
}
