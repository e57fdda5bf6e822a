//! The keys of issuers are fetched: at the start, when they are due, and when a token may be of a key that is not known here.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Auth, Engine};
use crate::catch_panic::catch_panic_of;
use crate::rejection::{CallerError, CallerErrorKind};
use crate::verify::{FetchedKeys, JwtVerifier, KeySetStatus, LONGEST_FETCH, Run, TextKind, Unknown};

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
}

impl Auth {
    /// The state of the key sets that are fetched ([`jwks_from`](crate::verify::TrustedIssuer::jwks_from), and with the feature `jwks`
    /// `discover`, `jwks_url` and presets), one for each issuer that has such: for a readiness probe and for an operator.
    #[must_use]
    pub fn key_sets(&self) -> Vec<KeySetStatus> {
        let engine = self.engine();
        let now = engine.monotonic();
        KeysOf::ALL.iter().flat_map(|of| engine.verifier(*of).key_set_status(now)).collect()
    }
}

impl Engine {
    /// Whether tokens of every issuer can be verified, but for those that the service may start without.
    pub(crate) fn has_keys(&self) -> bool {
        self.authentication.jwt.has_keys(self.monotonic())
    }

    /// Has the keys fetched that are due.
    pub(super) fn refresh_keys(self: &Arc<Self>) {
        for (of, keys) in self.fetched_keys() {
            if let Some(run) = keys.due(self.monotonic()) {
                self.fetch(of, keys, run);
            }
        }
    }

    /// Fetches the keys that were never fetched. Returns what failed: the issuer, and why.
    pub(super) async fn fetch_first_keys(self: &Arc<Self>) -> Vec<(String, String)> {
        let mut failures = Vec::new();
        let now = self.monotonic();
        let begun = self.fetched_keys().filter_map(|(of, keys)| {
            let (run, waiting) = keys.first(now)?;
            if let Some(run) = run {
                self.fetch(of, keys, run);
            }
            Some((keys, waiting))
        });
        // All of them begin before one is waited for.
        for (keys, waiting) in begun.collect::<Vec<_>>() {
            let failure = timeout(LONGEST_FETCH, waiting.ended())
                .await
                .unwrap_or_else(|_| Some(format!("it took longer than {} s", LONGEST_FETCH.as_secs())));
            if let Some(failure) = failure.filter(|_| !keys.may_start_unreachable) {
                failures.push((keys.label().to_owned(), failure));
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
                Ok(Ok(answer)) => answer.map_err(|error| error.to_string()),
                Ok(Err(panic)) => Err(format!("the function that fetches the keys {panic}")),
                Err(_) => Err(format!("the fetch took longer than {} s", LONGEST_FETCH.as_secs())),
            };
            let Some(engine) = engine.upgrade() else { return };
            match engine.verifier(of).take_fetched(&keys, run, answer, engine.now()) {
                Ok(is_withdrawn) => {
                    if is_withdrawn {
                        engine.keys_replaced();
                    }
                }
                Err(error) => tracing::warn!(
                    issuer = keys.label(),
                    error,
                    "auth: the keys of an issuer can't be fetched: those from before serve for 24 hours since they were fetched"
                ),
            }
        });
    }

    /// A token that is refused may be of a key that is not known here: its issuer's keys are fetched, and it is judged again. `judge` is
    /// how it is judged, and `refused` how it was. It is a text of this kind, of one of these issuers.
    ///
    /// A refusal is final only where a fetch that began after the request succeeded; otherwise it can't be decided now.
    pub(crate) async fn with_new_keys<T>(
        self: &Arc<Self>,
        (of, kind): (KeysOf, TextKind),
        token: &str,
        refused: CallerError,
        judge: impl Fn() -> Result<T, CallerError>,
    ) -> Result<T, CallerError> {
        let Some(keys) = self.verifier(of).fetched_keys_for(token, kind) else { return Err(refused) };
        let (waiting, is_own) = match keys.unknown_key(self.monotonic()) {
            Unknown::Run(run, waiting) => {
                self.fetch(of, keys, run);
                (waiting, true)
            }
            Unknown::Join(waiting) => (waiting, false),
            Unknown::CoolDown(time) => {
                let reason = "the token may be of a new key, and the keys of its issuer were fetched too lately to fetch them again";
                return Err(CallerError::new(CallerErrorKind::Unavailable, reason).retry_after(time));
            }
            Unknown::Full => {
                let reason = "the token may be of a new key, and 1,000 requests wait for the keys of its issuer already";
                return Err(CallerError::new(CallerErrorKind::Unavailable, reason));
            }
        };
        let failure = match timeout(LONGEST_WAIT, waiting.ended()).await {
            Ok(failure) => failure,
            Err(_) => Some(format!("they did not arrive within {} s", LONGEST_WAIT.as_secs())),
        };
        match judge() {
            Err(refused) if refused.is_of_unknown_key() && (!is_own || failure.is_some()) => {
                let why = failure.unwrap_or_else(|| "they were being fetched when it arrived".to_owned());
                let reason =
                    format!("the token may be of a new key, and the keys of its issuer are not known: {why}");
                let unavailable = CallerError::new(CallerErrorKind::Unavailable, reason);
                Err(unavailable.retry_after(keys.cool_down(self.monotonic())))
            }
            judged => judged,
        }
    }
}
