//! Taking tokens back.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;

use super::background;
use crate::clock::unix_seconds;
use crate::engine::Engine;
use crate::principal::Principal;
use crate::revocation::{Revocation, RevocationStatus, RevokeError};
use crate::session::{family_of_session, session_of_family};
use crate::store::{FamilyId, LoggedRevocation, StoreError};

/// How far ahead of the clock a token may be dated, in seconds, so that it stands behind a revocation of its user's tokens.
pub(crate) const DATED_AHEAD: u64 = 5;

/// Takes tokens back. When a method returns without an error, the revocation is recorded in the store, if there is one, and
/// in force here; other instances that share the store follow within the time between two looks at its log.
///
/// A session or a user of a [`TokenIssuer`](crate::session::TokenIssuer) loses the refresh tokens too, if they are in this engine's
/// store.
///
/// An entry is kept as long as a token that was issued by now could still be accepted: `max_token_lifetime` and the
/// leeway of the engine. What another issuer gives out later under the same `sid` outlives it: an issuer that goes on
/// giving out tokens of a session must be told too. And a token that is not accepted now because it lives too long, and
/// has no `iat` that shows its age, would be accepted near its end, when the entry has gone: have the issuer put `iat`
/// into its tokens (RFC 9068 §2.2 asks for it).
#[derive(Clone, Copy, Debug)]
pub struct Revocations<'a> {
    engine: &'a Arc<Engine>,
}

impl<'a> Revocations<'a> {
    pub(super) fn new(engine: &'a Arc<Engine>) -> Self {
        Self { engine }
    }

    /// The token that `principal` came with.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `jti`; [`RevokeError::Unavailable`].
    pub async fn revoke_token(&self, principal: &Principal) -> Result<(), RevokeError> {
        let token_id = principal.token_id().ok_or(RevokeError::NotIdentifiable("jti"))?.to_owned();
        let issuer = principal.token_identity().issuer.to_owned();
        self.revoke(Revocation::Token { issuer, token_id }).await
    }

    /// All tokens of the login that `principal`'s token belongs to.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `sid`; [`RevokeError::Unavailable`].
    pub async fn revoke_session(&self, principal: &Principal) -> Result<(), RevokeError> {
        let session_id = principal.session_id().ok_or(RevokeError::NotIdentifiable("sid"))?.to_owned();
        let issuer = principal.token_identity().issuer.to_owned();
        self.revoke(Revocation::Session { issuer, session_id }).await
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

    /// Drops now whatever has expired by the clock, here and in the store. This happens by itself, when the clock has told such
    /// a time for ten minutes: a clock that jumps for a moment must not be what forgets.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn drop_expired(&self) -> Result<(), StoreError> {
        while self.engine.drop_expired(self.engine.now()).await? {}
        Ok(())
    }

    /// How the view of revocations stands: for a page of an operator. [`readiness`](crate::revocation::readiness) is a
    /// ready handler for a load balancer.
    #[must_use]
    pub fn status(&self) -> RevocationStatus {
        self.engine.revocations().status(self.engine.now())
    }
}

impl Engine {
    /// Records and enforces, and ends the refresh families that it concerns. With a store it is done to its end, also if
    /// nobody waits for it any more: a client that closes its connection has asked all the same.
    pub(crate) async fn revoke(self: &Arc<Self>, revocation: Revocation) -> Result<(), StoreError> {
        background::ensure(self);
        let engine = Arc::clone(self);
        match Handle::try_current() {
            Ok(runtime) if self.revocations().has_log() => runtime
                .spawn(async move { engine.revoke_all(revocation).await })
                .await
                .unwrap_or_else(|error| Err(StoreError::new(format!("a revocation was cut short: {error}")))),
            _ => engine.revoke_all(revocation).await,
        }
    }

