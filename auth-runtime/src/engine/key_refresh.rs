//! The keys of issuers are fetched: at the start, when they are due, and when a token may be of a key that is not known here.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Auth, Engine};
use crate::catch_panic::catch_panic_of;
use crate::rejection::{CallerError, CallerErrorKind};
use crate::verify::{
    COOL_DOWN, FetchFailure, FetchedKeys, JwtVerifier, KeySetKind, KeySetStatus, LONGEST_FETCH,
    LONGEST_TRUST, Outage, Overdue, Run, TextKind, Unknown, VerifyError, Waiting,
};

/// How long a request waits for keys at most.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Whose keys are fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeysOf {
    /// The issuers of tokens.
    Issuers,
    /// The transmitters of security events.
    #[cfg(feature = "provider-logout")]
    Transmitters,
}

impl KeysOf {
    const ALL: &[Self] = &[
        Self::Issuers,
        #[cfg(feature = "provider-logout")]
        Self::Transmitters,
    ];

    pub(super) fn kind(self) -> KeySetKind {
        match self {
            Self::Issuers => KeySetKind::Issuer,
            #[cfg(feature = "provider-logout")]
            Self::Transmitters => KeySetKind::Transmitter,
        }
    }
}

impl Auth {
    /// The state of the key sets that are fetched ([`jwks_from`](crate::verify::TrustedIssuer::jwks_from), and with the feature `jwks`
    /// `discover`, `jwks_url` and presets), one for each issuer that has such: for a readiness probe and for an operator.
    #[must_use]
    pub fn key_sets(&self) -> Vec<KeySetStatus> {
        let engine = self.engine();
        let now = engine.age_time();
        KeysOf::ALL.iter().flat_map(|of| engine.verifier(*of).key_set_status(of.kind(), now)).collect()
    }
}

impl Engine {
    /// Whether tokens of every issuer can be verified, but for those that the service may start without.
    pub(crate) fn has_keys(&self) -> bool {
        self.authentication.jwt.has_keys(self.age_time())
    }

    /// Has the keys fetched that are due.
    pub(super) fn refresh_keys(self: &Arc<Self>) {
        for (of, keys) in self.fetched_keys() {
            if let Some(run) = keys.due(self.age_time()) {
                self.fetch(of, keys, run);
            }
        }
    }

    /// Fetches the keys that were never fetched. Returns what failed.
    pub(super) async fn fetch_first_keys(self: &Arc<Self>) -> Vec<UnfetchedKeys> {
        let mut failures = Vec::new();
        let now = self.age_time();
        let begun = self.fetched_keys().filter_map(|(of, keys)| {
            let (run, waiting) = keys.first(now)?;
            if let Some(run) = run {
                self.fetch(of, keys, run);
            }
            Some((of, keys, waiting))
        });
        // All of them begin before one is waited for.
        for (of, keys, waiting) in begun.collect::<Vec<_>>() {
            let failure = ended(&waiting, LONGEST_FETCH).await;
            if let Some(failure) = failure.filter(|_| !keys.may_start_unreachable) {
                let (label, name) = (keys.label().to_owned(), keys.name().to_owned());
                failures.push(UnfetchedKeys { kind: of.kind(), label, name, failure });
            }
        }
        failures
    }

    /// The verifier of these issuers.
    pub(crate) fn verifier(&self, of: KeysOf) -> &JwtVerifier {
        match of {
            KeysOf::Issuers => &self.authentication.jwt,
            #[cfg(feature = "provider-logout")]
            KeysOf::Transmitters => &self.transmitters.verifier,
        }
    }

    fn fetched_keys(&self) -> impl Iterator<Item = (KeysOf, &Arc<FetchedKeys>)> {
        KeysOf::ALL.iter().flat_map(|of| self.verifier(*of).fetched_keys().map(|keys| (*of, keys)))
    }

