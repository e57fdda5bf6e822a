//! Revoking tokens: what is recorded in the store, enforced here, and removed with it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;

use super::{RevocationState, RevocationStatus, RevokeError};
use crate::clock::{Clock, unix_seconds};
use crate::issue::{family_of_session, session_of_family};
use crate::principal::Principal;
use crate::store::{FamilyId, LoggedRevocation, RefreshTokenStore, Revocation, StoreError};

/// How far ahead of the clock a token may be dated, in seconds, so that it is dated after a revocation of its user's tokens.
pub(crate) const DATED_AHEAD: u64 = 5;

/// Revokes tokens. When a method returns without an error, the revocation is recorded in the store, if there is one, and
/// is enforced here; other instances that share the store enforce it once they have read its log again.
///
/// A session or a user of a [`TokenIssuer`](crate::session::TokenIssuer) loses the refresh tokens too, if they are in this
/// engine's store.
///
/// An entry is kept as long as a token that was issued by now could still be accepted: `max_token_lifetime` and the
/// leeway of the engine. What another issuer issues later under the same `sid` outlives it: if an issuer goes on
/// issuing tokens of a session, end the session there too. And a token that is not accepted now because it lives too long, and
/// has no `iat` that shows its age, would be accepted near its end, when the entry was deleted: configure the issuer to put `iat`
/// into its tokens (RFC 9068 §2.2 asks for it).
#[derive(Clone, Copy)]
pub struct Revocations<'a> {
    revoker: &'a Arc<Revoker>,
    clock: &'a Arc<dyn Clock>,
}

impl<'a> Revocations<'a> {
    pub(crate) fn new(revoker: &'a Arc<Revoker>, clock: &'a Arc<dyn Clock>) -> Self {
        Self { revoker, clock }
    }

    /// Revokes the token that `principal` came with.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `jti`; [`RevokeError::Unavailable`].
    pub async fn revoke_token(&self, principal: &Principal) -> Result<(), RevokeError> {
        let token_id = principal.token_id().ok_or(RevokeError::NotIdentifiable("jti"))?.to_owned();
        let issuer = principal.token_identity().issuer.to_owned();
        self.revoke(Revocation::Token { issuer, token_id }).await
    }

    /// Revokes all tokens of the session that `principal`'s token belongs to.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `sid`; [`RevokeError::Unavailable`].
    pub async fn revoke_session(&self, principal: &Principal) -> Result<(), RevokeError> {
        let session_id = principal.session_id().ok_or(RevokeError::NotIdentifiable("sid"))?.to_owned();
        let issuer = principal.token_identity().issuer.to_owned();
        self.revoke(Revocation::Session { issuer, session_id }).await
    }

    /// Revokes all tokens of `principal`'s user that were issued up to now, in whole seconds: this one in any case, also
    /// if its issuer's clock is ahead.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke_user(&self, principal: &Principal) -> Result<(), RevokeError> {
        let now = self.clock.now();
        Ok(self.revoker.revoke(Revocation::of_user(principal, now), now).await?)
    }

    /// Revokes what the argument names: for an administrator, who has no token of the user.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RevokeError> {
        Ok(self.revoker.revoke(revocation, self.clock.now()).await?)
    }

    /// Drops now all entries that have expired by the clock, here and in the store. The engine does this by itself once the
    /// clock has shown such a time for ten minutes: a clock that jumps for a moment must not delete revocations.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn drop_expired(&self) -> Result<(), StoreError> {
        while self.revoker.drop_expired(self.clock.now()).await? {}
        Ok(())
    }

    /// The state of the view of revocations: for an operator's page. [`readiness`](crate::session::readiness) is a
    /// handler for a load balancer.
    #[must_use]
    pub fn status(&self) -> RevocationStatus {
        self.revoker.state.status(self.clock.now())
    }
}

/// Without what is revoked, and without the store, whose rows name users.
impl fmt::Debug for Revocations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Revocation {
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

/// Records revocations, enforces them, and removes the refresh-token families that they concern.
pub(crate) struct Revoker {
    pub(crate) state: RevocationState,
    pub(crate) families: Arc<dyn RefreshTokenStore>,
    /// The name of the engine's own issuer, if it has one.
    pub(crate) own_issuer: Option<String>,
    /// How long the last token that a revocation made now could concern may still be accepted.
    pub(crate) retention: Duration,
}

impl Revoker {
    /// Records and enforces, and ends the refresh-token families that it concerns. With a store it is done to its end, also
    /// if its caller no longer waits for it: a client that closes its connection has asked all the same.
    pub(crate) async fn revoke(
        self: &Arc<Self>,
        revocation: Revocation,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let revoker = Arc::clone(self);
        match Handle::try_current() {
            Ok(runtime) if self.state.has_log() => {
                let task = runtime.spawn(async move { revoker.revoke_all(revocation, now).await });
                task.await.unwrap_or_else(|error| {
                    Err(StoreError::new(format!("a revocation did not finish: {error}")).with_source(error))
                })
            }
            _ => revoker.revoke_all(revocation, now).await,
        }
    }

