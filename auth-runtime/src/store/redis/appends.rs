//! The queue of appends: one call for all that wait.
//!
//! A task sends them, on the runtime of the caller that found none at work, and ends when none waits. If its runtime ends, or is not driven
//! any more, another caller starts another: a call ends before the time limit of its callers, so a task that has not gone on for that long is
//! not driven.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::yield_now;

use super::RedisStore;
use super::failure::Failure;
use super::link::outside_of_runtime;
use super::time_limit::within;
use crate::store::{LogEntry, StoreError};

/// The maximum number of entries in one call, unless the first append has more. The server does nothing else meanwhile: about 5
/// milliseconds.
const MAX_ENTRIES: usize = 1000;

/// The maximum number of appends that wait in the queue. Further callers wait to be in it.
const MAX_WAITING: usize = 1024;

/// The queue.
#[derive(Debug)]
pub(super) struct Appends {
    state: Mutex<State>,
    places: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Append>,
    /// The number of the task that sends what waits.
    sender: Option<u64>,
    /// How many such tasks there were.
    senders: u64,
    /// When the task was started, or has taken what it sends.
    since: Option<Instant>,
}

#[derive(Debug)]
struct Append {
    entries: Vec<LogEntry>,
    answer: oneshot::Sender<Result<(), StoreError>>,
    _place: OwnedSemaphorePermit,
}

impl Default for Appends {
    fn default() -> Self {
        Self { state: Mutex::default(), places: Arc::new(Semaphore::new(MAX_WAITING)) }
    }
}

impl Appends {
    /// Appends all of these entries, with those of others. What is in the queue is appended also if its caller no longer waits: it revokes
    /// something.
    pub(super) async fn append(store: &RedisStore, entries: Vec<LogEntry>) -> Result<(), StoreError> {
        Handle::try_current().map_err(|_| outside_of_runtime())?;
        let this = &store.inner.appends;
        let asked = async {
            // It is never closed.
            let place = Arc::clone(&this.places).acquire_owned().await.ok()?;
            let (answer, answered) = oneshot::channel();
            this.push(Append { entries, answer, _place: place }, store);
            answered.await.ok()
        };
        let limit = store.target().time_limit;
        match within(limit, asked).await {
            Some(Some(answer)) => answer,
            Some(None) => Err(Failure::RuntimeEnded.describe(store.target())),
            None => {
                this.go_on(store);
                Err(Failure::TimeLimit(limit).describe(store.target()))
            }
        }
    }

    fn push(&self, append: Append, store: &RedisStore) {
        self.state().waiting.push_back(append);
        self.go_on(store);
    }

    /// Has what waits sent, if no task is at work, or the one that is has not gone on for too long.
    fn go_on(&self, store: &RedisStore) {
        let limit = store.target().time_limit;
        let mut state = self.state();
        if state.since.is_some_and(|since| since.elapsed() >= of_a_task(limit)) {
            state.sender = None;
        }
        let started = if state.waiting.is_empty() { None } else { state.start() };
        drop(state);
        spawn(started, store);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the number of a task that must be started, if none is at work.
    fn start(&mut self) -> Option<u64> {
        if self.sender.is_some() {
            return None;
        }
        self.senders = self.senders.wrapping_add(1);
        self.sender = Some(self.senders);
        self.since = Some(Instant::now());
        self.sender
    }

    /// What is sent next by the task of this number: nothing if it was replaced. If nothing waits, the task is at work no more.
    fn take(&mut self, number: u64) -> (Vec<LogEntry>, Vec<oneshot::Sender<Result<(), StoreError>>>) {
        let (mut entries, mut answers) = (Vec::new(), Vec::new());
        if self.sender != Some(number) {
            return (entries, answers);
        }
        while let Some(next) = self.waiting.front()
            && (answers.is_empty() || entries.len() + next.entries.len() <= MAX_ENTRIES)
            && let Some(append) = self.waiting.pop_front()
        {
            entries.extend(append.entries);
            answers.push(append.answer);
        }
        (self.sender, self.since) =
            if answers.is_empty() { (None, None) } else { (Some(number), Some(Instant::now())) };
        (entries, answers)
    }
}

/// How long a call takes at most: less than its callers wait, so that they learn of its failure, and what waits is sent on another connection.
fn of_a_call(limit: Duration) -> Duration {
    limit * 3 / 4
}

/// How long a task that is driven does not go on at most.
fn of_a_task(limit: Duration) -> Duration {
    limit * 7 / 8
}

/// Starts the task of this number. The state is not locked: where the runtime is ending, the task is dropped at once.
fn spawn(number: Option<u64>, store: &RedisStore) {
    let Some(number) = number else { return };
    let sending = Sender { store: store.clone(), number }.send_all();
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(sending);
    }
}

/// The task that sends what waits.
struct Sender {
    store: RedisStore,
    number: u64,
}

impl Sender {
    async fn send_all(self) {
        loop {
            // Those that were answered together append again together. The first of them would be alone in its call.
            yield_now().await;
            let (entries, answers) = self.store.inner.appends.state().take(self.number);
            if answers.is_empty() {
                return;
            }
            let limit = of_a_call(self.store.target().time_limit);
            let result = self.store.append_at_once(&entries, limit).await;
            for answer in answers {
                // It fails if the future of the caller was dropped.
                let _ = answer.send(result.clone());
            }
        }
    }
}

/// With the runtime of the task. What waits is not sent by it any more, and its callers learn of it at once.
impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.store.inner.appends.state();
        if state.sender == Some(self.number) {
            (state.sender, state.since) = (None, None);
            let waiting = mem::take(&mut state.waiting);
            drop(state);
            drop(waiting);
        }
    }
}
