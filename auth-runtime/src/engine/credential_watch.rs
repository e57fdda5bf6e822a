//! The end of a credential: what [`Principal::ended`] waits for.
//!
//! A watch subscribes first and looks second, so that no revocation is between the two. It looks again when a revocation of its token,
//! session or user wakes it, when its token expires, and every [`RECHECK`] in any case: nothing wakes it where the engine's background
//! task does not run. The task wakes all watches when the view has become too old and when the clock was set, and who withdraws keys
//! wakes them too.
//!
//! A socket polls its watch while it reads or sends, and not between. So what a watch looks up is looked up in a task of its own: otherwise a
//! lookup would stop halfway, and hold a connection of the application's pool, and those who wait for the same user, until the next
//! message.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use futures_util::future::{Either, select};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::Engine;
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::issue::family_of_session;
use crate::principal::{
    CredentialWatch, EndReason, EndedFuture, Principal, TOKENS, TokenIdentity, WatchedBy,
};
use crate::rejection::CallerErrorKind;
use crate::revocation::Registration;
use crate::store::{FamilyId, StoreError};
use crate::users::NoUser;

/// How long a watch waits at most before it looks again.
const RECHECK: Duration = Duration::from_secs(30);

/// How long a store may take to look a session up, and how long it is waited for after a failure.
const LOOKUP: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_secs(1);

/// How long a view that is too old may take to be read again.
const CATCH_UP: Duration = Duration::from_secs(2);

impl Engine {
    /// What its principals find it by. Call it before the credential is judged.
    pub(crate) fn watch(self: &Arc<Self>) -> WatchedBy {
        let engine: Weak<Self> = Arc::downgrade(self);
        WatchedBy { engine, forgotten: self.revocations.state.view().forgotten() }
    }
}

impl CredentialWatch for Engine {
    fn ended(self: Arc<Self>, principal: Principal, while_session_lasts: bool) -> EndedFuture {
        let watch = Watch {
            engine: self,
            principal,
            while_session_lasts,
            prolonged_until: None,
            has_failed: false,
            stale_since: None,
            seen: None,
            key_end: None,
            subject_failed_at: None,
        };
        Box::pin(watch.run())
    }
}

/// One credential that is waited for.
struct Watch {
    engine: Arc<Engine>,
    principal: Principal,
    /// Whether a refresh of its session prolongs it.
    while_session_lasts: bool,
    /// When the newest access token of the session is no longer accepted, in seconds since the epoch.
    prolonged_until: Option<i64>,
    /// Whether the session could not be looked up since the credential expired.
    has_failed: bool,
    /// Since when every look has found the view too old.
    stale_since: Option<Instant>,
    /// The number of the last time that its subject was forgotten, when that was looked at; `None` before.
    seen: Option<u32>,
    /// When its API key expires, if that was looked up and is set, in seconds since the epoch.
    key_end: Option<i64>,
    /// Since when its user or its key can't be looked up.
    subject_failed_at: Option<Instant>,
}

/// What follows from a look.
enum Next {
    /// Look again then, or when woken.
    Wait(Duration),
    /// The credential has expired, unless its session was refreshed.
    LookUp(FamilyId),
}

impl Watch {
    async fn run(mut self) -> EndReason {
        let identity = self.principal.token_identity();
        // Before the first look.
        let registration = self.engine.revocations.state.view().register_waiter(&identity);
        loop {
            self.engine.ensure_background();
            let next = match self.look(self.engine.now()) {
                Ok(Next::LookUp(session)) => self.look_up(session, &registration).await,
                Ok(wait) => self.look_at_subject(&registration).await.map(|retry| retry.unwrap_or(wait)),
                ended => ended,
            };
            match next {
                // A failure of the timer does not end the wait, it is looked again.
                Ok(Next::Wait(pause)) => drop(timeout(pause, registration.woken()).await),
                Ok(Next::LookUp(_)) => {}
                Err(reason) => return reason,
            }
        }
    }

    fn look(&mut self, now: SystemTime) -> Result<Next, EndReason> {
        let view = self.engine.revocations.state.view();
        // The log revokes tokens alone.
        if self.is_token() && view.is_revoked(&self.principal.token_identity()) {
            return Err(EndReason::Revoked);
        }
        match self.engine.check_key(&self.principal).map_err(|error| error.kind()) {
            Ok(()) => {}
            Err(CallerErrorKind::Unavailable) => return Err(EndReason::Unavailable),
            Err(_) => return Err(EndReason::KeyWithdrawn),
        }
        let next = self.look_at_times(now)?;
        Ok(self.wait_for_fresh_view(now)?.unwrap_or(next))
    }

