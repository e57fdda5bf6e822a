//! The reader that copies a store's log into the view, and finds out whether the log is another one than before.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::task::yield_now;

use super::RevocationView;
use super::acknowledged::{Acknowledged, Tags};
use super::freshness::{Freshness, Moment};
use super::store_clock::StoreClock;
use crate::clock::{Clock, unix_seconds};
use crate::store::{
    EntryMeaning, LogCursor, LogEntry, LogPage, LogRead, LoggedRevocation, Note, RevocationLog, StoreError,
};

/// The number of entries of the log that are read at a time.
const PAGE: usize = 1000;

/// After so many pages of one read, its progress is logged.
const PAGES_BETWEEN_LINES: usize = 100;

/// How often the log may turn out to be another one within a read.
const MAX_HISTORIES: usize = 3;

/// A log that is read into the view.
#[derive(Debug)]
pub(super) struct LogReader {
    pub(super) log: Arc<dyn RevocationLog>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) freshness: Freshness,
    pub(super) store_clock: StoreClock,
    pub(super) max_staleness: Duration,
    acknowledged: Acknowledged,
    /// Of what is appended again.
    tags: Tags,
    progress: Mutex<Progress>,
    not_understood: NotUnderstood,
    read_failure: Mutex<Option<StoreError>>,
}

/// How far the log was read. It is never locked while a store is waited for: the runtime of that reader may not be driven.
#[derive(Debug)]
struct Progress {
    /// The cursor up to which the log is in the view.
    cursor: LogCursor,
    /// How often the log was another one than before.
    histories: u32,
    /// The number of reads that have begun.
    begun: u64,
    /// The number of the last read to begin among those that have ended.
    ended: u64,
    /// The tags of what this process has had forgotten before the log says so: it is in the view already, and counts once.
    forgotten_here: HashSet<u64>,
}

/// Entries of a newer version of the library, which could revoke what this one would accept.
#[derive(Debug)]
struct NotUnderstood {
    /// When the last of them has expired, in seconds since the epoch.
    until: AtomicI64,
    what: Mutex<String>,
}

/// The value while there is none.
const NONE: i64 = i64::MIN;