    /// Drops a batch of revocations and one of families that expired before `now`; whether there are more.
    pub(crate) async fn drop_expired(&self, now: SystemTime) -> Result<bool, StoreError> {
        // A clock before the epoch is wrong.
        if unix_seconds(now) == i64::MAX {
            return Ok(false);
        }
        let more = self.state.drop_expired(now).await?;
        Ok(self.families.drop_expired(now).await? || more)
    }

    /// A caller that asks again after an error finds what is left to do: a family is removed after the log says that it has
    /// ended.
    async fn revoke_all(&self, revocation: Revocation, now: SystemTime) -> Result<(), StoreError> {
        let revocation = self.after_all_issued(revocation, now);
        let last_issued = match &revocation {
            Revocation::User { issued_at_or_before, .. } => now.max(*issued_at_or_before),
            _ => now,
        };
        // "Up to now" is all that there is, also what was dated later by a clock that is ahead.
        let all = matches!(&revocation, Revocation::User { issued_at_or_before, .. } if is_up_to_now(*issued_at_or_before, now));
        let families = self.families_of(&revocation, all).await?;
        let mut entries = self.sessions_of(&revocation, &families, last_issued);
        if !self.has_ended(&revocation) {
            entries.push(self.logged(revocation.clone(), last_issued));
        }
        self.end(entries, families).await?;
        // A login at the same time looks at the view after it has stored its family, so one of the two sees the other. One that
        // came after is dated after the bound.
        let late = self.families_of(&revocation, false).await?;
        self.end(self.sessions_of(&revocation, &late, last_issued), late).await
    }

    async fn end(&self, entries: Vec<LoggedRevocation>, families: Vec<FamilyId>) -> Result<(), StoreError> {
        if !entries.is_empty() {
            self.state.revoke(entries).await?;
        }
        if families.is_empty() { Ok(()) } else { self.families.remove(families).await }
    }

    /// The sessions of a user's families: a token of another instance, whose clock is ahead, has an `iat` after the bound, and
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
    fn after_all_issued(&self, revocation: Revocation, now: SystemTime) -> Revocation {
        match revocation {
            Revocation::User { issuer, subject, issued_at_or_before }
                if is_up_to_now(issued_at_or_before, now) =>
            {
                let bound = self.state.view().user_bound(&issuer, &subject);
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

    /// Whether it is a session of this engine's own issuer that has ended already: nothing was issued for it since, and a caller
    /// that has an old refresh token can't make the log grow.
    fn has_ended(&self, revocation: &Revocation) -> bool {
        let Revocation::Session { issuer, session_id } = revocation else { return false };
        self.own_issuer.as_ref() == Some(issuer) && self.state.view().is_session_revoked(issuer, session_id)
    }

    fn logged(&self, revocation: Revocation, last_issued: SystemTime) -> LoggedRevocation {
        let keep_until = last_issued.checked_add(self.retention).unwrap_or(last_issued);
        LoggedRevocation { revocation, keep_until }
    }

    /// The refresh-token families that a revocation concerns, whichever instance issued them; of a user `all`, or those up to
    /// its bound.
    async fn families_of(&self, revocation: &Revocation, all: bool) -> Result<Vec<FamilyId>, StoreError> {
        match revocation {
            Revocation::Session { issuer, session_id } => {
                let Some(id) = family_of_session(session_id) else { return Ok(Vec::new()) };
                let family = self.families.find(id).await?.filter(|family| family.issuer == *issuer);
                Ok(family.map(|family| family.id).into_iter().collect())
            }
            Revocation::User { issuer, subject, issued_at_or_before } => {
                let bound = unix_seconds(*issued_at_or_before);
                let families = self.families.find_by_subject(issuer, subject).await?.into_iter();
                let concerned = families.filter(|family| all || family.started_at <= bound);
                Ok(concerned.map(|family| family.id).collect())
            }
            Revocation::Token { .. } => Ok(Vec::new()),
        }
    }
}

/// Whether a user's tokens are revoked "up to now": the bound is `now`, or less than a second before it, since a caller has read
/// the clock a moment earlier.
fn is_up_to_now(bound: SystemTime, now: SystemTime) -> bool {
    now.duration_since(bound).is_ok_and(|age| age < Duration::from_secs(1)) || bound >= now
}
