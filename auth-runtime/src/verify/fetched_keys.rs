//! When the keys of an issuer are fetched, who waits for that, and for how long the last ones serve.
//!
//! Nothing here fetches: the engine asks what is due, runs it, and says how it ended. All times are of a monotonic clock.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use tokio::sync::watch;

use super::key_set_status::{FetchFailure, KeySetKind, KeySetStatus, Outage};
use super::key_source::Fetch;
use crate::clock::Throttle;

/// When a set is fetched again whose answer does not say for how long it is fresh.
const REFRESH: Duration = Duration::from_secs(10 * 60);
/// How long a key that was withdrawn is accepted at most, while the provider answers.
const LONGEST_USE: Duration = Duration::from_secs(60 * 60);
/// The bounds of what an answer may say. From the greater one to the end of the longest use is time for a fetch that fails as late as it can,
/// and for one after the cool-down that takes as long.
const REFRESH_BOUNDS: [Duration; 2] = [
    Duration::from_secs(60),
    LONGEST_USE.saturating_sub(LONGEST_FETCH.saturating_mul(2).saturating_add(COOL_DOWN)),
];
/// How long after a fetch for an unknown key, or one that failed, the next begins.
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(30);
/// How long the last keys serve while the provider does not answer.
pub(crate) const LONGEST_TRUST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long one fetch takes at most.
pub(crate) const LONGEST_FETCH: Duration = Duration::from_secs(30);
/// When a fetch that has not ended is given up. It is more than the longest one: otherwise the background task, which looks every second, could
/// begin the next fetch before this one is known to have failed.
const GIVEN_UP_AFTER: Duration = LONGEST_FETCH.saturating_add(Duration::from_millis(500));
/// How many requests wait for one issuer's keys at most.
const MAX_WAITING: usize = 1000;

/// The keys of an issuer that are fetched.
pub(crate) struct FetchedKeys {
    /// Which of the verifier's issuers it is.
    pub(super) issuer: usize,
    label: String,
    name: String,
    pub(crate) fetch: Fetch,
    /// Whether the service starts while the provider can't be reached.
    pub(crate) may_start_unreachable: bool,
    schedule: Mutex<Schedule>,
    /// The number of the last fetch that has ended.
    ended: watch::Sender<u64>,
    /// Texts that were not decided, since their keys are not known.
    pub(crate) undecided: Throttle,
    /// Texts that were not decided, since these keys are overdue.
    pub(crate) undecided_by_overdue: Throttle,
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
    failure: Option<FetchFailure>,
    /// How many have failed since one succeeded.
    failures: u64,
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
    began: Duration,
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
    /// One was run for an unknown key, or failed for this reason, so lately that the next begins in this time.
    CoolDown(Duration, Option<String>),
    /// Too many wait.
    Full,
}

/// What a request does whose key is known, and that finds the keys overdue.
pub(crate) enum Overdue<'k> {
    /// Nothing: they were fetched meanwhile, or could not be.
    Settled,
    /// Run the fetch, if there is one here, and wait for its end.
    Wait(Option<Run>, Waiting<'k>),
    /// Too many wait.
    Full,
}

/// One that waits for a fetch. It is left by dropping it.
pub(crate) struct Waiting<'k> {
    keys: &'k FetchedKeys,
    number: u64,
}

impl FetchedKeys {
    /// `label` and `name` are of the issuer: in messages, and for those who compare it.
    pub(super) fn new(
        issuer: usize,
        (label, name): (String, String),
        fetch: Fetch,
        may_start_unreachable: bool,
    ) -> Self {
        let (ended, _) = watch::channel(0);
        let [undecided, undecided_by_overdue] = [Throttle::default(), Throttle::default()];
        Self {
            issuer,
            label,
            name,
            fetch,
            may_start_unreachable,
            schedule: Mutex::default(),
            ended,
            undecided,
            undecided_by_overdue,
        }
    }

    /// The issuer, in messages.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The name of the issuer.
    pub(crate) fn name(&self) -> &str {
        &self.name
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

    /// For a request that finds the keys overdue, since what refreshes them did not run.
    pub(crate) fn overdue(&self, now: Duration) -> Overdue<'_> {
        let mut schedule = self.schedule();
        let running = schedule.running(now);
        if running.is_none() && now < schedule.next_refresh {
            return Overdue::Settled;
        }
        if schedule.waiting >= MAX_WAITING {
            return Overdue::Full;
        }
        let begun = running.is_none().then(|| schedule.begin(now, false));
        // The fetch that is running is the last that began.
        let number = schedule.begun;
        Overdue::Wait(begun, self.wait_for(&mut schedule, number))
    }

