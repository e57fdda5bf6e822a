//! When the keys of an issuer are fetched, who waits for that, and for how long the last ones serve.
//!
//! Nothing here fetches: the engine asks what is due, runs it, and says how it ended. All times are of a monotonic clock.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use tokio::sync::watch;

use super::key_source::Fetch;

/// When a set is fetched again whose answer does not say for how long it is fresh.
const REFRESH: Duration = Duration::from_secs(10 * 60);
/// The bounds of what an answer may say. A key that was withdrawn is accepted no longer than the greater one, while the provider answers.
const REFRESH_BOUNDS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(60 * 60)];
/// How long after a fetch for an unknown key, or one that failed, the next begins.
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(30);
/// How long the last keys serve while the provider does not answer.
pub(crate) const LONGEST_TRUST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long one fetch takes at most.
pub(crate) const LONGEST_FETCH: Duration = Duration::from_secs(30);
/// How many requests wait for one issuer's keys at most.
const MAX_WAITING: usize = 1000;

/// The keys of an issuer that are fetched.
pub(crate) struct FetchedKeys {
    /// Which of the verifier's issuers it is.
    pub(super) issuer: usize,
    label: String,
    pub(crate) fetch: Fetch,
    /// Whether the service starts while the provider can't be reached.
    pub(crate) may_start_unreachable: bool,
    schedule: Mutex<Schedule>,
    /// The number of the last fetch that has ended.
    ended: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Schedule {
    /// The number of the last fetch that began.
    begun: u64,
    /// The one that is running.
    running: Option<Run>,
    next_refresh: Duration,
    /// No unknown key has one begin before.
    cool_until: Duration,
    last_success: Option<Success>,
    failure: Option<String>,
    waiting: usize,
}

/// A fetch that is running.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    number: u64,
    began: Duration,
    /// Whether a request with an unknown key has it run.
    is_for_unknown_key: bool,
}

#[derive(Clone, Copy, Debug)]
struct Success {
    number: u64,
    at: SystemTime,
    text: TextHash,
}

/// The hash of a set's text: the same text changes nothing, and what is skipped in it was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextHash([u8; SHA256_OUTPUT_LEN]);

impl TextHash {
    pub(super) fn of(jwks: &str) -> Self {
        let mut hash = [0; SHA256_OUTPUT_LEN];
        hash.copy_from_slice(digest(&SHA256, jwks.as_bytes()).as_ref());
        Self(hash)
    }
}

/// What a request with an unknown key does.
pub(crate) enum Unknown<'k> {
    /// Run this fetch, and wait for it. What it does not bring, there is not.
    Run(Run, Waiting<'k>),
    /// Wait for one that began before.
    Join(Waiting<'k>),
    /// One was run for an unknown key, or failed, so lately that the next begins in this time.
    CoolDown(Duration),
    /// Too many wait.
    Full,
}

/// One that waits for a fetch. It is left by dropping it.
pub(crate) struct Waiting<'k> {
    keys: &'k FetchedKeys,
    number: u64,
}

/// The state of the keys of an issuer that are fetched: [`Auth::key_sets`](crate::Auth::key_sets).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySetStatus {
    /// The issuer, as its `TrustedIssuer` names it.
    pub issuer: String,
    /// How many keys there are.
    pub keys: usize,
    /// When they were fetched last; `None`: never.
    pub fetched_at: Option<SystemTime>,
    /// Why the last fetch failed, as a text for the log; `None`: it did not fail.
    pub failure: Option<String>,
    /// Whether tokens of the issuer are verified. If not, they are answered 503.
    pub ready: bool,
}

impl FetchedKeys {
    pub(super) fn new(issuer: usize, label: String, fetch: Fetch, may_start_unreachable: bool) -> Self {
        let (ended, _) = watch::channel(0);
        Self { issuer, label, fetch, may_start_unreachable, schedule: Mutex::default(), ended }
    }

    /// The issuer, in messages.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// A fetch to run now, if the keys are due and none is running.
    pub(crate) fn due(&self, now: Duration) -> Option<Run> {
        let mut schedule = self.schedule();
        let is_due = now >= schedule.next_refresh && schedule.running(now).is_none();
        is_due.then(|| schedule.begin(now, false))
    }

