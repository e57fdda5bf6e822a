//! The revocations of an engine: the view, and the store's log that it follows.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::acknowledged::Tags;
use super::log_reader::LogReader;
use super::{Heartbeat, RevocationStatus, RevocationView, SubjectCaches};
use crate::clock::{Clock, unix_seconds};
use crate::store::{LogCursor, LoggedRevocation, Note, Revocation, RevocationLog, StoreError, WakeUpFuture};

/// The view of revocations, and how current it is.
#[derive(Debug)]
pub(crate) struct RevocationState {
    view: RevocationView,
    /// `None`: there is no store, so the view holds all revocations of this process.
    followed: Option<Followed>,
    heartbeat: Heartbeat,
    tags: Tags,
}

/// A log that is read into the view.
#[derive(Debug)]
struct Followed {
    reader: LogReader,
    write_failure: Mutex<Option<StoreError>>,
    /// Why the store says that it can't be written.
    not_writable: Mutex<Option<StoreError>>,
}

impl RevocationState {
    pub(crate) fn new(
        term: Duration,
        own_issuer: Option<String>,
        log: Option<Arc<dyn RevocationLog>>,
        max_staleness: Duration,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let followed = log.map(|log| Followed {
            reader: LogReader::new(log, Arc::clone(clock), max_staleness),
            write_failure: Mutex::new(None),
            not_writable: Mutex::new(None),
        });
        Self {
            view: RevocationView::new(term, own_issuer),
            followed,
            heartbeat: Heartbeat::default(),
            tags: Tags::default(),
        }
    }

    /// The same, which evicts from these caches what the log says.
    pub(crate) fn with_caches(self, caches: SubjectCaches) -> Self {
        Self { view: self.view.with_caches(caches), ..self }
    }

    /// What the log will say, with a tag of its own.
    pub(super) fn logged(
        &self,
        revocation: Revocation,
        keep_until: SystemTime,
        note: Note,
    ) -> LoggedRevocation {
        LoggedRevocation { revocation, keep_until, tag: self.tags.next(), note }
    }

    /// How long an entry must be kept that evicts from caches: every instance has read it by then, or answers 503.
    pub(super) fn longest_eviction(&self) -> Duration {
        self.view.longest_cache().saturating_add(self.max_staleness())
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
        let Some(Followed { reader, .. }) = &self.followed else { return Ok(()) };
        reader.check(reader.at(now), || self.heartbeat.failure(Instant::now()))
    }

    /// How old the view may be; zero without a store.
    pub(crate) fn max_staleness(&self) -> Duration {
        self.reader().map_or(Duration::ZERO, |reader| reader.max_staleness)
    }

    /// The later of this process's clock and the store's.
    pub(super) fn later(&self, now: SystemTime) -> SystemTime {
        self.reader().map_or(now, |reader| reader.store_clock.later(reader.at(now)))
    }

    /// What has expired before the result may be dropped: by the earlier clock, where `confirmed` is this process's. `None` before the
    /// store was read.
    pub(super) fn drop_before(&self, confirmed: SystemTime, leeway: Duration) -> Option<SystemTime> {
        let earlier = match self.reader() {
            None => confirmed,
            Some(reader) => {
                reader.freshness.confirmed_at()?;
                reader.store_clock.earlier(confirmed, reader.now())
            }
        };
        Some(earlier.checked_sub(leeway).unwrap_or(SystemTime::UNIX_EPOCH))
    }

    /// Evicts what was loaded for a subject here, before it is recorded by [`revoke`](Self::revoke).
    pub(crate) fn forget_here(&self, entry: &LoggedRevocation) {
        if let Some(reader) = self.reader() {
            reader.note_forgotten_here(entry.tag);
        }
        self.view.apply([entry]);
    }

    /// Records revocations in the store, then enforces them.
    pub(crate) async fn revoke(&self, entries: Vec<LoggedRevocation>) -> Result<(), StoreError> {
        // What is forgotten was evicted by `forget_here`.
        let enforced =
            entries.iter().filter(|entry| !matches!(entry.revocation, Revocation::Forgotten { .. }));
        let Some(followed) = &self.followed else {
            self.view.apply(enforced);
            return Ok(());
        };
        let appended = followed.reader.append(&entries).await;
        set(&followed.write_failure, appended.as_ref().err());
        appended?;
        self.view.apply(enforced);
        Ok(())
    }

