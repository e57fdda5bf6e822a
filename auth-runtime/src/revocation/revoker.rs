//! Revoking tokens: what is recorded in the store, enforced here, and removed with it.
//!
//! Tokens of a token issuer are revoked by their session, and a logout everywhere also names the generation of the user's sessions that
//! is valid from now on: neither depends on what a clock showed when a token was issued. Tokens of other issuers are revoked up to a
//! time.

#[cfg(feature = "provider-logout")]
mod by_provider;
mod everybody;
mod everywhere;
mod times;
mod up_to;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;

#[cfg(feature = "provider-logout")]
pub(crate) use self::by_provider::EndedByProvider;
use self::everybody::EndedRows;
use self::times::Times;
use self::up_to::is_up_to_now;
use super::RevocationState;
use crate::clock::{Clock, ConfirmedTime, from_unix_seconds, unix_seconds};
use crate::issue::{family_of_session, session_of_family};
use crate::principal::Principal;
use crate::store::{
    FamilyId, LoggedRevocation, Note, RefreshTokenFamily, RefreshTokenStore, Revocation, StoreError,
};

/// The number of families that are removed in one transaction.
const REMOVED_AT_ONCE: usize = 1000;

/// How often the store is given the confirmed time.
const REMEMBERED_EVERY: Duration = Duration::from_secs(60);

/// Records revocations, enforces them, and removes the refresh-token families that they concern.
pub(crate) struct Revoker {
    pub(crate) state: RevocationState,
    pub(crate) families: Arc<dyn RefreshTokenStore>,
    /// The name of the engine's own issuer, if it has one.
    own_issuer: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
    /// How long the last token that a revocation made now could concern may still be accepted.
    retention: Duration,
    /// How long a session of the own issuer lasts at most.
    longest_session: Duration,
    /// The rows of sessions that ended with those of all users.
    ended_rows: EndedRows,
    /// How far the clock of another issuer may be ahead.
    leeway: Duration,
    /// The latest `iat` of an access token without a session that this process has issued, in seconds since the epoch.
    last_issued_at: AtomicI64,
    confirmed_time: ConfirmedTime,
    /// The monotonic time at which the store was last given the confirmed time, in seconds.
    remembered_at: AtomicI64,
}

/// The engine's own issuer.
#[derive(Clone, Debug)]
pub(crate) struct OwnIssuer {
    pub(crate) name: String,
    /// How long a session lasts at most, however often it is refreshed.
    pub(crate) longest_session: Duration,
}

/// What a revocation has changed.
#[derive(Debug)]
pub(crate) struct Revoked {
    /// The subject of the session that has ended, if its row was there.
    pub(crate) subject: Option<String>,
    /// Whether it was not revoked before, as far as this process knows.
    pub(crate) is_new: bool,
}

/// What is known of the token or the session that a revocation is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct RevokedToken {
    /// Its `iat`, or that of the session's latest token.
    pub(crate) issued_at: Option<SystemTime>,
    pub(crate) subject: Option<String>,
}

impl RevokedToken {
    pub(crate) fn of(principal: &Principal) -> Self {
        Self { issued_at: principal.issued_at(), subject: Some(principal.subject().to_owned()) }
    }
}

impl Revoked {
    fn new(is_new: bool) -> Self {
        Self { subject: None, is_new }
    }
}

impl Revoker {
    pub(crate) fn new(
        state: RevocationState,
        families: Arc<dyn RefreshTokenStore>,
        own_issuer: Option<OwnIssuer>,
        clock: Arc<dyn Clock>,
        retention: Duration,
        leeway: Duration,
    ) -> Self {
        let longest_session = own_issuer.as_ref().map_or(Duration::ZERO, |own| own.longest_session);
        Self {
            state,
            families,
            own_issuer: own_issuer.map(|own| own.name),
            clock,
            retention,
            longest_session,
            ended_rows: EndedRows::default(),
            leeway,
            last_issued_at: AtomicI64::new(0),
            confirmed_time: ConfirmedTime::new(retention),
            remembered_at: AtomicI64::new(i64::MIN),
        }
    }

    /// An access token without a session was issued at this time, in seconds since the epoch.
    pub(crate) fn note_issued(&self, issued_at: i64) {
        self.last_issued_at.fetch_max(issued_at, Ordering::Relaxed);
    }

    /// Records and enforces, and ends the refresh-token families that it concerns. With a store it is done to its end, also
    /// if its caller no longer waits for it: a client that closes its connection has asked all the same.
    ///
    /// `token` is what it is about, as far as that is known.
    pub(crate) async fn revoke(
        self: &Arc<Self>,
        revocation: Revocation,
        token: RevokedToken,
    ) -> Result<Revoked, StoreError> {
        let times = self.times();
        let times = token.issued_at.map_or(times, |issued_at| times.with(issued_at));
        let work = move |revoker: Arc<Self>| async move {
            revoker.revoke_all(revocation, token.subject.as_deref(), times).await
        };
        self.to_its_end(work).await
    }