    /// For the start of a service: waits for the first fetch, and runs it if none is running; `None` if there was one.
    pub(crate) fn first(&self, now: Duration) -> Option<(Option<Run>, Waiting<'_>)> {
        let mut schedule = self.schedule();
        if schedule.last_success.is_some() {
            return None;
        }
        let running = schedule.running(now);
        let run = running.is_none().then(|| schedule.begin(now, false));
        let waiting = self.wait_for(&mut schedule, running.or(run)?.number);
        Some((run, waiting))
    }

    /// For a request whose token may be of a key that is not known here.
    pub(crate) fn unknown_key(&self, now: Duration) -> Unknown<'_> {
        let mut schedule = self.schedule();
        let running = schedule.running(now);
        if running.is_none() && now < schedule.cool_until {
            return Unknown::CoolDown(schedule.cool_until - now);
        }
        if schedule.waiting >= MAX_WAITING {
            return Unknown::Full;
        }
        match running {
            Some(run) => Unknown::Join(self.wait_for(&mut schedule, run.number)),
            None => {
                let run = schedule.begin(now, true);
                Unknown::Run(run, self.wait_for(&mut schedule, run.number))
            }
        }
    }

    /// How long until a request with an unknown key may have the next fetch begin.
    pub(crate) fn cool_down(&self, now: Duration) -> Duration {
        self.schedule().cool_until.saturating_sub(now)
    }

    fn wait_for(&self, schedule: &mut Schedule, number: u64) -> Waiting<'_> {
        schedule.waiting += 1;
        Waiting { keys: self, number }
    }

    /// A fetch has brought the keys of this text, and they are used.
    pub(super) fn succeeded(&self, run: Run, text: TextHash, fresh_for: Option<Duration>, at: SystemTime) {
        let mut schedule = self.schedule();
        if schedule.end(run) {
            let [least, most] = REFRESH_BOUNDS;
            schedule.next_refresh = run.began + fresh_for.unwrap_or(REFRESH).clamp(least, most);
            if run.is_for_unknown_key {
                schedule.cool_until = run.began + COOL_DOWN;
            }
            schedule.last_success = Some(Success { number: run.number, at, text });
            schedule.failure = None;
        }
        drop(schedule);
        self.ended.send_modify(|ended| *ended = run.number.max(*ended));
    }

    pub(super) fn failed(&self, run: Run, failure: String) {
        let mut schedule = self.schedule();
        if schedule.end(run) {
            schedule.next_refresh = run.began + COOL_DOWN;
            schedule.cool_until = run.began + COOL_DOWN;
            schedule.failure = Some(failure);
        }
        drop(schedule);
        self.ended.send_modify(|ended| *ended = run.number.max(*ended));
    }

    /// Whether this fetch is the one whose answer counts: one that was given up, since it took too long, changes nothing any more.
    pub(super) fn counts(&self, run: Run) -> bool {
        self.schedule().running.is_some_and(|running| running.number == run.number)
    }

    /// Whether the set that is used has this text.
    pub(super) fn are_of(&self, text: TextHash) -> bool {
        self.schedule().last_success.is_some_and(|success| success.text == text)
    }

    pub(super) fn status(&self, keys: usize, ready: bool) -> KeySetStatus {
        let schedule = self.schedule();
        KeySetStatus {
            issuer: self.label.clone(),
            keys,
            fetched_at: schedule.last_success.map(|success| success.at),
            failure: schedule.failure.clone(),
            ready,
        }
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    /// The fetch that is running. One whose runtime ended never ends: it is given up.
    fn running(&self, now: Duration) -> Option<Run> {
        self.running.filter(|run| now.saturating_sub(run.began) <= LONGEST_FETCH)
    }

    fn begin(&mut self, now: Duration, is_for_unknown_key: bool) -> Run {
        self.begun += 1;
        let run = Run { number: self.begun, began: now, is_for_unknown_key };
        self.running = Some(run);
        run
    }

    /// Whether it is the one that is running.
    fn end(&mut self, run: Run) -> bool {
        let is_running = self.running.is_some_and(|running| running.number == run.number);
        if is_running {
            self.running = None;
        }
        is_running
    }
}

impl Run {
    /// When it began, by the monotonic clock.
    pub(crate) fn began(self) -> Duration {
        self.began
    }
}