    /// Whoever asks again after an error finds what is left to do: a family is removed when the log says that it has ended.
    async fn revoke_all(&self, revocation: Revocation) -> Result<(), StoreError> {
        let now = self.now();
        let revocation = self.behind_all_issued(revocation, now);
        let last_issued = match &revocation {
            Revocation::User { issued_at_or_before, .. } => now.max(*issued_at_or_before),
            _ => now,
        };
        // "Up to now" is all that there is, also what was dated later by a clock that is ahead.
        let all = matches!(&revocation, Revocation::User { issued_at_or_before, .. } if *issued_at_or_before >= now);
        let families = self.families_of(&revocation, all).await?;
        let mut entries = self.sessions_of(&revocation, &families, last_issued);
        if !self.has_ended(&revocation) {
            entries.push(self.logged(revocation.clone(), last_issued));
        }
        self.end(entries, families).await?;
        // A login at the same time looks at the view after it has stored its family, so one of the two sees the other. One that
        // came after is dated behind the bound.
        let late = self.families_of(&revocation, false).await?;
        self.end(self.sessions_of(&revocation, &late, last_issued), late).await
    }

    async fn end(&self, entries: Vec<LoggedRevocation>, families: Vec<FamilyId>) -> Result<(), StoreError> {
        if !entries.is_empty() {
            self.revocations().revoke(entries).await?;
        }
        if families.is_empty() { Ok(()) } else { self.families().remove(families).await }
    }

    /// Of a user's families the sessions: a token of another instance, whose clock is ahead, has an `iat` behind the bound, and
    /// so has one that was renewed after a bound that lies in the past. It has its session's id.
    fn sessions_of(
        &self,
        revocation: &Revocation,
        families: &[FamilyId],
        last_issued: SystemTime,
    ) -> Vec<LoggedRevocation> {
        let Revocation::User { issuer, .. } = revocation else { return Vec::new() };
        let session = |id: &FamilyId| Revocation::Session {
            issuer: issuer.clone(),
            session_id: session_of_family(*id),
        };
        families.iter().map(|id| self.logged(session(id), last_issued)).collect()
    }

    /// All tokens "up to now" of a user are also those that were dated ahead, since tokens up to this second had just been
    /// revoked.
    fn behind_all_issued(&self, revocation: Revocation, now: SystemTime) -> Revocation {
        match revocation {
            Revocation::User { issuer, subject, issued_at_or_before } if issued_at_or_before >= now => {
                let bound = self.revocations().view().user_bound(&issuer, &subject);
                let dated = bound.and_then(|bound| u64::try_from(bound.saturating_add(1)).ok());
                let dated = dated.and_then(|dated| UNIX_EPOCH.checked_add(Duration::from_secs(dated)));
                let latest = now.checked_add(Duration::from_secs(DATED_AHEAD)).unwrap_or(now);
                let issued_at_or_before = dated
                    .filter(|dated| *dated <= latest)
                    .map_or(issued_at_or_before, |dated| dated.max(issued_at_or_before));
                Revocation::User { issuer, subject, issued_at_or_before }
            }
            other => other,
        }
    }

    /// Whether it is a login of this engine's own issuer that has ended already: nothing was issued for it since, and whoever
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

    /// The refresh families that a revocation concerns, whichever instance gave them out; of a user `all`, or those up to its
    /// bound.
    async fn families_of(&self, revocation: &Revocation, all: bool) -> Result<Vec<FamilyId>, StoreError> {
        match revocation {
            Revocation::Session { issuer, session_id } => {
                let Some(id) = family_of_session(session_id) else { return Ok(Vec::new()) };
                let family = self.families().find(id).await?;
                Ok(family
                    .filter(|family| family.issuer == *issuer)
                    .map(|family| family.id)
                    .into_iter()
                    .collect())
            }
            Revocation::User { issuer, subject, issued_at_or_before } => {
                let bound = unix_seconds(*issued_at_or_before);
                let families = self.families().of_subject(issuer, subject).await?.into_iter();
                Ok(families
                    .filter(|family| all || family.started_at <= bound)
                    .map(|family| family.id)
                    .collect())
            }
            Revocation::Token { .. } => Ok(Vec::new()),
        }
    }

    /// How long the last token that a revocation made now could concern may still be accepted.
    pub(super) fn revocation_term(&self) -> Duration {
        self.limits().longest_acceptance()
    }
}