    /// Evicts what was loaded for a subject, here and on every instance that reads the log.
    pub(crate) async fn forget(self: &Arc<Self>, issuer: String, subject: String) -> Result<(), StoreError> {
        let entry = self.forgetting(issuer, subject, self.times().now);
        // First, and here in any case: the store may be out of reach.
        self.state.forget_here(&entry);
        self.to_its_end(move |revoker| async move { revoker.record(vec![entry]).await }).await
    }

    /// The entry that evicts what was loaded for a subject.
    fn forgetting(&self, issuer: String, subject: String, now: SystemTime) -> LoggedRevocation {
        let kept = self.state.longest_eviction().saturating_add(self.leeway);
        let keep_until = now.checked_add(kept).map_or(i64::MAX, unix_seconds);
        let forgotten = Revocation::Forgotten { issuer, subject };
        self.state.logged(forgotten, from_unix_seconds(keep_until), Note::default())
    }

    /// Ends sessions of the engine's own issuer.
    pub(crate) async fn end_sessions(
        self: &Arc<Self>,
        families: Vec<RefreshTokenFamily>,
    ) -> Result<(), StoreError> {
        let times = self.times();
        self.to_its_end(move |revoker| async move { revoker.end(None, families, times).await }).await
    }

    /// Now. The clock is also noted for what is dropped later.
    fn times(&self) -> Times {
        let own = self.clock.now();
        let _ = self.confirmed_time.confirm(own, self.clock.monotonic());
        let now = self.state.later(own);
        Times { own, now, last_issued: now }
    }

