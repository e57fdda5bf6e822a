//! Wake-ups: a task with a connection of its own, which waits for the next entry of the log in a blocking read.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{FromRedisValue, Value};
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
use crate::store::{StoreError, WakeUpFuture};

/// How long the server holds a read that finds nothing.
const BLOCK: Duration = Duration::from_secs(5);

/// Ids and fields.
type Entries = Vec<(String, Value)>;

/// Knows the sequence of the newest entry that is there.
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
    pub(super) fn wait(&self, after: u64) -> WakeUpFuture {
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
async fn follow(target: &Target, keys: &Keys, last: &watch::Sender<u64>) -> Result<Infallible, StoreError> {
    let Connected { mut connection, address, .. } = target.connect().await?;
    let limit = target.time_limit;
    // Not the last sequence: where all after a reader's cursor were dropped, there is nothing to read.
    let newest = Request::read("XREVRANGE").arg(&keys.log).arg(&["+", "-", "COUNT", "1"]);
    loop {
        let found: Entries = ask(&newest, &mut connection, limit, &address).await?;
        let newest = sequence_of_first(&found);
        last.send_replace(newest);
        let next = Request::read("XREAD")
            .arg(&["COUNT", "1", "BLOCK"])
            .arg(u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX))
            .arg("STREAMS")
            .arg(&keys.log)
            .arg(format!("{newest}-0"));
        let found: Option<Vec<(Vec<u8>, Entries)>> =
            ask(&next, &mut connection, BLOCK + limit, &address).await?;
        if let Some((_, entries)) = found.as_deref().and_then(<[_]>::first) {
            // There may be more; the next answer says which is the newest.
            last.send_replace(sequence_of_first(entries));
        }
    }
}

async fn ask<T: FromRedisValue>(
    request: &Request,
    connection: &mut MultiplexedConnection,
    limit: Duration,
    address: &str,
) -> Result<T, StoreError> {
    let asked = within(limit, request.send(connection, None)).await;
    let answer = asked.unwrap_or(Err(Failure::TimeLimit(limit)));
    answer.and_then(read_answer).map_err(|failure| failure.describe(address))
}

/// 0 if there is none.
fn sequence_of_first(entries: &[(String, Value)]) -> u64 {
    let id = entries.first().map_or("", |(id, _)| id);
    id.split('-').next().and_then(|sequence| sequence.parse().ok()).unwrap_or_default()
}
