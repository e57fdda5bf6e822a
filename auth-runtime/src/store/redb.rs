//! A store in one file on a disk of this machine, which the crate redb writes.

mod file;
mod tables;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use ::redb::{Error, ReadTransaction};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use self::file::StoreFile;
use self::tables::Write;
use super::{
    FamilyId, LogPage, LoggedRevocation, RefreshTokenFamily, RefreshTokenStore, RevocationLog, StoreError,
    StoreFuture, drop_before,
};

/// The maximum number of writes in one commit, and of writes that wait for the next commit.
const MAX_BATCH: usize = 256;

/// A store in one file, for a service of one process with a disk. No database server is needed. Clones share the file.
///
/// A write is acknowledged when its commit is on the disk (`fsync`). It survives `kill -9`, and a loss of power if the disk really
/// writes what it acknowledges. Writes that wait at the same time share a commit. When the disk is full, writes fail until there is
/// space. After another error of the disk, they fail until the service is restarted.
///
/// The file can be open once: neither two processes can share it, nor can one process open it twice. redb locks it with the
/// file locks of the system (Linux, Apple and Windows), which a network disk may not have. Clone the store for each engine
/// of the process.
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
}

/// A write that waits for the next commit, and the sender of its result.
struct Job {
    write: Write,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

impl RedbStore {
    /// Opens the file, or creates it; its directory must exist. Blocks while the whole file is read and checked: about a second per
    /// gigabyte, plus the time of the disk.
    ///
    /// # Errors
    /// [`StoreError`] if the file can't be opened, is not a store, was written by a newer version, or is open already.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let file = Arc::new(StoreFile::open(path.as_ref())?);
        let (jobs, waiting) = mpsc::channel(MAX_BATCH);
        let written = Arc::clone(&file);
        let writer = thread::Builder::new()
            .name("auth-redb".to_owned())
            .spawn(move || write_all(&written, waiting))
            .map_err(|error| file.fault(Error::Io(error)))?;
        Ok(Self { inner: Arc::new(Inner { file, jobs: Some(jobs), writer: Some(writer) }) })
    }

    async fn write(&self, write: Write) -> Result<bool, StoreError> {
        let stopped = || {
            self.inner
                .file
                .error("its writer thread has stopped: see the log for the cause, then restart the service")
        };
        let jobs = self.inner.jobs.as_ref().ok_or_else(stopped)?;
        let (answer, answered) = oneshot::channel();
        jobs.send(Job { write, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&ReadTransaction) -> Result<T, Error> + Send + 'static,
    {
        let file = Arc::clone(&self.inner.file);
        let outside =
            |_| self.inner.file.error("it was read outside of a tokio runtime: call it from a task of one");
        let runtime = Handle::try_current().map_err(outside)?;
        let task = runtime.spawn_blocking(move || {
            let rows = file.begin_read().and_then(|transaction| work(&transaction));
            rows.map_err(|error| file.fault(error))
        });
        task.await.map_err(|error| {
            self.inner.file.error(format_args!("a read was interrupted ({error})")).with_source(error)
        })?
    }
}

impl RevocationLog for RedbStore {
    fn append(&self, entries: Vec<LoggedRevocation>) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.write(Write::Append(entries)).await.map(drop) })
    }

    fn read(&self, after: u64, limit: usize) -> StoreFuture<'_, LogPage> {
        Box::pin(self.read(move |transaction| tables::log_page(transaction, after, limit)))
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        let now = drop_before(now);
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

/// Runs the writer thread: one commit for all waiting writes, then their results.
fn write_all(file: &StoreFile, mut waiting: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    while waiting.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
        let (writes, senders): (Vec<_>, Vec<_>) = batch.drain(..).map(|job| (job.write, job.answer)).unzip();
        // A sender fails if the future of its caller was dropped; the write is done anyway.
        match file.write(writes) {
            Ok(answers) => {
                for (sender, answer) in senders.into_iter().zip(answers) {
                    let _ = sender.send(Ok(answer));
                }
            }
            Err(error) => {
                for sender in senders {
                    let _ = sender.send(Err(error.clone()));
                }
            }
        }
    }
}