    async fn to_its_end<T, F>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> F + Send,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let work = work(Arc::clone(self));
        match Handle::try_current() {
            Ok(runtime) if self.state.has_log() => runtime.spawn(work).await.unwrap_or_else(|error| {
                Err(StoreError::new(format!("a revocation did not finish: {error}")).with_source(error))
            }),
            _ => work.await,
        }
    }

    /// Drops a batch of what has expired, and one of the rows of sessions that ended with those of all users; whether there are more.
    pub(crate) async fn drop_expired(&self) -> Result<bool, StoreError> {
        let more = self.drop_what_has_expired().await?;
        Ok(self.remove_ended_rows().await? || more)
    }

    /// Drops a batch of revocations and one of families that have expired; whether there are more.
    async fn drop_what_has_expired(&self) -> Result<bool, StoreError> {
        self.start_confirming().await?;
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        let Some(confirmed) = self.confirmed_time.confirm(now, monotonic) else { return Ok(false) };
        self.remember(confirmed.time, monotonic).await;
        if !confirmed.may_forget {
            return Ok(false);
        }
        let Some(before) = self.state.drop_before(confirmed.time, self.leeway) else { return Ok(false) };
        let more = self.state.drop_expired(before).await?;
        Ok(self.families.drop_expired(before).await? || more)
    }

    /// What has expired before this time may be forgotten; `None` if nothing may.
    #[cfg(feature = "api-keys")]
    pub(crate) fn may_forget_before(&self) -> Option<SystemTime> {
        let confirmed = self.confirmed_time.confirm(self.clock.now(), self.clock.monotonic())?;
        self.state.drop_before(confirmed.time, self.leeway).filter(|_| confirmed.may_forget)
    }

    /// Begins with the time that the store remembers, if it has not begun.
    pub(crate) async fn start_confirming(&self) -> Result<(), StoreError> {
        if !self.confirmed_time.has_started() {
            let remembered = self.state.confirmed_time(self.clock.now()).await?;
            self.confirmed_time.start(remembered, self.clock.now(), self.clock.monotonic());
        }
        Ok(())
    }

    /// Has the store remember the confirmed time. If that fails, the next process begins with an earlier one.
    async fn remember(&self, confirmed: SystemTime, monotonic: Duration) {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let (now, last) = (seconds(monotonic), self.remembered_at.load(Ordering::Relaxed));
        if now < last.saturating_add(seconds(REMEMBERED_EVERY)) {
            return;
        }
        self.remembered_at.store(now, Ordering::Relaxed);
        if let Err(error) = self.state.set_confirmed_time(confirmed).await {
            tracing::debug!(%error, "auth: the store did not remember the time");
        }
    }

    /// A caller that asks again after an error finds what is left to do: a family is removed after the log says that it has
    /// ended.
    async fn revoke_all(
        &self,
        revocation: Revocation,
        subject: Option<&str>,
        times: Times,
    ) -> Result<Revoked, StoreError> {
        match &revocation {
            Revocation::User { issuer, subject, issued_at_or_before } => {
                let families = self.families.find_by_subject(issuer, subject).await?;
                if !is_up_to_now(*issued_at_or_before, times.own) {
                    return self.end_up_to(*issued_at_or_before, &revocation, families, times).await;
                }
                let times = times.with(*issued_at_or_before);
                if self.own_issuer.as_ref() == Some(issuer) || !families.is_empty() {
                    self.log_out_everywhere(issuer, subject, families, times).await?;
                    // It ends all generations but one that begins with it.
                    return Ok(Revoked::new(true));
                }
                self.revoke_up_to_now(issuer, subject, *issued_at_or_before, times).await
            }
            Revocation::Issuer { issuer, issued_at_or_before } => {
                self.revoke_issuer(issuer, *issued_at_or_before, times).await
            }
            Revocation::UserBySub { issuer, sub, issued_at_or_before } => {
                let families = self.families.find_by_subject(issuer, sub).await?;
                self.end_up_to(*issued_at_or_before, &revocation, families, times).await
            }
            Revocation::Session { issuer, session_id } => {
                let family = match family_of_session(session_id) {
                    Some(id) => self.families.find(id).await?.filter(|family| family.issuer == *issuer),
                    None => None,
                };
                let times = times.with_families(family.as_slice());
                let is_recorded = self.state.view().is_session_revoked(issuer, session_id);
                // A family that is there was not removed by an attempt before, which has failed and was not reported.
                let is_new = family.is_some() || !is_recorded;
                // Nothing was issued for one of the own issuer since, and a caller that has an old refresh token can't make the log grow.
                let is_entry = !is_recorded || self.own_issuer.as_ref() != Some(issuer);
                let subject = family.as_ref().map(|family| &*family.subject).or(subject);
                let entry = is_entry.then(|| self.logged(revocation.clone(), subject, times));
                self.record(entry.into_iter().collect()).await?;
                self.remove(family.as_slice()).await?;
                Ok(Revoked { subject: family.map(|family| family.subject), is_new })
            }
            Revocation::Token { .. }
            | Revocation::OtherGenerations { .. }
            | Revocation::OtherIssuerGenerations { .. }
            | Revocation::Forgotten { .. } => {
                let is_new = !self.state.view().enforces(&revocation);
                self.record(vec![self.logged(revocation, subject, times)]).await?;
                Ok(Revoked::new(is_new))
            }
        }
    }

    /// Revokes the tokens of a user of another issuer, whose clock may be ahead.
    async fn revoke_up_to_now(
        &self,
        issuer: &str,
        subject: &str,
        bound: SystemTime,
        times: Times,
    ) -> Result<Revoked, StoreError> {
        let latest = times.now.checked_add(self.leeway).unwrap_or(times.now);
        let user = Revocation::User {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            issued_at_or_before: bound.max(latest),
        };
        let is_new = !self.state.view().enforces(&user);
        self.record(vec![self.logged(user, None, times.with(latest))]).await?;
        let late = self.families.find_by_subject(issuer, subject).await?;
        let is_new = is_new || !late.is_empty();
        self.end(None, late, times).await?;
        Ok(Revoked::new(is_new))
    }

    /// Records an entry, and the end of the sessions of these families, in one transaction. Then removes the families.
    async fn end(
        &self,
        entry: Option<LoggedRevocation>,
        families: Vec<RefreshTokenFamily>,
        times: Times,
    ) -> Result<(), StoreError> {
        let times = times.with_families(&families);
        let sessions = families.iter().map(|family| {
            let (issuer, session_id) = (family.issuer.clone(), session_of_family(family.id));
            self.logged(Revocation::Session { issuer, session_id }, Some(&family.subject), times)
        });
        self.record(entry.into_iter().chain(sessions).collect()).await?;
        self.remove(&families).await
    }

    async fn record(&self, entries: Vec<LoggedRevocation>) -> Result<(), StoreError> {
        if entries.is_empty() { Ok(()) } else { self.state.revoke(entries).await }
    }

    /// In parts, between which others can write: the log says already that they have ended.
    async fn remove(&self, families: &[RefreshTokenFamily]) -> Result<(), StoreError> {
        for part in families.chunks(REMOVED_AT_ONCE) {
            let ids: Vec<FamilyId> = part.iter().map(|family| family.id).collect();
            self.families.remove(ids).await?;
        }
        Ok(())
    }

    /// The entry of a revocation. `subject` is that of a token or a session, where it is known.
    fn logged(&self, revocation: Revocation, subject: Option<&str>, times: Times) -> LoggedRevocation {
        self.state.logged(revocation, self.logged_until(times), times.note(subject))
    }

    fn logged_until(&self, times: Times) -> SystemTime {
        times.last_issued.checked_add(self.retention).unwrap_or(times.last_issued)
    }
}
