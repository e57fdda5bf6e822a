//! A store in one file on a disk of this machine, which the crate redb writes.
//!
//! | file | what |
//! |---|---|
//! | `options` | how it is opened |
//! | `writer` | the thread that writes: one commit for all waiting writes |
//! | `file` | the database of one path, which is opened again after it failed |
//! | `disk` | the open file |
//! | `tables` | the tables, and the operations of one transaction |
//! | `family_list` | the families of an issuer, page by page |
//! | `api_keys` | the tables of API keys |
//! | `upgrade` | files of an earlier version |
//! | `failure`, `advice` | why a read or a write failed, and what to do |

mod advice;
#[cfg(feature = "api-keys")]
mod api_keys;
mod disk;
mod failure;
mod family_list;
mod file;
mod options;
mod tables;
mod upgrade;
mod writer;

use std::fmt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ::redb::ReadTransaction;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use self::failure::Failure;
use self::file::{ReadError, StoreFile};
pub use self::options::RedbStoreOptions;
use self::tables::Write;
use self::writer::{Busy, Job, MAX_BATCH};
use super::{
    FamilyId, LogCursor, LogEntry, LogRead, RefreshTokenFamily, RefreshTokenStore, RevocationLog, StoreError,
    StoreFuture, drop_before,
};

/// The maximum number of reads at a time. Each has a thread.
const MAX_READS: usize = 64;

/// A store in one file, for a service of one process with a disk. No database server is needed. Clones share the file.
///
/// A write is acknowledged when its commit is on the disk (`fsync`). It survives `kill -9`, and a loss of power if the disk really
/// writes what it acknowledges. Writes that wait at the same time share a commit.
///
/// After an error of the disk, such as no space, the file is opened again by itself, first at once and then at most once a second;
/// until a test write succeeds, writes fail and reads are served. A read or a write that takes longer than 5 seconds fails
/// ([`RedbStoreOptions::time_limit`]). If the file is deleted, replaced or truncated while it is open, writes fail, because they
/// would be lost.
///
/// It counts no login attempts: one process has limits of its own, for all login routes of its engine together, and needs no store for them.
///
/// The file can be open once: neither two processes can share it, nor can one process open it twice. It is locked with the
/// file locks of the system, which a network disk may not have. Clone the store for each engine of the process.
///
/// An engine that was dropped can hold its clone for a short time, until it has finished reading the log. Dropping the last
/// clone waits for the accepted writes, then closes the file.
#[derive(Clone)]
pub struct RedbStore {
    inner: Arc<Inner>,
}

struct Inner {
    file: Arc<StoreFile>,
    /// `None` only during `drop`.
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    busy: Arc<Busy>,
    reads: Arc<Semaphore>,
    time_limit: Duration,
}

impl RedbStore {
    /// Opens the file, or creates it with a warning in the log; its directory must exist. Blocks while the whole file is read and
    /// checked: about a second per gigabyte, plus the time of the disk.
    ///
    /// # Errors
    /// [`StoreError`] if the file can't be opened, is not a store, was written by a newer version, or is open already.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// Returns the options of [`RedbStore::open`], to be changed.
    pub fn options() -> RedbStoreOptions {
        RedbStoreOptions::default()
    }

    fn with(path: &Path, options: &RedbStoreOptions) -> Result<Self, StoreError> {
        let file = Arc::new(StoreFile::open(path, options)?);
        let busy = Arc::new(Busy::default());
        let (jobs, waiting) = mpsc::channel(MAX_BATCH);
        let (written, at_work) = (Arc::clone(&file), Arc::clone(&busy));
        let writer = thread::Builder::new()
            .name("auth-redb".to_owned())
            .spawn(move || writer::run(&written, &at_work, waiting))
            .map_err(|error| file.error(format_args!("its writer thread can't be started ({error})")))?;
        Ok(Self {
            inner: Arc::new(Inner {
                file,
                jobs: Some(jobs),
                writer: Some(writer),
                busy,
                reads: Arc::new(Semaphore::new(MAX_READS)),
                time_limit: options.time_limit,
            }),
        })
    }

    async fn write(&self, write: Write) -> Result<bool, StoreError> {
        self.ask_writer(|answer| Job::Write(write, answer)).await
    }

