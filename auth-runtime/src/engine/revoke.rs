//! Taking tokens back.

use std::time::{Duration, SystemTime};

use crate::clock::unix_seconds;
use crate::engine::Engine;
use crate::principal::Principal;
use crate::revocation::{Revocation, RevocationStatus, RevokeError};
use crate::store::{FamilyId, LoggedRevocation, StoreError};
use crate::tokens::{family_of_session, session_of_family};

/// Takes tokens back. When a method returns without an error, the revocation is recorded in the store, if there is one, and
/// in force here; other instances that share the store follow within the time between two looks at its log.
///
/// A session or a user of this engine's own [`TokenIssuer`](crate::tokens::TokenIssuer) loses the refresh tokens too.
///
/// An entry is kept as long as a token that was issued by now could still be accepted: `max_token_lifetime` and the
/// leeway of the engine. What another issuer gives out later under the same `sid` outlives it: an issuer that goes on
/// giving out tokens of a session must be told too. And a token that is not accepted now because it lives too long, and
/// has no `iat` that shows its age, would be accepted near its end, when the entry has gone: have the issuer put `iat`
/// into its tokens (RFC 9068 §2.2 asks for it).
#[derive(Clone, Copy, Debug)]
pub struct Revocations<'a> {
    engine: &'a Engine,
}

impl<'a> Revocations<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine }
    }

    /// The token that `principal` came with.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `jti`; [`RevokeError::Unavailable`].
    pub async fn revoke_token(&self, principal: &Principal) -> Result<(), RevokeError> {
        let token_id = principal.token_id().ok_or(RevokeError::NotIdentifiable("jti"))?.to_owned();
        self.revoke(Revocation::Token { issuer: issuer(principal), token_id }).await
    }

    /// All tokens of the log-in that `principal`'s token belongs to.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `sid`; [`RevokeError::Unavailable`].
    pub async fn revoke_session(&self, principal: &Principal) -> Result<(), RevokeError> {
        let session_id = principal.session_id().ok_or(RevokeError::NotIdentifiable("sid"))?.to_owned();
        self.revoke(Revocation::Session { issuer: issuer(principal), session_id }).await
    }

    /// All tokens of `principal`'s user that were issued up to now, in whole seconds: this one in any case, also if its
    /// issuer's clock is ahead.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke_user(&self, principal: &Principal) -> Result<(), RevokeError> {
        self.revoke(Revocation::of_user(principal, self.engine.now())).await
    }

    /// What the arguments name: for an administrator, who has no token of the user.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RevokeError> {
        Ok(self.engine.revoke(revocation).await?)
    }

    /// How the view of revocations stands: for a page of an operator. [`readiness`](crate::revocation::readiness) is a
    /// ready handler for a load balancer.
    #[must_use]
    pub fn status(&self) -> RevocationStatus {
        self.engine.revocations().status(self.engine.now())
    }
}

impl Engine {
    /// Records and enforces, and ends the refresh families that it concerns.
    pub(crate) async fn revoke(&self, revocation: Revocation) -> Result<(), StoreError> {
        let now = self.now();
        let last_issued = match &revocation {
            Revocation::User { issued_at_or_before, .. } => now.max(*issued_at_or_before),
            _ => now,
        };
        // The log first: if this process dies in between, a refresh finds the revocation and ends its family. And a log-in
        // at the same time looks at the view after it has stored its family, so one of the two sees the other.
        if !self.has_ended(&revocation) {
            self.revocations().revoke(vec![self.logged(revocation.clone(), last_issued)], now).await?;
        }
        let families = self.families_of(&revocation).await?;
        if families.is_empty() {
            return Ok(());
        }
        if let Revocation::User { issuer, .. } = revocation {
            // A token of another instance, whose clock is ahead, has an `iat` behind the bound. It has its session's id.
            let session = |id: &FamilyId| Revocation::Session {
                issuer: issuer.clone(),
                session_id: session_of_family(*id),
            };
            let entries = families.iter().map(|id| self.logged(session(id), last_issued)).collect();
            self.revocations().revoke(entries, now).await?;
        }
        self.families().remove(families).await
    }

    /// Whether it is a log-in of this engine's own issuer that has ended already: nothing was issued for it since, and whoever
    /// has an old refresh token can't make the log grow.
    fn has_ended(&self, revocation: &Revocation) -> bool {
        let Revocation::Session { issuer, session_id } = revocation else { return false };
        let own = self.tokens().is_some_and(|tokens| tokens.issuer() == issuer);
        own && self.revocations().view().is_session_revoked(issuer, session_id)
    }

    fn logged(&self, revocation: Revocation, last_issued: SystemTime) -> LoggedRevocation {
        let keep_until = last_issued.checked_add(self.revocation_term()).unwrap_or(last_issued);
        LoggedRevocation { revocation, keep_until }
    }

    /// The refresh families of this engine's own issuer that a revocation ends.
    async fn families_of(&self, revocation: &Revocation) -> Result<Vec<FamilyId>, StoreError> {
        let own = |issuer: &str| self.tokens().is_some_and(|tokens| tokens.issuer() == issuer);
        match revocation {
            Revocation::Session { issuer, session_id } if own(issuer) => {
                Ok(family_of_session(session_id).into_iter().collect())
            }
            Revocation::User { issuer, subject, issued_at_or_before } if own(issuer) => {
                let bound = unix_seconds(*issued_at_or_before);
                let mut ended = Vec::new();
                for id in self.families().of_subject(issuer, subject).await? {
                    let family = self.families().find(id).await?;
                    if family.is_some_and(|family| family.started_at <= bound) {
                        ended.push(id);
                    }
                }
                Ok(ended)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// How long the last token that a revocation made now could concern may still be accepted.
    pub(super) fn revocation_term(&self) -> Duration {
        self.limits().longest_acceptance()
    }
}

fn issuer(principal: &Principal) -> String {
    principal.issuer().unwrap_or_default().to_owned()
}