    fn look_at_times(&self, now: SystemTime) -> Result<Next, EndReason> {
        let Some(own_end) = self.own_end() else { return Ok(Next::Wait(RECHECK)) };
        let seconds = unix_seconds(now);
        if let Some(end) = self.prolonged_until.filter(|end| seconds < *end) {
            return Ok(wait_until(end, now));
        }
        if seconds >= own_end {
            return self.session().map(Next::LookUp).ok_or(EndReason::Expired);
        }
        let (limits, claims) = (&self.engine.authentication.limits, self.principal.token().claims());
        if self.is_token() && limits.check_times(claims, seconds).is_err() {
            // It was valid: the clock was set back.
            return Err(EndReason::Unavailable);
        }
        Ok(wait_until(own_end, now))
    }

    /// A view that is too old may be so since the clock was set, or since the machine slept. The background task then reads the log within
    /// a second, so a short time is waited for it.
    fn wait_for_fresh_view(&mut self, now: SystemTime) -> Result<Option<Next>, EndReason> {
        if self.engine.check_fresh(now).is_ok() {
            self.stale_since = None;
            return Ok(None);
        }
        let since = *self.stale_since.get_or_insert_with(Instant::now);
        match CATCH_UP.checked_sub(since.elapsed()).filter(|remaining| !remaining.is_zero()) {
            Some(remaining) => Ok(Some(Next::Wait(remaining))),
            None => Err(EndReason::Unavailable),
        }
    }

    /// Whether the subject was forgotten since it was looked at: then its user is loaded again. The first look loads it in any case: it is
    /// remembered, unless it was forgotten since the request. `Some` is when to try again.
    async fn look_at_subject(&mut self, registration: &Registration) -> Result<Option<Next>, EndReason> {
        let engine = Arc::clone(&self.engine);
        let TokenIdentity { issuer, subject, sub, .. } = self.principal.token_identity();
        // Before the user is loaded.
        let view = engine.revocations.state.view();
        let last_of = |subject| view.last_forgotten(issuer, subject);
        let last = last_of(subject).max(sub.map_or(0, last_of));
        if self.seen == Some(last) {
            return Ok(None);
        }
        let judged_at = self.principal.watch().map_or(0, |watch| watch.forgotten);
        if !self.is_token() && last > judged_at {
            match self.end_of_key().await {
                // A key that was replaced expires earlier than when the caller was judged.
                Some(Ok(Some(end))) => self.key_end = end,
                // Another authenticator can't be asked without the head of a request.
                Some(Ok(None)) | None => return Err(EndReason::Revoked),
                Some(Err(())) => return self.retry_subject(),
            }
        }
        if let Some(users) = engine.users.clone().filter(|users| users.has_user(&self.principal)) {
            let (engine, principal) = (Arc::clone(&engine), self.principal.clone());
            let load = Lookup::start(async move {
                users.of(&principal, engine.monotonic(), &engine.authorization.vocabulary).await
            });
            let loaded = match select(pin!(load.result()), pin!(registration.woken())).await {
                Either::Left((loaded, _)) => loaded,
                Either::Right(_) => return Ok(Some(Next::Wait(Duration::ZERO))),
            };
            match loaded {
                Some(Ok(_)) => {}
                Some(Err(NoUser::Missing | NoUser::Invalid(_))) => return Err(EndReason::UserInactive),
                Some(Err(NoUser::Unavailable(_))) | None => return self.retry_subject(),
            }
        }
        (self.seen, self.subject_failed_at) = (Some(last), None);
        Ok(None)
    }

    /// The user or the key can't be looked up now: it is tried again, but no longer than a view of revocations may be old.
    fn retry_subject(&mut self) -> Result<Option<Next>, EndReason> {
        let since = *self.subject_failed_at.get_or_insert_with(Instant::now);
        let is_over = since.elapsed() >= self.engine.revocations.state.max_staleness().max(LOOKUP);
        if is_over { Err(EndReason::Unavailable) } else { Ok(Some(Next::Wait(RETRY))) }
    }

    /// When the API key that it came with expires, where that is set, if the key is still valid; `None` if it did not come with one.
    #[cfg(feature = "api-keys")]
    async fn end_of_key(&self) -> Option<Result<Option<Option<i64>>, ()>> {
        let keys = self.engine.api_keys.clone()?;
        let id = self.principal.token_id().filter(|_| keys.has_issued_to(&self.principal))?.to_owned();
        match Lookup::start(async move { keys.end_of(&id).await }).result().await {
            Some(Ok(end)) => Some(Ok(end)),
            Some(Err(_)) | None => Some(Err(())),
        }
    }

    #[cfg(not(feature = "api-keys"))]
    #[allow(clippy::unused_async, reason = "as with the feature")]
    async fn end_of_key(&self) -> Option<Result<Option<Option<i64>>, ()>> {
        None
    }

    /// Whether it is a token of an issuer, and not a credential that an authenticator judged.
    fn is_token(&self) -> bool {
        self.principal.scheme() == TOKENS
    }

