//! The log of revocations, as a store keeps it: bytes that the library reads, in an order, each for a time.

use std::fmt;
use std::future::{pending, ready};
use std::time::SystemTime;

use super::{StoreFuture, WakeUpFuture};

/// An append-only log, which every instance of a service reads. The library records revocations in it.
///
/// A read that begins after an append was acknowledged returns its entries. After a reader has read up to a cursor, no entry may appear
/// before that cursor. A store whose transactions can commit in another order than their numbers must prevent that.
///
/// A store may be set back: a dump is restored, a replica takes over that lacks the last writes, the data is lost. A reader must find that
/// out, so a cursor also has the tag of its entry, and [`read`](Self::read) says [`LogRead::AnotherHistory`] if that entry is not there. Then
/// the library reads everything once more, and appends again what this process was acknowledged and is not in the log.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no log of revocations",
    label = "`RevocationLog` is not implemented",
    note = "`MemoryStore` is one; `RedbStore`, `PostgresStore` and `RedisStore` are in the features `redb`, `postgres` and `redis`"
)]
pub trait RevocationLog: fmt::Debug + Send + Sync + 'static {
    /// Appends all entries or none. When the future completes without an error, the entries are as durable as the store is.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store fails. Then the entries may or may not be recorded.
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()>;

    /// Returns at most `limit` entries after the cursor `after`, oldest first. Entries whose `keep_until` has passed may be
    /// missing.
    ///
    /// The cursor is known if it is [`LogCursor::START`], if the entry with its sequence is there and has its tag, or if it is that of the
    /// entry with the highest sequence that was ever [dropped](Self::drop_expired), which the store must remember. Otherwise the answer is
    /// [`LogRead::AnotherHistory`]. It is decided in the same transaction as the entries are read.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the log can't be read.
    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead>;

    /// Completes when there may be entries after this cursor: the library then reads at once, and not at the next second. It is dropped and
    /// called again at any time, and never fails: a store that has lost its connection connects again by itself. It does not keep the store
    /// open: it waits on a channel, for example. Default: never completes.
    fn wait_for_entries(&self, after: LogCursor) -> WakeUpFuture {
        let _ = after;
        Box::pin(pending())
    }

    /// Checks that the store can be written. It is called every second: a store that can't tell without a write returns what it
    /// knows. While it fails, [`RevocationStatus::writable`](crate::revocation::RevocationStatus::writable) is `false` and
    /// [`readiness`](crate::session::readiness) answers 503. Default: the store can be written.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if a write would fail.
    fn check_writable(&self) -> StoreFuture<'_, ()> {
        Box::pin(ready(Ok(())))
    }

    /// Returns the time that was last passed to [`set_confirmed_time`](Self::set_confirmed_time); `None` if there is none. Default:
    /// none. Then nothing is deleted in the first hour after a start, in case the clock is wrong.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store can't be read.
    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        Box::pin(ready(Ok(None)))
    }

    /// Remembers a time, once a minute: the next process goes on from it, if its clock is wrong. Default: does nothing.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the store can't be written.
    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        let _ = time;
        Box::pin(ready(Ok(())))
    }

    /// Deletes a bounded number of entries whose `keep_until` is before `before`, so that other calls do not wait for long. Returns
    /// whether more entries can be deleted.
    ///
    /// `before` is the earlier of this process's clock and the store's ([`LogPage::store_time`]), less the leeway: an instance whose clock is
    /// ahead deletes nothing that the others need.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) if the log can't be written.
    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool>;
}

/// An entry of the log. `Debug` shows no bytes, which name users.
#[derive(Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct LogEntry {
    /// A random number that the library made: no other entry that was ever in the log has it.
    pub tag: u64,
    /// When the last token that it can concern has expired, or no cache can have what it evicts, in whole seconds. The entry can be deleted
    /// after that.
    pub keep_until: SystemTime,
    /// What the library wrote: at most a few kilobytes. A store does not read them, so that versions of the library can share it.
    pub bytes: Vec<u8>,
}

/// A position in the log: an entry, or before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct LogCursor {
    /// The number of the entry: it increases in the order of the log, and is never used again. The first is 1 or more.
    pub sequence: u64,
    /// The tag of the entry.
    pub tag: u64,
}

/// What a read of the log has found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "stores of others make it")]
pub enum LogRead {
    /// A part of the log.
    Page(LogPage),
    /// The cursor is not of this log: the store was set back or has lost its data since that entry was read.
    AnotherHistory,
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "stores of others make it from their rows")]
pub struct LogPage {
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
    /// The cursor of the last entry; the requested cursor if there are no entries.
    pub cursor: LogCursor,
    /// What the store's clock showed during the read; `None` if it has no clock but that of this machine.
    pub store_time: Option<SystemTime>,
}

impl LogCursor {
    /// Before the first entry.
    pub const START: Self = Self { sequence: 0, tag: 0 };

    /// Whether this position is known in a log that has, at its sequence, an entry with the tag `there` or none, and of which `dropped` is
    /// the entry with the highest sequence that was ever dropped: see [`RevocationLog::read`].
    #[must_use]
    pub fn is_known(self, there: Option<u64>, dropped: Option<Self>) -> bool {
        match there {
            Some(tag) => tag == self.tag,
            None => self == Self::START || dropped == Some(self),
        }
    }
}

impl LogRead {
    /// The part of the log that was read; `None` if the cursor is of another history.
    #[must_use]
    pub fn page(self) -> Option<LogPage> {
        match self {
            Self::Page(page) => Some(page),
            Self::AnotherHistory => None,
        }
    }
}

impl fmt::Debug for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogEntry")
            .field("tag", &self.tag)
            .field("keep_until", &self.keep_until)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}
