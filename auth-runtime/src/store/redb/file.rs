//! The database of one path: reads it, writes it, and opens it again after it failed.
//!
//! The writer thread alone writes, checks and opens again. Reads share a lock that it takes to exchange the database, so no database is
//! closed under a read, and no read waits for the `fsync` of a commit. Reads wait only while a database that has failed is replaced.

use std::fmt::Display;
use std::path::{self, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use ::redb::{Builder, Database, Durability, Error, ReadTransaction, ReadableDatabase, StorageBackend};

use super::disk::{Disk, Placement};
use super::failure::{Failure, catch, unusable};
use super::options::RedbStoreOptions;
use super::tables::{self, FORMAT, Tables, Write};
use crate::catch_panic::catch_panic;
use crate::store::StoreError;

/// The memory for cached pages, in bytes. redb's default is up to a gigabyte.
const CACHE: usize = 64 << 20;

/// Opening reads the whole file. While opening fails, it takes at most this part of the time.
const PART_OF_THE_TIME: u32 = 10;

const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The database of one path.
pub(super) struct StoreFile {
    path: PathBuf,
    /// `None` when it is closed.
    disk: Mutex<Option<Arc<Disk>>>,
    state: RwLock<State>,
    /// Why it can't be written.
    trouble: Mutex<Option<Trouble>>,
    /// Why the path does not lead to the open file any more.
    misplaced: Mutex<Option<StoreError>>,
}

struct State {
    opened: Opened,
    /// Increases each time the database is exchanged.
    epoch: u64,
}

enum Opened {
    Writable(Database),
    /// What redb writes when it opens the file stays in memory.
    ReadOnly(Database),
    /// It can't even be read.
    Unreadable,
    /// The file is closed and is not opened again.
    Closed,
}

/// Why the last write failed.
struct Trouble {
    error: StoreError,
    /// The file was opened again since, and a test write succeeded.
    is_over: bool,
    /// It is not opened again before this time.
    next_try: Instant,
}

/// Why a read failed.
pub(super) struct ReadError {
    pub(super) error: StoreError,
    /// The database that failed, if opening the file again may help.
    pub(super) failed: Option<u64>,
}

impl StoreFile {
    pub(super) fn open(path: &Path, options: &RedbStoreOptions) -> Result<Self, StoreError> {
        // Absolute, because the path is looked up again, and because the messages name it.
        let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (disk, is_empty) = match Disk::open(&path, options.require_existing) {
            Ok(opened) => opened,
            Err(error) => return Err(Failure::Error(error).describe(&path)),
        };
        if is_empty && options.require_existing {
            return Err(unusable(&path, "it is empty, and an existing store is required: restore the file"));
        }
        let file = Self {
            path,
            disk: Mutex::new(Some(Arc::new(disk))),
            state: RwLock::new(State { opened: Opened::Closed, epoch: 0 }),
            trouble: Mutex::new(None),
            misplaced: Mutex::new(None),
        };
        let database = catch(|| file.make(options.compact)).map_err(|failure| file.fault(failure))?;
        file.state_mut().opened = Opened::Writable(database);
        if is_empty {
            tracing::warn!(
                path = %file.path.display(),
                "auth: the store is new: no user is logged in, and nothing is revoked. If there should be one, stop the service and \
                 restore its file; `RedbStore::options().require_existing()` makes a missing file an error"
            );
        }
        Ok(file)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads, while no other database takes the place of this one.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failure>,
    ) -> Result<T, ReadError> {
        let state = self.state();
        let (Opened::Writable(database) | Opened::ReadOnly(database)) = &state.opened else {
            let error = self.trouble().as_ref().map(|trouble| trouble.error.clone());
            let error = error.unwrap_or_else(|| self.error("it is closed"));
            return Err(ReadError { error, failed: None });
        };
        catch(|| work(&database.begin_read()?)).map_err(|failure| {
            let failed = failure.is_of_the_database().then_some(state.epoch);
            ReadError { error: self.fault(failure), failed }
        })
    }

    /// Executes all writes or none. Returns when they are on the disk.
    ///
    /// After a failure it opens the file again, because redb rejects everything after an error of the disk.
    pub(super) fn write(&self, writes: Vec<Write>) -> Result<Vec<bool>, StoreError> {
        self.check(None)?;
        let answers = {
            let state = self.state();
            match &state.opened {
                Opened::Writable(database) => catch(|| commit(database, writes)),
                _ => return Err(self.error("it can't be written now")),
            }
        };
        match answers {
            Ok(answers) => {
                *self.trouble() = None;
                // What was written to a file that is not there any more is not acknowledged.
                self.check_placement()?;
                Ok(answers)
            }
            Err(failure) => {
                let is_of_the_database = failure.is_of_the_database();
                let error = self.fault(failure);
                if is_of_the_database {
                    self.fail(&error);
                    self.open_again(true);
                }
                Err(error)
            }
        }
    }

    /// Checks that the file is in its place and that writes succeed. If they failed, opens the file again when it is time.
    /// `failed` is a database that failed a read, and its error.
    pub(super) fn check(&self, failed: Option<(u64, StoreError)>) -> Result<(), StoreError> {
        self.check_placement()?;
        if let Some((_, error)) = failed.filter(|(epoch, _)| *epoch == self.state().epoch) {
            // What can't be read of a damaged file is not read again and again.
            let is_writable = matches!(self.state().opened, Opened::Writable(_));
            self.fail(&error);
            if is_writable || self.is_time_to_open_again() {
                self.open_again(true);
            }
        } else if self.is_time_to_open_again() {
            self.open_again(false);
        }
        match &*self.trouble() {
            Some(trouble) if !trouble.is_over => Err(trouble.error.clone()),
            _ => Ok(()),
        }
    }

    /// Closes the file. Waits for the reads that are running.
    pub(super) fn close(&self) {
        let opened = std::mem::replace(&mut self.state_mut().opened, Opened::Closed);
        close(opened);
        // What an `fsync` has failed to write: the next process would take it for written.
        if let Some(disk) = self.disk().ok().filter(|disk| disk.has_unsynced()) {
            let _ = disk.write_again();
        }
        *self.disk.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn error(&self, reason: impl Display) -> StoreError {
        unusable(&self.path, reason)
    }

    fn fault(&self, failure: Failure) -> StoreError {
        failure.describe(&self.path)
    }

    /// A database with its tables.
    fn make(&self, compact: bool) -> Result<Database, Failure> {
        let mut database = builder(true).create_with_backend(self.disk()?.writable())?;
        match tables::prepare(&database)? {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(Failure::Content(format!(
                    "it has the format {other}, but this version of the program supports only {FORMAT}: run the version that \
                     wrote it, or a newer one, or use another path"
                )));
            }
            None => {
                let why = "it is the redb file of another program: use another path";
                return Err(Failure::Content(why.to_owned()));
            }
        }
        if compact {
            database.compact()?;
        }
        Ok(database)
    }

    /// Remembers that the database failed.
    fn fail(&self, error: &StoreError) {
        let mut trouble = self.trouble();
        let is_news = trouble.as_ref().is_none_or(|known| known.error.to_string() != error.to_string());
        if is_news {
            tracing::error!(
                %error,
                "auth: the store failed: until it can be written, logins, refreshes and logouts are answered 503, and other \
                 requests are served"
            );
        }
        let next_try = trouble.as_ref().map_or_else(Instant::now, |known| known.next_try);
        *trouble = Some(Trouble { error: error.clone(), is_over: false, next_try });
    }

    fn is_time_to_open_again(&self) -> bool {
        self.trouble().as_ref().is_some_and(|trouble| !trouble.is_over && Instant::now() >= trouble.next_try)
    }

    /// Opens the file again: to be written, if it is time to try that, and otherwise to be read. If `failed`, the present
    /// database is of no use, and reads wait for the next one.
    fn open_again(&self, failed: bool) {
        let is_time = self.is_time_to_open_again();
        let mut exchange = failed.then(|| {
            let mut state = self.state_mut();
            close(std::mem::replace(&mut state.opened, Opened::Unreadable));
            state
        });
        let began = Instant::now();
        let writable = is_time.then(|| catch(|| self.open_writable()).map_err(|failure| self.fault(failure)));
        if let Some(tried) = &writable {
            let wait = (began.elapsed() * PART_OF_THE_TIME).clamp(SHORTEST_WAIT, LONGEST_WAIT);
            self.tried(tried.as_ref().err(), wait);
        }
        let opened = match writable {
            Some(Ok(database)) => Opened::Writable(database),
            _ if failed || matches!(self.state().opened, Opened::Unreadable) => {
                self.open_read_only().map_or(Opened::Unreadable, Opened::ReadOnly)
            }
            _ => return,
        };
        let mut state = exchange.take().unwrap_or_else(|| self.state_mut());
        state.epoch += 1;
        let former = std::mem::replace(&mut state.opened, opened);
        drop(state);
        close(former);
    }

    /// Remembers how opening it again went.
    fn tried(&self, error: Option<&StoreError>, wait: Duration) {
        if let Some(trouble) = &mut *self.trouble() {
            trouble.next_try = Instant::now().checked_add(wait).unwrap_or(trouble.next_try);
            trouble.is_over = error.is_none();
            if let Some(error) = error {
                let seconds = wait.as_secs();
                tracing::debug!(%error, seconds, "auth: the store can't be written yet, and is tried again");
                trouble.error = error.clone();
            } else {
                tracing::warn!(path = %self.path.display(), "auth: the store can be written again");
            }
        }
    }

    /// A database that a test write succeeded on.
    fn open_writable(&self) -> Result<Database, Failure> {
        let disk = self.disk()?;
        disk.write_again()?;
        let database = self.open_on(disk.writable(), true)?;
        commit(&database, vec![Write::Test])?;
        Ok(database)
    }

    fn open_read_only(&self) -> Option<Database> {
        // Where the file is damaged, what is not can be read.
        [true, false]
            .into_iter()
            .find_map(|checked| catch(|| self.open_on(self.disk()?.read_only()?, checked)).ok())
    }

    fn open_on(&self, backend: impl StorageBackend, checked: bool) -> Result<Database, Failure> {
        // redb would make a new database of an empty file, and revocations would be lost.
        if backend.len()? == 0
            || matches!(self.disk()?.placement(&self.path), Ok(Placement::Truncated { .. }))
        {
            return Err(Failure::Error(Error::Corrupted("the file was truncated".to_owned())));
        }
        Ok(builder(checked).create_with_backend(backend)?)
    }

    /// Checks that the path leads to the open file.
    fn check_placement(&self) -> Result<(), StoreError> {
        let Ok(disk) = self.disk() else { return Err(self.error("it is closed")) };
        let problem = match disk.placement(&self.path) {
            Ok(Placement::InPlace) => None,
            Ok(Placement::Deleted) => Some(
                "the file was deleted or moved while the service was running: move it back, or restart the service: then users \
                 must log in again, and revoked tokens are valid again until they expire"
                    .to_owned(),
            ),
            Ok(Placement::Replaced) => Some(
                "the file was replaced while the service was running: move the former file back, or restart the service with the \
                 present one. To restore a copy, stop the service first"
                    .to_owned(),
            ),
            Ok(Placement::Truncated { from, to }) => Some(format!(
                "the file was truncated while the service was running, from {from} to {to} bytes: stop the service and restore a copy"
            )),
            Err(error) => Some(format!("its path can't be looked up ({error})")),
        };
        let problem = problem.map(|problem| self.error(problem));
        let mut misplaced = self.misplaced.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*misplaced, &problem) {
            (None, Some(error)) => tracing::error!(
                %error,
                "auth: the store is not in its place: logins, refreshes and logouts are answered 503"
            ),
            (Some(_), None) => {
                tracing::warn!(path = %self.path.display(), "auth: the store is in its place again");
            }
            _ => {}
        }
        misplaced.clone_from(&problem);
        problem.map_or(Ok(()), Err)
    }

    fn disk(&self) -> Result<Arc<Disk>, Failure> {
        let disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner).clone();
        disk.ok_or(Failure::Error(Error::DatabaseClosed))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unless the file is `checked`, redb trusts it, and panics later where it is damaged.
fn builder(checked: bool) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(checked);
    builder
}

fn commit(database: &Database, writes: Vec<Write>) -> Result<Vec<bool>, Failure> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let mut tables = Tables::open(&transaction)?;
    let answers = writes.into_iter().map(|write| tables.run(write)).collect::<Result<_, _>>()?;
    drop(tables);
    transaction.commit()?;
    Ok(answers)
}

fn close(opened: Opened) {
    // What could not be written was not acknowledged, and the error is known.
    let _ = catch_panic(|| drop(opened));
}

#[cfg(test)]
mod tests;
