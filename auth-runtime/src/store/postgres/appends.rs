//! The queue of appends: one transaction for all that wait.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::database::{Access, Database};
use super::wake_up::WakeUp;
use crate::clock::unix_seconds;
use crate::store::{LogEntry, StoreError};

/// The maximum number of appends in one transaction, and of those that wait.
const MAX_BATCH: usize = 256;

/// The least time between two wake-ups of other instances: `NOTIFY` locks out those of the whole server until it has committed.
const BETWEEN_WAKE_UPS: Duration = Duration::from_millis(2);

struct Append {
    entries: Vec<LogEntry>,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// The sender of the queue. The task that appends ends when it is dropped, after what waits.
#[derive(Debug)]
pub(super) struct Appends {
    queue: mpsc::Sender<Append>,
}

impl Appends {
    pub(super) fn start(database: &Arc<Database>, wake_up: &Arc<WakeUp>) -> Self {
        let (queue, waiting) = mpsc::channel(MAX_BATCH);
        let (last, appended) = watch::channel(0);
        tokio::spawn(append_all(Arc::clone(database), Arc::clone(wake_up), waiting, last));
        if !database.is_pooled() {
            tokio::spawn(wake_others(Arc::clone(database), appended));
        }
        Self { queue }
    }

    pub(super) async fn append(&self, database: &Database, entries: Vec<LogEntry>) -> Result<(), StoreError> {
        let stopped = || {
            database.place().error(
                "the tokio runtime in which it was connected has ended: connect a store in the runtime that uses it",
            )
        };
        let (answer, answered) = oneshot::channel();
        let asked = async {
            self.queue.send(Append { entries, answer }).await.map_err(|_| stopped())?;
            answered.await.map_err(|_| stopped())?
        };
        // What waits in the queue is appended also if its caller no longer waits: it revokes something.
        timeout(database.time_limit(), asked).await.unwrap_or_else(|_| {
            Err(database.place().error(format_args!(
                "revocations wait for longer than {:?} (`PostgresStoreOptions::time_limit`): see whether the server runs, can be reached, \
                 and is not overloaded. Whether this one is recorded is unknown",
                database.time_limit()
            )))
        })
    }
}

async fn append_all(
    database: Arc<Database>,
    wake_up: Arc<WakeUp>,
    mut waiting: mpsc::Receiver<Append>,
    last: watch::Sender<u64>,
) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
        // Those that were answered together append again together. The first of them has woken this task, and would be alone in its
        // transaction.
        yield_now().await;
        while batch.len() < MAX_BATCH
            && let Ok(append) = waiting.try_recv()
        {
            batch.push(append);
        }
        let (mut entries, mut answers) = (Vec::new(), Vec::new());
        for append in batch.drain(..) {
            entries.extend(append.entries);
            answers.push(append.answer);
        }
        let result = commit(&database, entries).await;
        if let Ok(sequence) = result {
            wake_up.hear(sequence);
            last.send_replace(sequence);
        }
        for answer in answers {
            // It fails if the future of the caller was dropped.
            let _ = answer.send(result.as_ref().map(|_| ()).map_err(Clone::clone));
        }
    }
}

/// Returns the number of the last entry.
async fn commit(database: &Arc<Database>, entries: Vec<LogEntry>) -> Result<u64, StoreError> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let (mut tags, mut times, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        tags.push(entry.tag.cast_signed());
        times.push(unix_seconds(entry.keep_until));
        bytes.push(entry.bytes);
    }
    let statement = database.statement(|all| &all.append).bind(tags).bind(times).bind(bytes);
    let rows = database.run(Access::DurableWrite, statement).await?;
    let numbers = |row: &PgRow| Ok((row.try_get::<i64, _>("last")?, row.try_get::<i64, _>("appended")?));
    let numbers = rows.first().map(numbers).transpose();
    match numbers.map_err(|error: sqlx::Error| database.unreadable("the counter", error))? {
        Some((last, appended)) if appended == count => Ok(last.cast_unsigned()),
        _ => Err(database.place().error(
            "the row of the table `log_counter` is not there, so nothing was recorded: restore the tables, or drop the schema and \
             restart the service. Then users must log in again, and revoked tokens are valid again until they expire",
        )),
    }
}

/// Wakes the other instances after a commit: one `NOTIFY` for all that was appended since the last one.
async fn wake_others(database: Arc<Database>, mut appended: watch::Receiver<u64>) {
    while appended.changed().await.is_ok() {
        let last = *appended.borrow_and_update();
        if let Err(error) = database.run_at_once(&WakeUp::statement(&database, last)).await {
            // They read every second all the same.
            tracing::debug!(%error, "auth: other instances were not woken up");
        }
        tokio::time::sleep(BETWEEN_WAKE_UPS).await;
    }
}