    /// The session of the engine's own issuer that a refresh may have prolonged, if the application wants that.
    fn session(&self) -> Option<FamilyId> {
        let own = self.engine.sessions.issuer.as_ref().filter(|_| self.while_session_lasts)?;
        let session = self.principal.session_id()?;
        (self.principal.issuer() == Some(own.issuer())).then(|| family_of_session(session))?
    }

    /// Looks the session up. A revocation meanwhile is looked at first, and a store that does not answer does not stop the clock.
    async fn look_up(&mut self, id: FamilyId, registration: &Registration) -> Result<Next, EndReason> {
        let families = Arc::clone(&self.engine.revocations.families);
        let find = Lookup::start(async move { families.find(id).await });
        let found = match select(pin!(find.result()), pin!(registration.woken())).await {
            Either::Left((found, _)) => {
                found.unwrap_or_else(|| Err(StoreError::new("the store has not answered for 5 s")))
            }
            Either::Right(_) => return Ok(Next::Wait(Duration::ZERO)),
        };
        let now = self.engine.now();
        let last_end = self.prolonged_until.or_else(|| self.own_end()).unwrap_or_default();
        match found {
            Ok(family) => {
                let newest_end = family
                    .filter(|family| family.subject == self.principal.subject())
                    .and_then(|family| {
                        let issuer =
                            self.engine.sessions.issuer.as_ref().filter(|own| own.name == family.issuer)?;
                        Some(issuer.newest_access_token_end(&family))
                    })
                    .map_or(last_end, |end| end.saturating_add(self.engine.authentication.limits.leeway));
                if newest_end <= unix_seconds(now) {
                    return Err(EndReason::Expired);
                }
                (self.prolonged_until, self.has_failed) = (Some(newest_end), false);
                // What woke it meanwhile is looked at too.
                Ok(Next::Wait(Duration::ZERO))
            }
            Err(error) => {
                tracing::debug!(%error, "auth: a session can't be looked up, to prolong a socket or stream of it");
                let grace = self.engine.revocations.state.max_staleness().as_secs();
                // At least one look counts, also if it is late.
                if self.has_failed && unix_seconds(now) >= last_end.saturating_add_unsigned(grace) {
                    return Err(EndReason::Unavailable);
                }
                self.has_failed = true;
                Ok(Next::Wait(RETRY))
            }
        }
    }

    /// When the credential itself is no longer accepted, in seconds since the epoch; `None` if it does not expire.
    fn own_end(&self) -> Option<i64> {
        let leeway = if self.is_token() { self.engine.authentication.limits.leeway } else { 0 };
        let own = self.principal.token().claims().expires_at.map(|end| end.saturating_add(leeway));
        own.into_iter().chain(self.key_end).min()
    }
}

/// Something that is looked up in a task of its own, for [`LOOKUP`] at most. The task ends when this is dropped.
struct Lookup<T>(JoinHandle<Option<T>>);

impl<T: Send + 'static> Lookup<T> {
    fn start(lookup: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(async move { timeout(LOOKUP, lookup).await.ok() }))
    }

    /// What was found; `None` if it took too long, or code of the application's panicked.
    async fn result(mut self) -> Option<T> {
        (&mut self.0).await.ok().flatten()
    }
}

impl<T> Drop for Lookup<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn wait_until(end: i64, now: SystemTime) -> Next {
    let remaining = from_unix_seconds(end).duration_since(now).unwrap_or_default();
    Next::Wait(remaining.min(RECHECK))
}

/// What changes without a revocation: the background task compares it every second, and wakes all watches.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    last: Option<(SystemTime, Instant)>,
    is_fresh: bool,
}

impl Surroundings {
    /// Whether watches have to look again: the view has become too old, or the clock was set.
    pub(super) fn have_changed(&mut self, engine: &Engine, instant: Instant) -> bool {
        let now = engine.now();
        let is_fresh = engine.revocations.state.check_fresh(now).is_ok();
        // The first look of a task that has taken over counts as a change.
        let last = self.last.replace((now, instant));
        let was_set = last.is_none_or(|(then, before)| was_set(then, before, now, instant));
        let has_aged = self.is_fresh && !is_fresh;
        self.is_fresh = is_fresh;
        was_set || has_aged
    }
}

/// Whether the clock went by another time than passed. Both are read at once, so that a delay is no difference.
fn was_set(then: SystemTime, before: Instant, now: SystemTime, instant: Instant) -> bool {
    const TOLERANCE: Duration = Duration::from_secs(2);
    let passed = instant.saturating_duration_since(before);
    match now.duration_since(then) {
        Ok(by_clock) => by_clock.abs_diff(passed) >= TOLERANCE,
        Err(_) => true,
    }
}
