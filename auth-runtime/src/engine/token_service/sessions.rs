//! The sessions of a user: the list, and ending one or all others.

use std::time::SystemTime;

use super::TokenService;
use crate::audit::{AuditAction, AuditEvent};
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::issue::{IssuerState, TokenError, family_of_session, session_of_family};
use crate::principal::Principal;
use crate::store::RefreshTokenFamily;

/// The maximum number of sessions in a list. A user has more only if `max_sessions_per_user` allows it.
const MAX_LISTED: usize = 1000;

/// The active sessions of a user: [`TokenService::sessions`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionList {
    /// The sessions, the one that was used last first. At most 1,000.
    pub sessions: Vec<Session>,
    /// The number of sessions that were used before these and are not in the list.
    pub not_listed: usize,
}

/// An active session of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The id of the session: `sid` of its access tokens. It may be shown to the user and be in a URL: it is random, and no token can
    /// be made or obtained with it.
    pub id: String,
    /// When the user logged in.
    pub started_at: SystemTime,
    /// When the session was last refreshed; the time of the login if it never was.
    pub last_refreshed_at: SystemTime,
    /// When the session ends, unless it is refreshed.
    pub expires_at: SystemTime,
    /// What the application [set](crate::session::Subject::session_label) at the login. It may have come from the client, so a page
    /// that shows it must escape it.
    pub label: Option<String>,
    /// Whether it is the session of the caller's token. It is `false` where there is no caller: in the list of
    /// [`TokenService::sessions`].
    pub is_current: bool,
}

impl Session {
    /// `current` is the id of the caller's session, if it has one.
    pub(super) fn of(family: RefreshTokenFamily, issuer: &IssuerState, current: Option<&str>) -> Self {
        let id = session_of_family(family.id);
        Self {
            started_at: from_unix_seconds(family.started_at),
            last_refreshed_at: from_unix_seconds(family.rotated_at),
            expires_at: from_unix_seconds(issuer.expires_at(&family)),
            is_current: current == Some(&*id),
            label: family.label,
            id,
        }
    }
}

impl TokenService {
    /// Returns the active sessions of the user with this id: for an administrator, who may see them. A user sees its own with
    /// [`own_sessions`](Self::own_sessions); those of all users are [`all_sessions`](Self::all_sessions).
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn sessions(&self, subject: &str) -> Result<SessionList, TokenError> {
        self.list(subject, None).await
    }

    /// Returns the active sessions of the caller. A caller with a token of another issuer has none here, also if a user of
    /// this issuer has the same id.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn own_sessions(&self, caller: &Principal) -> Result<SessionList, TokenError> {
        if self.is_own(caller)? {
            self.list(caller.subject(), caller.session_id()).await
        } else {
            Ok(SessionList::default())
        }
    }

    /// Ends one session of the user with this id. Returns `false`, and ends nothing, if the user has no such session.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then the session may not have ended. Call it again.
    pub async fn end_user_session(&self, subject: &str, session_id: &str) -> Result<bool, TokenError> {
        let Some(id) = family_of_session(session_id) else { return Ok(false) };
        let issuer = &self.issuer()?.name;
        let family = self.families().find(id).await?;
        if family.is_none_or(|family| family.issuer != *issuer || family.subject != subject) {
            return Ok(false);
        }
        self.end_session_of(AuditEvent::new(AuditAction::SessionEnd), &session_of_family(id), None).await?;
        Ok(true)
    }

    /// Ends one session of the caller, which may be the current one. Returns `false`, and ends nothing, if the caller has no such
    /// session: also if it is another user's.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then the session may not have ended. Call it again.
    pub async fn end_own_session(&self, caller: &Principal, session_id: &str) -> Result<bool, TokenError> {
        if self.is_own(caller)? {
            self.end_user_session(caller.subject(), session_id).await
        } else {
            Ok(false)
        }
    }

    /// Ends all sessions of the caller but the one of its token: after a change of the password or of another factor
    /// (OWASP ASVS 5, 7.4.3). Returns how many active sessions have ended.
    ///
    /// Store the change first. A login that has verified the former password before that, and gets its tokens after this call, does
    /// not end. An access token without a session ([`issue_access`](Self::issue_access)) is not of a session, so it stays valid:
    /// [`log_out_everywhere`](Self::log_out_everywhere) revokes it too.
    ///
    /// # Errors
    /// [`TokenError::NoSession`] if the caller's token is of no session of this issuer: then there are no others. Nothing has ended.
    /// [`TokenError::Store`]: then some may not have ended. Call it again.
    pub async fn end_other_sessions(&self, caller: &Principal) -> Result<usize, TokenError> {
        let current = if self.is_own(caller)? { caller.session_id() } else { None };
        let current = current.ok_or(TokenError::NoSession)?;
        self.engine.ensure_background();
        let issuer = &self.issuer()?.name;
        // Also those that have ended, and whose row is still there: a call that failed may have left them.
        let mut others = self.families().find_by_subject(issuer, caller.subject()).await?;
        others.retain(|family| session_of_family(family.id) != current);
        if others.is_empty() {
            return Ok(0);
        }
        let active = self.active(others.clone())?;
        self.engine.revocations.end_sessions(others).await?;
        self.report_ended(&active, "a session was ended: its user has ended all others")?;
        Ok(active.len())
    }

    async fn list(&self, subject: &str, current: Option<&str>) -> Result<SessionList, TokenError> {
        self.engine.check_fresh(self.engine.now())?;
        let issuer = self.issuer()?;
        let mut active = self.active(self.families().find_by_subject(&issuer.name, subject).await?)?;
        active.sort_unstable_by_key(|family| (family.rotated_at, family.started_at, family.id));
        let not_listed = active.len().saturating_sub(MAX_LISTED);
        let newest = active.into_iter().rev().take(MAX_LISTED);
        let sessions = newest.map(|family| Session::of(family, issuer, current)).collect();
        Ok(SessionList { sessions, not_listed })
    }

    /// Those whose session has neither expired nor ended. The rows of sessions that a logout has ended are removed a moment after it.
    pub(super) fn active(
        &self,
        mut families: Vec<RefreshTokenFamily>,
    ) -> Result<Vec<RefreshTokenFamily>, TokenError> {
        let (issuer, now) = (self.issuer()?, unix_seconds(self.engine.now()));
        families.retain(|family| now < issuer.expires_at(family) && !self.is_revoked(family));
        Ok(families)
    }

    /// Whether the caller's token is of this issuer, so that its subject is a user of this issuer.
    pub(super) fn is_own(&self, caller: &Principal) -> Result<bool, TokenError> {
        Ok(caller.issuer() == Some(&*self.issuer()?.name))
    }
}
