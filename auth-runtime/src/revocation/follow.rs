//! The view of revocations, and the reader that copies a store's log into it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::{Heartbeat, RevocationView, SubjectCaches};
use crate::clock::unix_seconds;
use crate::store::{LoggedRevocation, Revocation, RevocationLog, StoreError};

/// The number of entries of the log that are read at a time.
const PAGE: usize = 4096;

/// The value before the first complete read.
const NEVER: i64 = i64::MIN;

/// The view of revocations, and how current it is.
#[derive(Debug)]
pub(crate) struct RevocationState {
    view: RevocationView,
    /// `None`: there is no store, so the view holds all revocations of this process.
    followed: Option<Followed>,
    heartbeat: Heartbeat,
}

/// A log that is read into the view.
#[derive(Debug)]
struct Followed {
    log: Arc<dyn RevocationLog>,
    progress: Mutex<Progress>,
    /// The time of the last complete read, in seconds since the epoch. All entries that were in the log then are in the view.
    confirmed_at: AtomicI64,
    /// In seconds.
    max_staleness: i64,
    read_failure: Mutex<Option<StoreError>>,
    write_failure: Mutex<Option<StoreError>>,
    /// Why the store says that it can't be written.
    not_writable: Mutex<Option<StoreError>>,
}

/// How far the log was read. It is never locked while a store is waited for: the runtime of that reader may not be driven.
#[derive(Debug, Default)]
struct Progress {
    /// The cursor up to which the log is in the view.
    cursor: u64,
    /// The number of reads that have begun.
    begun: u64,
    /// The number of the last read to begin among those that have ended.
    ended: u64,
    /// What this process has had forgotten before the log says so: it is in the view already, and counts once.
    own: Vec<LoggedRevocation>,
}

/// The state of the view of revocations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// The number of revocations in the view.
    pub entries: usize,
    /// The memory that they take, in bytes.
    pub bytes: usize,
    /// The cursor up to which the store's log is in the view; 0 without a store.
    pub cursor: u64,
    /// When the view was last known to hold the whole log; `None` if it never was. Without a store it is the current time.
    pub confirmed_at: Option<SystemTime>,
    /// Whether the store can be written, as it said within the last second. If not, a login, a refresh and a logout are answered
    /// 503, and other requests are served. Without a store it is `true`.
    pub writable: bool,
    /// Whether everything is served: the store can be written, and the view is complete and not older than `max_staleness`. If the
    /// view is older, requests with a credential are rejected with 503.
    pub ready: bool,
    /// Why the store's log is not read, or why the last read of the store or the last write to it failed, as a text for the log;
    /// `None` if it is read and nothing failed.
    pub failure: Option<String>,
}

impl RevocationState {
    pub(crate) fn new(
        term: Duration,
        own_issuer: Option<String>,
        log: Option<Arc<dyn RevocationLog>>,
        max_staleness: Duration,
    ) -> Self {
        let followed = log.map(|log| Followed {
            log,
            progress: Mutex::default(),
            confirmed_at: AtomicI64::new(NEVER),
            max_staleness: i64::try_from(max_staleness.as_secs()).unwrap_or(i64::MAX),
            read_failure: Mutex::new(None),
            write_failure: Mutex::new(None),
            not_writable: Mutex::new(None),
        });
        Self { view: RevocationView::new(term, own_issuer), followed, heartbeat: Heartbeat::default() }
    }

    /// The same, which evicts from these caches what the log says.
    pub(crate) fn with_caches(self, caches: SubjectCaches) -> Self {
        Self { view: self.view.with_caches(caches), ..self }
    }

    /// How long an entry must be kept that evicts from caches: every instance has read it by then, or answers 503.
    pub(super) fn longest_eviction(&self) -> Duration {
        let staleness = self.followed.as_ref().map_or(0, |followed| followed.max_staleness);
        let staleness = Duration::from_secs(u64::try_from(staleness).unwrap_or_default());
        self.view.longest_cache().saturating_add(staleness)
    }

    pub(crate) fn view(&self) -> &RevocationView {
        &self.view
    }

    pub(crate) fn heartbeat(&self) -> &Heartbeat {
        &self.heartbeat
    }

