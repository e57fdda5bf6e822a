//! Revoking tokens: the public methods.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::{RevocationStatus, RevokeError, RevokedToken, Revoker};
use crate::audit::{AuditAction, AuditEvent, AuditLog};
use crate::principal::Principal;
use crate::store::{Revocation, StoreError};
use crate::verify::{JwtVerifier, scheme_of_issuer};

/// Revokes tokens. When a method returns without an error, the revocation is recorded in the store, if there is one, and
/// is enforced here; other instances that share the store enforce it once they have read its log again.
///
/// A session or a user of a [`TokenIssuer`](crate::session::TokenIssuer) loses the refresh tokens too, if they are in this
/// engine's store.
///
/// Each method returns whether it ended something that was not revoked before, as far as this instance knows: `Ok(false)` is as much
/// an acknowledgment as `Ok(true)`. What another instance revoked a moment ago may be new here, and of two calls at the same time both
/// may be the first. What was revoked before is not reported to the audit hook again.
///
/// It is for tokens. A credential of an [authenticator](mod@crate::authenticator) is ended where the authenticator looks it up; to revoke one
/// here is [`RevokeError::NotAToken`].
///
/// An entry is kept as long as a token that was issued by now could still be accepted: `max_token_lifetime` and the
/// leeway of the engine, from now or, if the token is dated later, from its `iat`. What another issuer issues later under the same
/// `sid` outlives it: if an issuer goes on
/// issuing tokens of a session, end the session there too. And a token that is not accepted now because it lives too long, and
/// has no `iat` that shows its age, would be accepted near its end, when the entry was deleted: configure the issuer to put `iat`
/// into its tokens (RFC 9068 §2.2 asks for it).
#[derive(Clone, Copy)]
pub struct Revocations<'a> {
    pub(super) revoker: &'a Arc<Revoker>,
    audit_log: &'a AuditLog,
    /// What says which issuers this engine accepts.
    pub(super) jwt: &'a JwtVerifier,
}

impl<'a> Revocations<'a> {
    pub(crate) fn new(revoker: &'a Arc<Revoker>, audit_log: &'a AuditLog, jwt: &'a JwtVerifier) -> Self {
        Self { revoker, audit_log, jwt }
    }

    /// Revokes the token that `principal` came with. Returns whether it was not revoked by its `jti` before.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `jti`; [`RevokeError::NotAToken`]; [`RevokeError::Unavailable`];
    /// [`RevokeError::AuditHook`].
    pub async fn revoke_token(&self, principal: &Principal) -> Result<bool, RevokeError> {
        check_is_of_tokens(principal.token_identity().issuer)?;
        let token_id = principal.token_id().ok_or(RevokeError::NotIdentifiable("jti"))?.to_owned();
        let issuer = principal.token_identity().issuer.to_owned();
        self.revoke_of(principal, Revocation::Token { issuer, token_id }).await
    }

    /// Revokes all tokens of the session that `principal`'s token belongs to. Returns whether the session was not revoked before.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `sid`; [`RevokeError::NotAToken`]; [`RevokeError::Unavailable`];
    /// [`RevokeError::AuditHook`].
    pub async fn revoke_session(&self, principal: &Principal) -> Result<bool, RevokeError> {
        check_is_of_tokens(principal.token_identity().issuer)?;
        let session_id = principal.session_id().ok_or(RevokeError::NotIdentifiable("sid"))?.to_owned();
        let issuer = principal.token_identity().issuer.to_owned();
        self.revoke_of(principal, Revocation::Session { issuer, session_id }).await
    }

    /// Revokes all tokens of `principal`'s user that were issued up to now: this one in any case, also if its issuer's clock is
    /// ahead.
    ///
    /// Returns whether it ended more than was ended before: of the engine's own token issuer always, and of another issuer unless the
    /// user was revoked up to the same second.
    ///
    /// Of the engine's own token issuer, tokens of sessions that begin afterwards are valid at once. Of another issuer, whose clock
    /// may be ahead, tokens with an `iat` up to now and the leeway are revoked: a token that it issues within the leeway after this
    /// call is rejected too.
    ///
    /// # Errors
    /// [`RevokeError::NotAToken`]; [`RevokeError::Unavailable`]; [`RevokeError::AuditHook`].
    pub async fn revoke_user(&self, principal: &Principal) -> Result<bool, RevokeError> {
        check_is_of_tokens(principal.token_identity().issuer)?;
        self.revoke_of(principal, Revocation::of_user(principal, self.revoker.clock.now())).await
    }

    /// Revokes what the argument names: for an administrator, who has no token of the user. A
    /// [`Revocation::User`] up to now does the same as [`revoke_user`](Self::revoke_user). Of the engine's own token issuer, one up to
    /// an earlier time ends the sessions that began by then. Returns whether it ended something that was not revoked before; a
    /// [`Revocation::Forgotten`] revokes nothing.
    ///
    /// A [`Revocation::Issuer`] up to now revokes all tokens of an issuer, of all its users: for one whose accounts were compromised. Those of
    /// an identity provider are revoked with an `iat` up to now and the leeway, or without `iat`; what the provider issues later is valid, also
    /// for a refresh token from before. Of the engine's own token issuer it does the same as
    /// [`log_out_all_users`](crate::session::TokenService::log_out_all_users). So it does of the issuer of another engine whose sessions are
    /// in this store; to find that out, sessions of the store are read. A name that no issuer has is no error: compare it with `iss`.
    ///
    /// # Errors
    /// [`RevokeError::NotAToken`]; [`RevokeError::Unavailable`], also for an [`Issuer`](Revocation::Issuer) with sessions in this store up to a
    /// time in the past, and then nothing is revoked; [`RevokeError::AuditHook`].
    pub async fn revoke(&self, revocation: Revocation) -> Result<bool, RevokeError> {
        let why = match revocation {
            Revocation::OtherGenerations { .. } => {
                "the engine makes `Revocation::OtherGenerations` itself: revoke a `Revocation::User`"
            }
            Revocation::OtherIssuerGenerations { .. } => {
                "the engine makes `Revocation::OtherIssuerGenerations` itself: revoke a `Revocation::Issuer`"
            }
            revocation => return self.revoke_what_is_named(revocation).await,
        };
        Err(StoreError::new(why).into())
    }