    /// Sends a job to the writer, and returns its result.
    async fn ask_writer<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let inner = &self.inner;
        let stopped = || {
            inner
                .file
                .error("its writer thread has stopped: see the log for the cause, then restart the service")
        };
        if inner.busy.since().is_some_and(|since| since.elapsed() > inner.time_limit) {
            return Err(self.hangs("so this write was not tried"));
        }
        let jobs = inner.jobs.as_ref().ok_or_else(stopped)?;
        let (answer, answered) = oneshot::channel();
        let asked = async {
            jobs.send(job(answer)).await.map_err(|_| stopped())?;
            answered.await.map_err(|_| stopped())?
        };
        let done = self.within_time_limit(asked).await?;
        done.unwrap_or_else(|| Err(self.hangs("and whether this write is done is unknown")))
    }

    fn hangs(&self, consequence: &str) -> StoreError {
        self.inner.file.error(format_args!(
            "its disk has not answered for {:?} (`RedbStoreOptions::time_limit`), {consequence}: see the log of the system. The store writes again by itself when the disk answers",
            self.inner.time_limit
        ))
    }

    /// Reads. If the database has failed, waits until the file was opened again, and reads once more.
    async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&ReadTransaction) -> Result<T, Failure> + Clone + Send + 'static,
    {
        match self.read_once(work.clone()).await {
            Err(ReadError { error, failed: Some(epoch) }) => {
                // If it can't be written, it may be readable.
                let _ = self.ask_writer(|answer| Job::Check(Some((epoch, error)), answer)).await;
                self.read_once(work).await.map_err(|failed| failed.error)
            }
            read => read.map_err(|failed| failed.error),
        }
    }

    async fn read_once<T, W>(&self, work: W) -> Result<T, ReadError>
    where
        T: Send + 'static,
        W: FnOnce(&ReadTransaction) -> Result<T, Failure> + Send + 'static,
    {
        let unread = |error| ReadError { error, failed: None };
        let interrupted = |error: &dyn fmt::Display| {
            unread(self.inner.file.error(format_args!("a read was interrupted ({error})")))
        };
        let (file, reads) = (Arc::clone(&self.inner.file), Arc::clone(&self.inner.reads));
        let reading = async {
            let turn = reads.acquire_owned().await.map_err(|error| interrupted(&error))?;
            let task = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                file.read(work)
            });
            task.await.map_err(|error| interrupted(&error))?
        };
        let read = self.within_time_limit(reading).await.map_err(unread)?;
        read.unwrap_or_else(|| Err(unread(self.hangs("so nothing was read"))))
    }

    /// Waits for the work; `None` after the time limit.
    async fn within_time_limit<T>(&self, work: impl Future<Output = T>) -> Result<Option<T>, StoreError> {
        if Handle::try_current().is_err() {
            return Err(self
                .inner
                .file
                .error("it was used outside of a tokio runtime: call it from a task of one"));
        }
        let began = Instant::now();
        let mut work = pin!(work);
        loop {
            let left = self.inner.time_limit.saturating_sub(began.elapsed());
            if let Ok(done) = timeout(left, &mut work).await {
                return Ok(Some(done));
            }
            // Where a test has paused tokio's time, it passes at once.
            if left.is_zero() {
                return Ok(None);
            }
        }
    }
}

impl RevocationLog for RedbStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.write(Write::Append(entries)).await.map(drop) })
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        Box::pin(self.read(move |transaction| tables::log_page(transaction, after, limit)))
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        Box::pin(self.read(tables::confirmed_time))
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Box::pin(async move { self.write(Write::ConfirmedTime(seconds)).await.map(drop) })
    }

    fn check_writable(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.ask_writer(|answer| Job::Check(None, answer)))
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        let now = drop_before(before);
        Box::pin(async move {
            Ok(self.read(move |transaction| tables::has_expired_entries(transaction, now)).await?
                && self.write(Write::DropEntries(now)).await?)
        })
    }
}

impl RefreshTokenStore for RedbStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.write(Write::Insert(family)).await.map(drop) })
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        Box::pin(self.read(move |transaction| tables::family(transaction, id)))
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        Box::pin(self.write(Write::Replace(expected, family)))
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.write(Write::Remove(ids)).await.map(drop) })
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        Box::pin(self.read(move |transaction| tables::families_of(transaction, &issuer, &subject)))
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let issuer = issuer.to_owned();
        let after = after.map(|(subject, id)| (subject.to_owned(), id));
        Box::pin(self.read(move |transaction| family_list::page(transaction, &issuer, after, limit)))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        let now = drop_before(now);
        Box::pin(async move {
            Ok(self.read(move |transaction| tables::has_expired_families(transaction, now)).await?
                && self.write(Write::DropFamilies(now)).await?)
        })
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("path", &self.inner.file.path()).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer ends after the last sender is dropped and all accepted writes are done.
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // If it panicked, the panic was printed, and every later write has failed.
            let _ = writer.join();
        }
        // A read whose future was dropped may still use the file.
        self.file.close();
    }
}