    /// Asks the store whether it can be written.
    pub(crate) async fn check_writable(&self) {
        let Some(followed) = &self.followed else { return };
        let checked = followed.reader.log.check_writable().await;
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

    /// The store's log, if there is one.
    pub(super) fn log(&self) -> Option<&dyn RevocationLog> {
        self.reader().map(|reader| &*reader.log)
    }

    /// The position up to which the store's log is in the view.
    pub(crate) fn cursor(&self) -> Option<LogCursor> {
        self.reader().map(LogReader::cursor)
    }

    /// Waits until the store says that its log has something new; without a store, for ever.
    pub(crate) fn wait_for_entries(&self) -> WakeUpFuture {
        match self.reader() {
            Some(reader) => reader.log.wait_for_entries(reader.cursor()),
            None => Box::pin(pending()),
        }
    }

    /// Reads the log to its end.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        match self.reader() {
            Some(reader) => reader.catch_up(&self.view).await,
            None => Ok(()),
        }
    }

    /// Returns the time that the store remembers. Without a store, nothing is older than this process.
    pub(crate) async fn confirmed_time(&self, now: SystemTime) -> Result<Option<SystemTime>, StoreError> {
        match self.reader() {
            Some(reader) => reader.log.confirmed_time().await,
            None => Ok(Some(now)),
        }
    }

    /// Has the store remember a time, which is not ahead of its own clock.
    pub(crate) async fn set_confirmed_time(&self, time: SystemTime) -> Result<(), StoreError> {
        match self.reader() {
            Some(reader) => {
                let time = reader.store_clock.earlier(time, reader.now());
                reader.log.set_confirmed_time(time).await
            }
            None => Ok(()),
        }
    }

    /// Deletes a batch of entries that have expired before this time, here and in the store. Returns whether there are more.
    pub(crate) async fn drop_expired(&self, before: SystemTime) -> Result<bool, StoreError> {
        self.view.drop_expired(unix_seconds(before));
        match self.reader() {
            Some(reader) => reader.log.drop_expired(before).await,
            None => Ok(false),
        }
    }

    pub(crate) fn status(&self, now: SystemTime) -> RevocationStatus {
        let (entries, bytes) = self.view.size();
        let reader = self.reader();
        RevocationStatus {
            entries,
            bytes,
            cursor: reader.map_or(0, |reader| reader.cursor().sequence),
            other_histories: reader.map_or(0, LogReader::histories),
            confirmed_at: reader.map_or(Some(now), |reader| reader.freshness.confirmed_at()),
            age: reader.map_or(Some(Duration::ZERO), |reader| reader.freshness.age(reader.at(now))),
            store_ahead_ms: reader.and_then(|reader| reader.store_clock.skew(reader.at(now))),
            writable: self.is_writable(),
            ready: self.is_writable() && self.check_fresh(now).is_ok(),
            failure: self.failure(now),
        }
    }

    /// Why the log is not read, or not understood, or why the last read or the last write failed, or the next would.
    fn failure(&self, now: SystemTime) -> Option<String> {
        let Followed { reader, write_failure, not_writable } = self.followed.as_ref()?;
        let silence = self.heartbeat.failure(Instant::now());
        let not_understood = || reader.check_understood(reader.at(now)).err();
        let failures = || {
            reader
                .failure()
                .or_else(not_understood)
                .or_else(|| get(not_writable))
                .or_else(|| get(write_failure))
        };
        silence.or_else(|| failures().map(|failure| failure.to_string()))
    }

    fn reader(&self) -> Option<&LogReader> {
        self.followed.as_ref().map(|followed| &followed.reader)
    }
}

fn get(failure: &Mutex<Option<StoreError>>) -> Option<StoreError> {
    failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn set(failure: &Mutex<Option<StoreError>>, to: Option<&StoreError>) {
    *failure.lock().unwrap_or_else(PoisonError::into_inner) = to.cloned();
}