    /// Runs a fetch on a task of its own: it goes on when the request that had it run ends.
    fn fetch(self: &Arc<Self>, of: KeysOf, keys: &Arc<FetchedKeys>, run: Run) {
        let (engine, keys) = (Arc::downgrade(self), Arc::clone(keys));
        tokio::spawn(async move {
            // The function is the application's: what it does before its future counts as well.
            let fetching = async { (keys.fetch)().await };
            let answer = match timeout(LONGEST_FETCH, catch_panic_of(fetching)).await {
                Ok(Ok(answer)) => answer.map_err(|error| FetchFailure::of(&*error)),
                Ok(Err(panic)) => {
                    Err(FetchFailure::lasting(format!("the function that fetches the keys {panic}")))
                }
                Err(_) => Err(took_longer_than(LONGEST_FETCH)),
            };
            let Some(engine) = engine.upgrade() else { return };
            let times = (engine.now(), engine.age_time());
            match engine.verifier(of).take_fetched(&keys, run, answer, times) {
                Ok(taken) => {
                    if taken.is_key_withdrawn {
                        engine.keys_replaced();
                    }
                    if taken.failures > 0 {
                        let failures = taken.failures;
                        tracing::info!(
                            issuer = keys.label(),
                            failures,
                            "auth: the keys of an issuer were fetched again, after failures"
                        );
                    }
                }
                Err((failure, outage)) => log_failure(&keys, &failure.text, outage),
            }
        });
    }

    /// A text of a key that is known here, and whose issuer's keys are overdue: what refreshes them did not run, as on a runtime that has
    /// ended or in a process that was suspended. They are fetched before it is judged again; if that fails, the last ones serve.
    ///
    /// While the fetch goes on, nothing is decided by them: the key may have been withdrawn longer ago than one may be accepted.
    pub(super) async fn with_overdue_keys<T>(
        self: &Arc<Self>,
        of: KeysOf,
        token: &str,
        judge: impl Fn() -> Result<T, CallerError>,
    ) -> Result<T, CallerError> {
        self.ensure_background();
        let Some(keys) = self.verifier(of).fetched_keys_of(token) else { return judge() };
        let undecided = |why: &str| {
            let reason =
                format!("the keys of its issuer are to be fetched again before its token is accepted, {why}");
            if let Some(count) = keys.undecided_by_overdue.note(self.age_time(), COOL_DOWN) {
                let issuer = keys.label();
                tracing::warn!(
                    count,
                    issuer,
                    reason,
                    "auth: tokens are answered 503 until the keys of their issuer are fetched, which are overdue"
                );
            }
            CallerError::new(CallerErrorKind::Unavailable, reason).provoked()
        };
        match keys.overdue(self.age_time()) {
            Overdue::Settled => {}
            Overdue::Full => return Err(undecided("and 1,000 requests wait for them already")),
            Overdue::Wait(run, waiting) => {
                if let Some(run) = run {
                    self.fetch(of, keys, run);
                }
                if timeout(LONGEST_WAIT, waiting.ended()).await.is_err() {
                    let seconds = LONGEST_WAIT.as_secs();
                    return Err(undecided(&format!("which takes longer than {seconds} s")));
                }
            }
        }
        judge()
    }

    /// Whether [`with_new_keys`](Self::with_new_keys) would wait for a fetch at this time.
    pub(crate) fn would_wait_for_keys(
        &self,
        (of, kind): (KeysOf, TextKind),
        token: &str,
        now: Duration,
    ) -> bool {
        let keys = self.verifier(of).fetched_keys_for(token, kind);
        keys.is_some_and(|keys| keys.would_wait(now))
    }