impl LogReader {
    pub(super) fn new(log: Arc<dyn RevocationLog>, clock: Arc<dyn Clock>, max_staleness: Duration) -> Self {
        let progress = Progress {
            cursor: LogCursor::START,
            histories: 0,
            begun: 0,
            ended: 0,
            forgotten_here: HashSet::new(),
        };
        Self {
            log,
            clock,
            freshness: Freshness::never(),
            store_clock: StoreClock::default(),
            max_staleness,
            acknowledged: Acknowledged::default(),
            tags: Tags::default(),
            progress: Mutex::new(progress),
            not_understood: NotUnderstood { until: AtomicI64::new(NONE), what: Mutex::default() },
            read_failure: Mutex::new(None),
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment::of(&*self.clock)
    }

    /// This moment, where the wall clock shows `wall`.
    pub(super) fn at(&self, wall: SystemTime) -> Moment {
        Moment { wall, monotonic: self.clock.monotonic() }
    }

    /// The cursor up to which the log is in the view.
    pub(super) fn cursor(&self) -> LogCursor {
        self.progress().cursor
    }

    /// How often the log was another one than before.
    pub(super) fn histories(&self) -> u32 {
        self.progress().histories
    }

    /// Why the last read failed.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.read_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was evicted here before it is appended: the log says it once more.
    pub(super) fn note_forgotten_here(&self, tag: u64) {
        self.progress().forgotten_here.insert(tag);
    }

    /// Appends entries, and remembers them: if the store loses them, they are appended again.
    pub(super) async fn append(&self, entries: &[LoggedRevocation]) -> Result<(), StoreError> {
        let appended = self.append_entries(entries.iter().map(LoggedRevocation::to_entry).collect()).await;
        if appended.is_err() {
            // If they are in the log all the same, they count twice.
            let mut progress = self.progress();
            for entry in entries {
                progress.forgotten_here.remove(&entry.tag);
            }
        }
        appended
    }

    async fn append_entries(&self, entries: Vec<LogEntry>) -> Result<(), StoreError> {
        let pending = self.acknowledged.begin(entries.clone());
        self.log.append(entries).await?;
        let now = self.now();
        pending.were_acknowledged(self.store_clock.earlier(now.wall, now));
        Ok(())
    }

    /// Reads the log to its end.
    pub(super) async fn catch_up(&self, view: &RevocationView) -> Result<(), StoreError> {
        let number = self.begin();
        let result = self.read_on(view).await;
        if let Err(error) = &result {
            tracing::error!(%error, "auth: the store's log of revocations can't be read, or what the store has lost can't be appended again");
        }
        self.end(number, result.as_ref().err());
        result
    }

    /// Reads the log to its end: what was acknowledged when the last page was asked for is in the view. Appends what the store has lost.
    async fn read_on(&self, view: &RevocationView) -> Result<(), StoreError> {
        let mut histories = 0;
        for pages in 1.. {
            let after = self.cursor();
            let (number, sent) = (self.acknowledged.number_of_read(), self.now());
            match self.log.read(after, PAGE).await? {
                LogRead::Page(page) => {
                    self.store_clock.note(page.store_time, sent, self.now());
                    let is_last = page.entries.len() < PAGE;
                    if self.apply(view, after, &page) && is_last {
                        self.freshness.confirm(sent);
                        return self.append_lost(number).await;
                    }
                }
                LogRead::AnotherHistory if histories < MAX_HISTORIES && after != LogCursor::START => {
                    histories += 1;
                    self.begin_history(after);
                }
                LogRead::AnotherHistory => {
                    return Err(StoreError::new(
                        "the store's log was another one at each read: if the store is being restored, wait for its end; if it is of \
                         your own, see `RevocationLog::read`",
                    ));
                }
            }
            if pages % PAGES_BETWEEN_LINES == 0 {
                tracing::info!(
                    entries = pages * PAGE,
                    "auth: the log of revocations is being read, and goes on"
                );
                yield_now().await;
            }
        }
        Ok(())
    }

    /// Adds a page to the view. Returns whether the view has all that is in it: not if another reader has begun the log anew, or was
    /// faster by a part of the page.
    fn apply(&self, view: &RevocationView, after: LogCursor, page: &LogPage) -> bool {
        // Another reader was faster: it has read these bytes.
        if !page.entries.is_empty() && self.cursor() != after {
            return false;
        }
        let mut meanings = Vec::with_capacity(page.entries.len());
        let mut has_unknown_hint = false;
        for entry in &page.entries {
            match entry.meaning() {
                EntryMeaning::Known(revocation) => {
                    meanings.push(LoggedRevocation {
                        revocation,
                        keep_until: entry.keep_until,
                        tag: entry.tag,
                        note: Note::default(),
                    });
                }
                EntryMeaning::UnknownHint => has_unknown_hint = true,
                EntryMeaning::NotUnderstood(what) => self.not_understood.note(entry, what),
            }
        }
        let mut progress = self.progress();
        if progress.cursor != after {
            return page.entries.is_empty() && progress.cursor.sequence >= after.sequence;
        }
        let forgotten_here = &mut progress.forgotten_here;
        meanings.retain(|entry| !forgotten_here.remove(&entry.tag));
        view.apply(&meanings);
        if has_unknown_hint {
            view.forget_all();
        }
        self.acknowledged.saw(&page.entries);
        progress.cursor = page.cursor;
        true
    }

    /// The log is another one than before: it is read from its start, and what it does not say any more stays in the view.
    fn begin_history(&self, after: LogCursor) {
        let mut progress = self.progress();
        // Another reader may have found it out already.
        if progress.cursor != after {
            return;
        }
        progress.cursor = LogCursor::START;
        progress.histories = progress.histories.saturating_add(1);
        self.acknowledged.begin_history();
        drop(progress);
        tracing::error!(
            sequence = after.sequence,
            "auth: the store has another history than before: it was restored from an older state, a replica took over that lacked its last \
             writes, or its data was lost; or this process was stopped for longer than revocations are kept. Revocations are read again, those \
             that this process knows stay enforced here, and those that it recorded are appended again. What other processes recorded that have ended since may be lost"
        );
    }

    /// Appends again what a read of this number should have shown.
    async fn append_lost(&self, number: u64) -> Result<(), StoreError> {
        let mut lost = self.acknowledged.lost(number, self.store_clock.time(self.now()));
        loop {
            let part = lost.first(PAGE, &self.tags);
            let entries = part.len();
            if entries == 0 {
                return Ok(());
            }
            self.append_entries(part).await?;
            lost.were_appended(entries);
            tracing::warn!(entries, "auth: the store had lost revocations, and they were appended again");
        }
    }

    /// Checks that the view is current enough to decide at this moment, and that every entry was understood.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self, now: Moment, silence: impl Fn() -> Option<String>) -> Result<(), StoreError> {
        self.check_understood(now)?;
        match self.freshness.age(now) {
            Some(age) if age <= self.max_staleness => Ok(()),
            Some(age) => Err(StoreError::new(format!(
                "the revocations were last read from the store {:.3} s ago, and at most {} s are allowed (`max_staleness`): {}",
                age.as_secs_f64(),
                self.max_staleness.as_secs_f64(),
                silence().unwrap_or(
                    "see the log for the store's error. A test that advances its clock awaits `auth.start()` after that, or sets \
                     `max_staleness`"
                        .into()
                )
            ))),
            None => Err(StoreError::new(
                "the revocations have not been read from the store yet: await `auth.start()` before serving",
            )),
        }
    }

    /// Checks that every entry was understood that has not expired.
    pub(super) fn check_understood(&self, now: Moment) -> Result<(), StoreError> {
        self.not_understood.check(&self.store_clock, now)
    }

    /// Returns the number of a read that begins now.
    fn begin(&self) -> u64 {
        let mut progress = self.progress();
        progress.begun = progress.begun.wrapping_add(1);
        progress.begun
    }

    /// Records how the read of this number ended.
    fn end(&self, number: u64, failure: Option<&StoreError>) {
        let mut progress = self.progress();
        // The result of a read that began later counts: this one may have waited for long on a runtime that was not driven.
        if number < progress.ended {
            return;
        }
        progress.ended = number;
        *self.read_failure.lock().unwrap_or_else(PoisonError::into_inner) = failure.cloned();
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NotUnderstood {
    fn note(&self, entry: &LogEntry, what: String) {
        let until = unix_seconds(entry.keep_until);
        if self.until.fetch_max(until, Ordering::AcqRel) < until {
            tracing::error!(
                what,
                "auth: the store's log has an entry that this version of the library does not understand: requests with a credential are \
                 answered 503 until it has expired. Upgrade this instance to the version of the others"
            );
            *self.what.lock().unwrap_or_else(PoisonError::into_inner) = what;
        }
    }

    fn check(&self, store_clock: &StoreClock, now: Moment) -> Result<(), StoreError> {
        let until = self.until.load(Ordering::Acquire);
        if until == NONE || until < unix_seconds(store_clock.earlier(now.wall, now)) {
            return Ok(());
        }
        Err(StoreError::new(format!(
            "the store's log has an entry that this version of the library does not understand ({}): upgrade this instance to the version of \
             the others, or wait until the entry has expired",
            self.what.lock().unwrap_or_else(PoisonError::into_inner)
        )))
    }
}