    /// Checks that the view is current enough to decide.
    ///
    /// # Errors
    /// [`StoreError`], whose text says how old the view is.
    pub(crate) fn check_fresh(&self, now: SystemTime) -> Result<(), StoreError> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let age = followed.age(unix_seconds(now));
        match age {
            Some(age) if age <= followed.max_staleness => Ok(()),
            Some(age) => Err(StoreError::new(format!(
                "the revocations were last read from the store {age} s ago, and at most {} s are allowed \
                 (`max_staleness`): {}",
                followed.max_staleness,
                self.heartbeat.failure(Instant::now()).unwrap_or("see the log for the store's error".into())
            ))),
            None => Err(StoreError::new(
                "the revocations have not been read from the store yet: await `auth.start()` before serving",
            )),
        }
    }

    /// How old the view may be, in seconds; 0 without a store.
    pub(crate) fn max_staleness(&self) -> i64 {
        self.followed.as_ref().map_or(0, |followed| followed.max_staleness)
    }

    /// Evicts what was loaded for a subject here, before it is recorded by [`revoke`](Self::revoke).
    pub(crate) fn forget_here(&self, entry: &LoggedRevocation) {
        if let Some(followed) = &self.followed {
            followed.progress().own.push(entry.clone());
        }
        self.view.apply([entry]);
    }

    /// Records revocations in the store, then enforces them.
    pub(crate) async fn revoke(&self, entries: Vec<LoggedRevocation>) -> Result<(), StoreError> {
        if let Some(followed) = &self.followed {
            let appended = followed.log.append(entries.clone()).await;
            set(&followed.write_failure, appended.as_ref().err());
            if appended.is_err() {
                // If they are in the log all the same, they count twice.
                followed.progress().own.retain(|own| !entries.contains(own));
            }
            appended?;
            // Of the generations of a user the last one counts, so they are applied in the log's order.
            let is_generation =
                |entry: &LoggedRevocation| matches!(entry.revocation, Revocation::OtherGenerations { .. });
            self.view.apply(entries.iter().filter(|entry| !is_generation(entry) && !is_forgotten(entry)));
            return if entries.iter().any(is_generation) {
                followed.read_on(&self.view).await
            } else {
                Ok(())
            };
        }
        self.view.apply(entries.iter().filter(|entry| !is_forgotten(entry)));
        Ok(())
    }

    /// Asks the store whether it can be written.
    pub(crate) async fn check_writable(&self) {
        let Some(followed) = &self.followed else { return };
        let checked = followed.log.check_writable().await;
        set(&followed.not_writable, checked.as_ref().err());
        if checked.is_ok() {
            // It was in the log, and the next write may succeed.
            set(&followed.write_failure, None);
        }
    }

    /// Whether the store said that it can be written.
    pub(crate) fn is_writable(&self) -> bool {
        self.followed.as_ref().is_none_or(|followed| get(&followed.not_writable).is_none())
    }

    /// Returns whether there is a store.
    pub(crate) fn has_log(&self) -> bool {
        self.followed.is_some()
    }

    /// Reads the log to its end.
    pub(crate) async fn catch_up(&self, now: SystemTime) -> Result<(), StoreError> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let number = followed.begin();
        let result = followed.read_on(&self.view).await;
        if let Err(error) = &result {
            tracing::error!(%error, "auth: the revocations can't be read from the store");
        }
        followed.end(number, now, result.as_ref().err());
        result
    }

    /// Returns the time that the store remembers. Without a store, nothing is older than this process.
    pub(crate) async fn confirmed_time(&self, now: SystemTime) -> Result<Option<SystemTime>, StoreError> {
        match &self.followed {
            Some(followed) => followed.log.confirmed_time().await,
            None => Ok(Some(now)),
        }
    }

    /// Has the store remember a time.
    pub(crate) async fn set_confirmed_time(&self, time: SystemTime) -> Result<(), StoreError> {
        match &self.followed {
            Some(followed) => followed.log.set_confirmed_time(time).await,
            None => Ok(()),
        }
    }

    /// Deletes a batch of expired entries, here and in the store. Returns whether there are more.
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
            cursor: followed.map_or(0, |followed| followed.progress().cursor),
            confirmed_at,
            writable: self.is_writable(),
            ready: self.is_writable() && self.check_fresh(now).is_ok(),
            failure: followed
                .and_then(|followed| self.heartbeat.failure(Instant::now()).or_else(|| followed.failure())),
        }
    }
}

/// Whether it was applied by [`RevocationState::forget_here`].
fn is_forgotten(entry: &LoggedRevocation) -> bool {
    matches!(entry.revocation, Revocation::Forgotten { .. })
}

/// Removes this entry from those; whether it was there.
fn take(own: &mut Vec<LoggedRevocation>, entry: &LoggedRevocation) -> bool {
    let position = own.iter().position(|own| own == entry);
    position.map(|index| own.swap_remove(index)).is_some()
}

impl Followed {
    async fn read_on(&self, view: &RevocationView) -> Result<(), StoreError> {
        let mut cursor = self.progress().cursor;
        loop {
            let page = self.log.read(cursor, PAGE).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let mut progress = self.progress();
            // Entries are applied in the log's order. If another reader was faster, this one goes on after it.
            if progress.cursor == cursor {
                let own = &mut progress.own;
                let is_new = |entry: &&LoggedRevocation| !take(own, entry);
                let new: Vec<_> = page.entries.iter().filter(is_new).collect();
                view.apply(new);
                progress.cursor = page.cursor;
            }
            cursor = progress.cursor;
        }
    }

    /// Returns the number of a read that begins now.
    fn begin(&self) -> u64 {
        let mut progress = self.progress();
        progress.begun = progress.begun.wrapping_add(1);
        progress.begun
    }

    /// Records how the read of this number ended, which began at `now`.
    fn end(&self, number: u64, now: SystemTime, failure: Option<&StoreError>) {
        let mut progress = self.progress();
        // The result of a read that began later counts: this one may have waited for long on a runtime that was not driven.
        if number < progress.ended {
            return;
        }
        progress.ended = number;
        if failure.is_none() {
            self.confirmed_at.store(unix_seconds(now), Ordering::Release);
        }
        set(&self.read_failure, failure);
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the age of the view in seconds. If the clock was set back, the age is the size of the jump, so the view does
    /// not look new.
    fn age(&self, now: i64) -> Option<i64> {
        match self.confirmed_at.load(Ordering::Acquire) {
            NEVER => None,
            confirmed_at => Some(now.saturating_sub(confirmed_at).saturating_abs()),
        }
    }

    /// Returns why the last read or the last write failed, or the next would.
    fn failure(&self) -> Option<String> {
        let failures = [&self.read_failure, &self.not_writable, &self.write_failure];
        failures.into_iter().find_map(|failure| Some(get(failure)?.to_string()))
    }
}

fn get(failure: &Mutex<Option<StoreError>>) -> Option<StoreError> {
    failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn set(failure: &Mutex<Option<StoreError>>, to: Option<&StoreError>) {
    *failure.lock().unwrap_or_else(PoisonError::into_inner) = to.cloned();
}