    /// A token that is refused may be of a key that is not known here: its issuer's keys are fetched, and it is judged again. `judge` is
    /// how it is judged, and `refused` how it was, at this time. It is a text of this kind, of one of these issuers.
    ///
    /// A refusal is final only where a fetch that began after the request succeeded; otherwise it can't be decided now.
    pub(crate) async fn with_new_keys<T>(
        self: &Arc<Self>,
        (of, kind): (KeysOf, TextKind),
        token: &str,
        now: Duration,
        refused: CallerError,
        judge: impl Fn() -> Result<T, CallerError>,
    ) -> Result<T, CallerError> {
        let Some(keys) = self.verifier(of).fetched_keys_for(token, kind) else { return Err(refused) };
        // Where it was built without a runtime, this is the first that there is.
        self.ensure_background();
        let undecided = |reason: String| {
            let reason = format!("{reason}{}", self.verifier(of).origin_of(token, &VerifyError::UnknownKey));
            if let Some(count) = keys.undecided.note(self.age_time(), COOL_DOWN) {
                tracing::warn!(
                    count,
                    reason,
                    "auth: tokens of keys that are not known here are answered 503"
                );
            }
            CallerError::new(CallerErrorKind::Unavailable, reason).provoked()
        };
        let (waiting, is_own) = match keys.unknown_key(now) {
            Unknown::Run(run, waiting) => {
                self.fetch(of, keys, run);
                (waiting, true)
            }
            Unknown::Join(waiting) => (waiting, false),
            Unknown::CoolDown(time, None) => {
                let reason = "the token may be of a new key, and the keys of its issuer were fetched too lately to fetch them again";
                return Err(undecided(reason.to_owned()).retry_after(time));
            }
            Unknown::CoolDown(time, Some(failure)) => {
                let reason = format!(
                    "the keys of its issuer can't be fetched: {failure}; the next attempt is in {} s",
                    time.as_millis().div_ceil(1000)
                );
                return Err(undecided(reason).retry_after(time));
            }
            Unknown::Full => {
                let reason = "the token may be of a new key, and 1,000 requests wait for the keys of its issuer already";
                return Err(undecided(reason.to_owned()));
            }
        };
        let failure = ended(&waiting, LONGEST_WAIT).await;
        match judge() {
            Err(refused) if refused.is_of_unknown_key() && (!is_own || failure.is_some()) => {
                let why = failure.map(|failure| failure.text);
                let why = why.unwrap_or_else(|| "they were being fetched when it arrived".to_owned());
                let reason =
                    format!("the token may be of a new key, and the keys of its issuer are not known: {why}");
                Err(undecided(reason).retry_after(keys.cool_down(self.age_time())))
            }
            judged => judged,
        }
    }
}

/// Keys that were not fetched at the start.
#[derive(Debug)]
pub(super) struct UnfetchedKeys {
    pub(super) kind: KeySetKind,
    /// Of their issuer, in messages.
    pub(super) label: String,
    pub(super) name: String,
    pub(super) failure: FetchFailure,
}

/// Waits for the end of a fetch, for so long at most. Returns why it failed; `None` if it did not.
async fn ended(waiting: &Waiting<'_>, longest: Duration) -> Option<FetchFailure> {
    timeout(longest, waiting.ended()).await.unwrap_or_else(|_| Some(took_longer_than(longest)))
}

fn took_longer_than(time: Duration) -> FetchFailure {
    FetchFailure::passing(format!("the fetch took longer than {} s", time.as_secs()))
}

fn log_failure(keys: &FetchedKeys, error: &str, outage: Outage) {
    let issuer = keys.label();
    let serve_hours = LONGEST_TRUST.as_secs() / 3600;
    match outage {
        Outage::NeverFetched => tracing::warn!(
            issuer,
            error,
            "auth: the keys of an issuer can't be fetched, and never were: its tokens are answered 503"
        ),
        Outage::Fetched(age) => tracing::warn!(
            issuer,
            error,
            fetched_seconds_ago = age.as_secs(),
            serve_hours,
            "auth: the keys of an issuer can't be fetched: those from before serve for some hours since they were fetched"
        ),
        Outage::TooLongAgo(age) => tracing::error!(
            issuer,
            error,
            fetched_seconds_ago = age.as_secs(),
            serve_hours,
            "auth: the keys of an issuer can't be fetched, and those from before serve no longer: its tokens are answered 503"
        ),
    }
}
