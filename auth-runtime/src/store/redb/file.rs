//! The file: opens it, writes one transaction at a time, opens it again after the disk was full, and describes its errors.

use std::fmt::Display;
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::redb::{Builder, Database, Durability, Error, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::tables::{self, FORMAT, Tables, Write};
use crate::store::StoreError;

/// The memory for cached pages, in bytes. redb's default is up to a gigabyte.
const CACHE: usize = 64 << 20;

/// The database of one path.
pub(super) struct StoreFile {
    path: PathBuf,
    database: Mutex<State>,
}

enum State {
    Open(Database),
    /// The file could not be opened again after the disk was full. The next attempt is at least a second after the last
    /// one, because opening reads the whole file.
    Broken {
        tried: Instant,
    },
    /// The file is closed and is not opened again.
    Closed,
}

impl State {
    /// Returns the database. Opens it again if it is broken.
    fn open(&mut self, path: &Path) -> Result<&Database, Error> {
        if let Self::Broken { tried } = self
            && tried.elapsed() >= Duration::from_secs(1)
        {
            // Not `create`: if the file was deleted, an empty one would silently lose the revocations.
            *self = match builder().open(path) {
                Ok(database) => Self::Open(database),
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "auth: the store can't be opened again yet");
                    Self::Broken { tried: Instant::now() }
                }
            };
        }
        match self {
            Self::Open(database) => Ok(database),
            Self::Broken { .. } | Self::Closed => Err(Error::DatabaseClosed),
        }
    }
}

impl StoreFile {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        // Absolute, because the file is opened again after the disk was full, and because the messages name it.
        let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let file = Self { path, database: Mutex::new(State::Closed) };
        let (database, format) = file.make().map_err(|error| file.fault(error))?;
        match format {
            Some(FORMAT) => *file.database() = State::Open(database),
            Some(other) => {
                return Err(file.error(format_args!(
                    "it has the format {other}, but this version of the program supports only {FORMAT}: run the version that \
                     wrote it, or a newer one, or use another path"
                )));
            }
            None => return Err(file.error("it is the redb file of another program: use another path")),
        }
        Ok(file)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction, Error> {
        Ok(self.database().open(&self.path)?.begin_read()?)
    }

    /// Executes all writes or none. Returns when they are on the disk.
    pub(super) fn write(&self, writes: Vec<Write>) -> Result<Vec<bool>, StoreError> {
        let answers = self.commit(writes);
        if matches!(&answers, Err(Error::Io(error)) if is_full(error)) {
            self.reopen();
        }
        answers.map_err(|error| self.fault(error))
    }

    /// Closes the file. A read that is still running fails.
    pub(super) fn close(&self) {
        *self.database() = State::Closed;
    }

    pub(super) fn fault(&self, error: Error) -> StoreError {
        self.error(format_args!("{} ({error})", advice(&error))).with_source(error)
    }

    pub(super) fn error(&self, reason: impl Display) -> StoreError {
        StoreError::new(format!("the store `{}` can't be used: {reason}", self.path.display()))
    }

    fn make(&self) -> Result<(Database, Option<u64>), Error> {
        create_private(&self.path);
        let database = builder().create(&self.path)?;
        let format = tables::prepare(&database)?;
        Ok((database, format))
    }

    fn begin_write(&self) -> Result<WriteTransaction, Error> {
        Ok(self.database().open(&self.path)?.begin_write()?)
    }

    /// Opens the file again, because redb rejects everything after an error of the disk. If that fails, the next write tries again.
    fn reopen(&self) {
        let mut state = self.database();
        // The old database is dropped first, because it holds the lock of the file.
        *state = State::Closed;
        let database = builder().open(&self.path);
        *state = database.map_or(State::Broken { tried: Instant::now() }, State::Open);
    }

    fn commit(&self, writes: Vec<Write>) -> Result<Vec<bool>, Error> {
        let mut transaction = self.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let mut tables = Tables::open(&transaction)?;
        let answers = writes.into_iter().map(|write| tables.run(write)).collect::<Result<_, _>>()?;
        drop(tables);
        transaction.commit()?;
        Ok(answers)
    }

    fn database(&self) -> MutexGuard<'_, State> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates the file if it does not exist. Only the user of the service may read it, because it shows who logged in when.
#[cfg(unix)]
fn create_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    // An error here happens again when redb opens the file, and is reported there.
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

#[cfg(not(unix))]
fn create_private(_: &Path) {}

fn builder() -> Builder {
    let mut builder = Builder::new();
    // Otherwise redb would trust the file and panic later where it is damaged.
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Describes what is wrong, and what to do.
fn advice(error: &Error) -> &'static str {
    match error {
        Error::Io(error) if is_full(error) => {
            "there is no space for it: free space on the disk, or raise the quota or the limit on the size of a file. No \
             acknowledged write is lost, and a running service writes again as soon as there is space"
        }
        Error::Io(error) => match error.kind() {
            io::ErrorKind::NotFound => {
                "the file or its directory does not exist: create the directory, or use another path"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "this user may not write it: give the user of the service the right to read and write the file and its \
                 directory, and mount the disk writable"
            }
            io::ErrorKind::IsADirectory => "it is a directory: use the path of a file in it",
            io::ErrorKind::InvalidData => {
                "it is not a redb file: use another path. If the first start with this path was interrupted, nothing is \
                 stored yet: delete the file and start again"
            }
            _ => {
                "the system could not read or write it: see the log of the system, repair the disk, then restart the \
                 service"
            }
        },
        Error::PreviousIo => {
            "an earlier read or write of it failed: see the first error in the log, repair the disk, then restart the \
             service"
        }
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => {
            "it is open already, and only one process may open it: stop the other one, or give each its own path. In one \
             process, open it once and clone the store. Several processes that share revocations need a store that they \
             can share"
        }
        Error::TableTypeMismatch { .. } | Error::TableIsMultimap(_) => {
            "it is the redb file of another program: use another path"
        }
        Error::DatabaseClosed => {
            "it was closed after the disk was full, or is being closed: see the error before this one in the log"
        }
        Error::UpgradeRequired(_) => {
            "an older version of redb wrote it: open it with the version of the program that wrote it, and upgrade from \
             there step by step, or use another path"
        }
        Error::Unsupported => "its disk does not support file locks: move it to a local disk",
        _ => {
            "it seems to be damaged. If the service was running, restart it, which repairs what it can. If it does not \
             start, restore a backup, or use another path: then users must log in again, and revoked tokens are valid again \
             until they expire"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::{Error, StoreFile, io};

    #[test]
    fn the_error_of_redb_is_the_source() {
        let path = std::env::temp_dir().join("auth-runtime-no-such-directory").join("store.redb");
        let error = StoreFile::open(&path).err().unwrap();
        assert!(error.to_string().contains("its directory does not exist"), "{error}");
        let source = error.source().unwrap().downcast_ref::<Error>().unwrap();
        assert!(matches!(source, Error::Io(error) if error.kind() == io::ErrorKind::NotFound), "{source:?}");
    }
}
