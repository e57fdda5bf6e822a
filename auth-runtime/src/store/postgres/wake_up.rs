//! The wake-up: other instances say by `NOTIFY` that they have appended, and this one listens on a connection of its own.
//!
//! It is a hint. One that is lost costs no more than the time until the next read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::database::Database;
use crate::store::WakeUpFuture;

/// The channel, one for all schemas of a database. The payload is the number of the last entry, a space, and the schema.
const CHANNEL: &str = "auth_runtime_log";

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// After this time without a notification, the connection is tested: a network can lose it without a word.
const TEST_EVERY: Duration = Duration::from_secs(30);

/// What notifications have said to this instance.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// How often.
    times: u64,
    /// There may be entries up to this number.
    up_to: u64,
}

/// What notifications have said of the log, and the task that listens.
#[derive(Debug, Default)]
pub(super) struct WakeUp {
    heard: watch::Sender<Heard>,
    listener: Mutex<Option<AbortHandle>>,
}

/// How many notifications of entries had arrived when a read began.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadBegan(u64);

impl WakeUp {
    /// The statement that wakes the others.
    pub(super) fn statement(database: &Database, last: u64) -> String {
        let payload = format!("{last} {}", database.schema());
        let digits = payload.bytes().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
        database.text(|all| &all.wake_up).replace("{payload}", &digits)
    }

    /// There may be entries up to this number.
    pub(super) fn hear(&self, sequence: u64) {
        self.heard.send_modify(|heard| {
            heard.times = heard.times.wrapping_add(1);
            heard.up_to = heard.up_to.max(sequence);
        });
    }

    pub(super) fn begin_read(&self) -> ReadBegan {
        ReadBegan(self.heard.borrow().times)
    }

    /// A read has found nothing after this number. What was heard before it began is settled: a store that was set back has fewer entries
    /// than it said.
    pub(super) fn end_read(&self, began: ReadBegan, sequence: u64) {
        self.heard.send_if_modified(|heard| {
            if heard.times == began.0 {
                heard.up_to = heard.up_to.min(sequence);
            }
            false
        });
    }

    /// Completes when there may be entries after this number.
    pub(super) fn wait(self: &Arc<Self>, database: &Arc<Database>, after: u64) -> WakeUpFuture {
        let (wake_up, database) = (Arc::clone(self), Arc::clone(database));
        Box::pin(async move {
            let mut heard = wake_up.heard.subscribe();
            wake_up.listen(&database);
            // The sender is not dropped while this future has it.
            let _ = heard.wait_for(|heard| heard.up_to > after).await;
        })
    }

    /// Starts the task, once.
    fn listen(self: &Arc<Self>, database: &Database) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(runtime) = Handle::try_current() else { return };
        if listener.as_ref().is_none_or(AbortHandle::is_finished) && !database.is_pooled() {
            let listening = Listening {
                wake_up: Arc::clone(self),
                options: (*database.pool().connect_options()).clone(),
                schema: database.schema().to_owned(),
                time_limit: database.time_limit(),
            };
            *listener = Some(runtime.spawn(listening.run()).abort_handle());
        }
    }

    /// Ends the task.
    pub(super) fn stop(&self) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = &*listener {
            listener.abort();
        }
    }
}

/// The task that listens.
struct Listening {
    wake_up: Arc<WakeUp>,
    options: PgConnectOptions,
    schema: String,
    time_limit: Duration,
}

impl Listening {
    async fn run(self) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.listen(&mut backoff).await {
                Ok(()) => tracing::debug!("auth: the connection that listens for revocations was lost"),
                // Every second it is read all the same.
                Err(error) => tracing::debug!(%error, "auth: listening for revocations failed"),
            }
            sleep(backoff).await;
            backoff = LONGEST_BACKOFF.min(backoff * 2);
        }
    }

    /// Listens until the connection is lost.
    async fn listen(&self, backoff: &mut Duration) -> Result<(), sqlx::Error> {
        let connecting = async {
            // The listener takes its connection from a pool: this one is its own.
            let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(self.time_limit);
            let mut listener =
                PgListener::connect_with(&pool.connect_lazy_with(self.options.clone())).await?;
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        let mut listener = self.within_limit(connecting).await?;
        *backoff = FIRST_BACKOFF;
        // While it did not listen, anything can have been appended.
        self.wake_up.hear(u64::MAX);
        loop {
            match timeout(TEST_EVERY, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => self.hear(&notification),
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    self.within_limit(listener.execute("SELECT")).await?;
                }
            }
        }
    }

    fn hear(&self, notification: &PgNotification) {
        if let Some((last, schema)) = notification.payload().split_once(' ')
            && schema == self.schema
        {
            // What can't be read says that there is something.
            self.wake_up.hear(last.parse().unwrap_or(u64::MAX));
        }
    }

    async fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        timeout(self.time_limit, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}
