//! The view of revocations, kept in step with a store's log.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;

use super::RevocationView;
use crate::clock::unix_seconds;
use crate::store::{LoggedRevocation, RevocationLog, StoreError};

/// How many entries of the log are read at a time.
const PAGE: usize = 4096;

/// Before the first confirmation.
const NEVER: i64 = i64::MIN;

/// What is revoked, and how that is known.
#[derive(Debug)]
pub(crate) struct RevocationState {
    view: RevocationView,
    /// `None`: what this process revokes is all there is.
    followed: Option<Followed>,
}

/// A log that is followed.
#[derive(Debug)]
struct Followed {
    log: Arc<dyn RevocationLog>,
    /// The cursor up to which the log is in the view. Held while the log is read: one reader at a time.
    reader: Mutex<u64>,
    /// The same, to be looked at.
    cursor: AtomicU64,
    /// The time, in seconds since the epoch, of which it is known that all that was in the log then is in the view.
    confirmed_at: AtomicI64,
    /// In seconds.
    max_staleness: i64,
    read_failure: StdMutex<Option<StoreError>>,
    write_failure: StdMutex<Option<StoreError>>,
}

/// How the view of revocations stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// How many revocations are held.
    pub entries: usize,
    /// How many bytes of memory they take.
    pub bytes: usize,
    /// Up to which cursor the store's log is in the view; 0 where there is no store.
    pub cursor: u64,
    /// When the view was last known to hold all of the log; `None` if it never was. Without a store it is always now.
    pub confirmed_at: Option<SystemTime>,
    /// Whether requests are served: a view that is older than `max_staleness`, or was never complete, answers 503.
    pub ready: bool,
    /// Why the last attempt to read the store, or to record a revocation in it, failed, in words for the log; `None` if none did.
    pub failure: Option<String>,
}

impl RevocationState {
    pub(crate) fn new(term: Duration, log: Option<Arc<dyn RevocationLog>>, max_staleness: Duration) -> Self {
        let followed = log.map(|log| Followed {
            log,
            reader: Mutex::new(0),
            cursor: AtomicU64::new(0),
            confirmed_at: AtomicI64::new(NEVER),
            max_staleness: i64::try_from(max_staleness.as_secs()).unwrap_or(i64::MAX),
            read_failure: StdMutex::new(None),
            write_failure: StdMutex::new(None),
        });
        Self { view: RevocationView::new(term), followed }
    }

    pub(crate) fn view(&self) -> &RevocationView {
        &self.view
    }

    /// Whether the view is young enough to be asked.
    ///
    /// # Errors
    /// Says how old it is.
    pub(crate) fn check_fresh(&self, now: SystemTime) -> Result<(), StoreError> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let age = followed.age(unix_seconds(now));
        match age {
            Some(age) if age <= followed.max_staleness => Ok(()),
            Some(age) => Err(StoreError::new(format!(
                "the store's revocations were last read {age} s ago, and {} s is the bound (`max_staleness`)",
                followed.max_staleness
            ))),
            None => Err(StoreError::new(
                "the store's revocations were not read yet: await `auth.catch_up()` before serving",
            )),
        }
    }

    /// Records, and then enforces.
    pub(crate) async fn revoke(&self, entries: Vec<LoggedRevocation>) -> Result<(), StoreError> {
        if let Some(followed) = &self.followed {
            let appended = followed.log.append(entries.clone()).await;
            set(&followed.write_failure, appended.as_ref().err());
            appended?;
        }
        self.view.apply(&entries);
        Ok(())
    }

    /// Whether a store is followed.
    pub(crate) fn has_log(&self) -> bool {
        self.followed.is_some()
    }

    /// Reads what is new in the log, to its end.
    pub(crate) async fn catch_up(&self, now: SystemTime) -> Result<(), StoreError> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let result = followed.read_on(&self.view).await;
        match &result {
            Ok(()) => followed.confirmed_at.store(unix_seconds(now), Ordering::Release),
            Err(error) => tracing::error!(%error, "auth: the revocations can't be read from the store"),
        }
        set(&followed.read_failure, result.as_ref().err());
        result
    }

    /// Drops a batch of what may go, here and in the store; whether there is more.
    pub(crate) async fn drop_expired(&self, now: SystemTime) -> Result<bool, StoreError> {
        self.view.drop_expired(unix_seconds(now));
        match &self.followed {
            Some(followed) => followed.log.drop_expired(now).await,
            None => Ok(false),
        }
    }

    pub(crate) fn status(&self, now: SystemTime) -> RevocationStatus {
        let (entries, bytes) = self.view.size();
        let followed = self.followed.as_ref();
        let confirmed_at = match followed {
            None => Some(now),
            Some(followed) => match followed.confirmed_at.load(Ordering::Acquire) {
                NEVER => None,
                seconds => UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))),
            },
        };
        RevocationStatus {
            entries,
            bytes,
            cursor: followed.map_or(0, |followed| followed.cursor.load(Ordering::Acquire)),
            confirmed_at,
            ready: self.check_fresh(now).is_ok(),
            failure: followed.and_then(Followed::failure),
        }
    }
}

impl Followed {
    async fn read_on(&self, view: &RevocationView) -> Result<(), StoreError> {
        let mut cursor = self.reader.lock().await;
        loop {
            let page = self.log.read(*cursor, PAGE).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            view.apply(&page.entries);
            *cursor = page.cursor;
            self.cursor.store(page.cursor, Ordering::Release);
        }
    }

    /// In seconds. A clock that was set back makes no view young: it is as old as the jump is wide.
    fn age(&self, now: i64) -> Option<i64> {
        match self.confirmed_at.load(Ordering::Acquire) {
            NEVER => None,
            confirmed_at => Some(now.saturating_sub(confirmed_at).saturating_abs()),
        }
    }

    /// Why the last read failed, or the last write.
    fn failure(&self) -> Option<String> {
        let failures = [&self.read_failure, &self.write_failure];
        failures.into_iter().find_map(|failure| {
            Some(failure.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.to_string())
        })
    }
}

fn set(failure: &StdMutex<Option<StoreError>>, to: Option<&StoreError>) {
    *failure.lock().unwrap_or_else(PoisonError::into_inner) = to.cloned();
}