    async fn revoke_what_is_named(&self, revocation: Revocation) -> Result<bool, RevokeError> {
        if let Revocation::Forgotten { issuer, subject } = revocation {
            self.revoker.forget(issuer, subject).await?;
            return Ok(false);
        }
        check_is_of_tokens(revocation.issuer())?;
        self.record(revocation, None).await
    }

    /// Has everything that was loaded for a subject loaded again, on every instance: its user ([`UserStore`](crate::users::UserStore)), and
    /// what an [authenticator](mod@crate::authenticator) answered for it.
    /// Call it after the change is committed, for example after a user was made inactive or has another role.
    ///
    /// When it returns without an error, this instance has forgotten it, and what was being loaded meanwhile is not remembered. The
    /// others have when they have read the log again: within a second, and within
    /// [`max_staleness`](crate::AuthBuilder::max_staleness) in any case. The issuer is
    /// [`Principal::issuer`] of the subject, that is of its tokens or of its authenticator; empty if there is none. It revokes nothing
    /// and ends no session, so the audit hook is not called.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be recorded in the store. Then this instance has forgotten it all the same, and others may not have.
    pub async fn forget(
        &self,
        issuer: impl Into<String>,
        subject: impl Into<String>,
    ) -> Result<(), StoreError> {
        self.revoker.forget(issuer.into(), subject.into()).await
    }

    async fn revoke_of(&self, principal: &Principal, revocation: Revocation) -> Result<bool, RevokeError> {
        self.record(revocation, Some(principal)).await
    }

    /// Records and enforces, and reports it. An error of the store is not reported: its caller receives it.
    async fn record(&self, revocation: Revocation, of: Option<&Principal>) -> Result<bool, RevokeError> {
        let token = of.map(RevokedToken::of).unwrap_or_default();
        let revoked = self.revoker.revoke(revocation.clone(), token).await?;
        if !revoked.is_new {
            return Ok(false);
        }
        let known = of.map(Principal::subject).or(revoked.subject.as_deref());
        let (action, issuer, subject, session_id) = match &revocation {
            Revocation::Token { issuer, .. } => (AuditAction::TokenRevocation, issuer, known, None),
            Revocation::Session { issuer, session_id } => {
                (AuditAction::SessionEnd, issuer, known, Some(session_id.as_str()))
            }
            Revocation::User { issuer, subject, .. }
            | Revocation::UserBySub { issuer, sub: subject, .. }
            | Revocation::OtherGenerations { issuer, subject, .. } => {
                (AuditAction::LogoutEverywhere, issuer, Some(subject.as_str()), None)
            }
            Revocation::Issuer { issuer, .. } | Revocation::OtherIssuerGenerations { issuer, .. } => {
                (AuditAction::LogoutAllUsers, issuer, None, None)
            }
            // It revokes nothing.
            Revocation::Forgotten { .. } => return Ok(false),
        };
        let issuer = Some(issuer.as_str());
        let event = AuditEvent { issuer, subject, session_id, ..AuditEvent::new(action) };
        self.audit_log.report(&event).map_err(|panic| RevokeError::AuditHook(panic.to_string()))?;
        Ok(true)
    }

    /// Drops now all entries that have expired, here and in the store. The engine does this by itself, every second. What has
    /// expired is decided by a time that the clock can't move ahead: a clock that jumps must not delete revocations.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn drop_expired(&self) -> Result<(), StoreError> {
        while self.revoker.drop_expired().await? {}
        Ok(())
    }

    /// The state of the view of revocations: for an operator's page. [`readiness`](crate::session::readiness) is a
    /// handler for a load balancer.
    #[must_use]
    pub fn status(&self) -> RevocationStatus {
        self.revoker.state.status(self.revoker.clock.now())
    }
}

/// The reserved issuers of authenticators issue no tokens: an entry would end nothing, and expire.
fn check_is_of_tokens(issuer: &str) -> Result<(), RevokeError> {
    scheme_of_issuer(issuer).map_or(Ok(()), |scheme| Err(RevokeError::NotAToken(scheme.to_owned())))
}

/// Without what is revoked, and without the store, whose rows name users.
impl fmt::Debug for Revocations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Revocation {
    /// The issuer of what it is about.
    pub(super) fn issuer(&self) -> &str {
        match self {
            Self::Token { issuer, .. }
            | Self::Session { issuer, .. }
            | Self::User { issuer, .. }
            | Self::UserBySub { issuer, .. }
            | Self::Issuer { issuer, .. }
            | Self::OtherGenerations { issuer, .. }
            | Self::OtherIssuerGenerations { issuer, .. }
            | Self::Forgotten { issuer, .. } => issuer,
        }
    }

    /// All tokens of `principal`'s user that were issued up to now: this one in any case, also if its issuer's clock is
    /// ahead.
    pub(crate) fn of_user(principal: &Principal, now: SystemTime) -> Self {
        Self::User {
            issuer: principal.token_identity().issuer.to_owned(),
            subject: principal.subject().to_owned(),
            issued_at_or_before: now.max(principal.issued_at().unwrap_or(SystemTime::UNIX_EPOCH)),
        }
    }
}