impl Waiting<'_> {
    /// Waits for the end of the fetch, or of a later one. Returns why it failed; `None` if it did not.
    pub(crate) async fn ended(&self) -> Option<String> {
        let mut ended = self.keys.ended.subscribe();
        // The sender lives as long as `self`.
        let _ = ended.wait_for(|ended| *ended >= self.number).await;
        let schedule = self.keys.schedule();
        let has_succeeded = schedule.last_success.is_some_and(|success| success.number >= self.number);
        let failure = schedule.failure.clone();
        (!has_succeeded).then(|| failure.unwrap_or_else(|| "the fetch was given up".to_owned()))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.keys.schedule().waiting -= 1;
    }
}

impl fmt::Debug for FetchedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedKeys").field("issuer", &self.label).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::key_source::{FetchedKeySet, Fetching};
    use super::{FetchedKeys, Run, TextHash, Unknown};

    fn keys() -> FetchedKeys {
        let fetch = || -> Fetching { Box::pin(async { Ok(FetchedKeySet::new("")) }) };
        FetchedKeys::new(0, "issuer `i`".into(), Arc::new(fetch), false)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn succeed(keys: &FetchedKeys, run: Run, fresh_for: Option<u64>) {
        keys.succeeded(run, TextHash::of("keys"), fresh_for.map(seconds), UNIX_EPOCH);
    }

    #[test]
    fn a_refresh_is_due_as_the_answer_says_within_a_minute_and_an_hour() {
        for (fresh_for, expected) in
            [(None, 600), (Some(0), 60), (Some(59), 60), (Some(90), 90), (Some(86_400), 3600)]
        {
            let keys = keys();
            let run = keys.due(seconds(0)).expect("the first is due at once");
            assert!(keys.due(seconds(0)).is_none(), "one runs");
            succeed(&keys, run, fresh_for);
            assert!(keys.due(seconds(expected - 1)).is_none(), "{fresh_for:?}");
            assert!(keys.due(seconds(expected)).is_some(), "{fresh_for:?}");
        }
    }

    #[test]
    fn a_failure_is_tried_again_after_the_cool_down_by_whomever() {
        let keys = keys();
        let run = keys.due(seconds(100)).unwrap();
        keys.failed(run, "down".into());
        assert!(keys.due(seconds(129)).is_none());
        assert!(matches!(keys.unknown_key(seconds(129)), Unknown::CoolDown(time) if time == seconds(1)));
        assert!(keys.due(seconds(130)).is_some());
    }

    #[test]
    fn an_unknown_key_has_one_fetch_run_in_a_cool_down() {
        let keys = keys();
        let run = keys.due(seconds(0)).unwrap();
        succeed(&keys, run, None);
        let Unknown::Run(run, first) = keys.unknown_key(seconds(1)) else {
            panic!("a regular fetch is no cool-down")
        };
        let joined: Vec<_> = (0..999).map(|_| keys.unknown_key(seconds(1))).collect();
        assert!(joined.iter().all(|unknown| matches!(unknown, Unknown::Join(_))));
        assert!(matches!(keys.unknown_key(seconds(1)), Unknown::Full), "1,000 wait");
        succeed(&keys, run, None);
        drop((first, joined));
        assert!(matches!(keys.unknown_key(seconds(2)), Unknown::CoolDown(time) if time == seconds(29)));
        assert!(matches!(keys.unknown_key(seconds(31)), Unknown::Run(..)));
    }

    #[test]
    fn a_fetch_that_never_ends_is_given_up() {
        let keys = keys();
        let lost = keys.due(seconds(0)).unwrap();
        assert!(keys.due(seconds(30)).is_none());
        let second = keys.due(seconds(31)).expect("the first was given up");
        assert!(!keys.counts(lost));
        succeed(&keys, second, None);
        keys.failed(lost, "late".into());
        assert_eq!(keys.status(1, true).failure, None, "what was given up says nothing");
    }

    #[tokio::test]
    async fn who_waits_learns_how_it_ended() {
        let keys = keys();
        let (run, waiting) = keys.first(seconds(0)).unwrap();
        let (none, second) = keys.first(seconds(0)).unwrap();
        assert!(none.is_none(), "one runs");
        keys.failed(run.unwrap(), "down".into());
        assert_eq!(waiting.ended().await.as_deref(), Some("down"));
        assert_eq!(second.ended().await.as_deref(), Some("down"));
        let (run, waiting) = keys.first(seconds(1)).unwrap();
        succeed(&keys, run.unwrap(), None);
        assert_eq!(waiting.ended().await, None);
        assert!(keys.first(seconds(2)).is_none(), "there is a set");
    }
}
