//! Wake-ups: a task with a connection of its own, which waits for the next entry of the log in a blocking read.

use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::redis::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::failure::Failure;
use super::keys::Keys;
use super::link::delay;
use super::request::{Request, read_answer};
use super::target::{Connected, Target};
use super::time_limit::within;
use crate::store::StoreError;

/// How long the server holds a read that finds nothing.
const BLOCK: Duration = Duration::from_secs(5);

/// The streams with new entries, each with the ids and fields of its entries.
type NewEntries = Option<Vec<(Vec<u8>, Vec<(String, Value)>)>>;

/// Knows the sequence of the last entry.
#[derive(Debug)]
pub(super) struct Waiter {
    target: Arc<Target>,
    keys: Arc<Keys>,
    last: Arc<watch::Sender<u64>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Waiter {
    pub(super) fn new(target: Arc<Target>, keys: Arc<Keys>) -> Self {
        Self { target, keys, last: Arc::default(), task: Mutex::new(None) }
    }

    /// Completes when there are entries after this sequence.
    pub(super) fn wait(&self, after: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.start();
        let mut last = self.last.subscribe();
        Box::pin(async move {
            // It fails when the store is gone.
            if last.wait_for(|last| *last > after).await.is_err() {
                pending::<()>().await;
            }
        })
    }

    /// The log is another one: what was the last entry says nothing, until the task has asked.
    pub(super) fn forget(&self) {
        self.last.send_replace(0);
    }

    /// Starts the task, if it does not run: the runtime that it ran on may have ended.
    fn start(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (target, keys) = (Arc::clone(&self.target), Arc::clone(&self.keys));
            let last = Arc::clone(&self.last);
            *task = Some(runtime.spawn(async move { run(&target, &keys, &last).await }));
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

async fn run(target: &Target, keys: &Keys, last: &watch::Sender<u64>) {
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let Err(error) = follow(target, keys, last).await;
        failures = if began.elapsed() > BLOCK { 1 } else { u32::saturating_add(failures, 1) };
        // The log is read every second all the same, which says so if it fails.
        tracing::debug!(%error, "auth: entries of the store in Redis are not waited for, and it is connected to again");
        sleep(delay(failures)).await;
    }
}

/// Follows the log on a new connection, until that fails.
async fn follow(
    target: &Target,
    keys: &Keys,
    last: &watch::Sender<u64>,
) -> Result<std::convert::Infallible, StoreError> {
    let Connected { mut connection, address, .. } = target.connect().await?;
    let sequence = Request::read("HGET").arg(&keys.state).arg("sequence");
    let limit = target.time_limit;
    let mut found_after = None;
    loop {
        let asked = within(limit, sequence.send(&mut connection, None)).await;
        let answer = asked.unwrap_or(Err(Failure::TimeLimit(limit)));
        let seen =
            answer.and_then(read_answer::<Option<u64>>).map_err(|failure| failure.describe(&address))?;
        let seen = seen.unwrap_or_default();
        last.send_replace(seen);
        if found_after.is_some_and(|before| before >= seen) {
            // Or it would be asked without a pause.
            return Err(StoreError::new("the log has entries that its last sequence does not count"));
        }

        let next = Request::read("XREAD")
            .arg(&["COUNT", "1", "BLOCK"])
            .arg(u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX))
            .arg("STREAMS")
            .arg(&keys.log)
            .arg(format!("{seen}-0"));
        let limit = BLOCK + limit;
        let read = within(limit, next.send(&mut connection, None)).await;
        let answer = read.unwrap_or(Err(Failure::TimeLimit(limit)));
        let found =
            answer.and_then(read_answer::<NewEntries>).map_err(|failure| failure.describe(&address))?;
        found_after = found.map(|_| seen);
        if found_after.is_some() {
            // There is one; the next answer says which is the last.
            last.send_replace(seen.saturating_add(1));
        }
    }
}