    /// Whether a request whose token may be of a key that is not known here would wait.
    pub(crate) fn would_wait(&self, now: Duration) -> bool {
        !self.schedule().cools_down(now)
    }

    /// For a request whose token may be of a key that is not known here.
    pub(crate) fn unknown_key(&self, now: Duration) -> Unknown<'_> {
        let mut schedule = self.schedule();
        let running = schedule.running(now);
        if schedule.cools_down(now) {
            let failure = schedule.failure.as_ref().map(|failure| failure.text.clone());
            return Unknown::CoolDown(schedule.cool_until - now, failure);
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

    /// A fetch has brought the keys of this text, and they are used. Returns how many have failed before it.
    pub(super) fn succeeded(
        &self,
        run: Run,
        text: TextHash,
        fresh_for: Option<Duration>,
        at: SystemTime,
    ) -> u64 {
        let mut schedule = self.schedule();
        let mut failures = 0;
        if schedule.end(run) {
            let [least, most] = REFRESH_BOUNDS;
            schedule.next_refresh = run.began + fresh_for.unwrap_or(REFRESH).clamp(least, most);
            if run.is_for_unknown_key {
                schedule.cool_until = run.began + COOL_DOWN;
            }
            schedule.last_success = Some(Success { number: run.number, began: run.began, at, text });
            schedule.failure = None;
            failures = std::mem::take(&mut schedule.failures);
        }
        drop(schedule);
        self.ended.send_modify(|ended| *ended = run.number.max(*ended));
        failures
    }

    /// Returns what it means for tokens.
    pub(super) fn failed(&self, run: Run, failure: FetchFailure, now: Duration) -> Outage {
        let mut schedule = self.schedule();
        if schedule.end(run) {
            schedule.next_refresh = run.began + COOL_DOWN;
            schedule.cool_until = run.began + COOL_DOWN;
            schedule.failure = Some(failure);
            schedule.failures += 1;
        }
        let outage = match schedule.last_success.map(|success| now.saturating_sub(success.began)) {
            None => Outage::NeverFetched,
            Some(age) if age < LONGEST_TRUST => Outage::Fetched(age),
            Some(age) => Outage::TooLongAgo(age),
        };
        drop(schedule);
        self.ended.send_modify(|ended| *ended = run.number.max(*ended));
        outage
    }

    /// From when on it is certain that nothing refreshes them: a refresh that is due begins within a second, and one that fails is repeated.
    pub(super) fn overdue_at(&self) -> Duration {
        self.schedule().next_refresh.saturating_add(LONGEST_FETCH + COOL_DOWN)
    }

    /// Whether this fetch is the one whose answer counts: one that was given up, since it took too long, changes nothing any more.
    pub(super) fn counts(&self, run: Run) -> bool {
        self.schedule().running.is_some_and(|running| running.number == run.number)
    }

    /// Whether the set that is used has this text.
    pub(super) fn are_of(&self, text: TextHash) -> bool {
        self.schedule().last_success.is_some_and(|success| success.text == text)
    }

    pub(super) fn status(&self, kind: KeySetKind, keys: usize, ready: bool) -> KeySetStatus {
        let schedule = self.schedule();
        KeySetStatus {
            issuer: self.name.clone(),
            kind,
            keys,
            fetched_at: schedule.last_success.map(|success| success.at),
            failure: schedule.failure.as_ref().map(|failure| failure.text.clone()),
            ready,
        }
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    /// Whether no fetch is running, and none may begin for an unknown key.
    fn cools_down(&self, now: Duration) -> bool {
        self.running(now).is_none() && now < self.cool_until
    }

    /// The fetch that is running. One whose runtime ended never ends: it is given up.
    fn running(&self, now: Duration) -> Option<Run> {
        self.running.filter(|run| now.saturating_sub(run.began) <= GIVEN_UP_AFTER)
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
    pub(crate) async fn ended(&self) -> Option<FetchFailure> {
        let mut ended = self.keys.ended.subscribe();
        // The sender lives as long as `self`.
        let _ = ended.wait_for(|ended| *ended >= self.number).await;
        let schedule = self.keys.schedule();
        let has_succeeded = schedule.last_success.is_some_and(|success| success.number >= self.number);
        let failure = schedule.failure.clone();
        (!has_succeeded).then(|| failure.unwrap_or_else(|| FetchFailure::passing("the fetch was given up")))
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
mod tests;
