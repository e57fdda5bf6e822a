//! The file: opened, written in one transaction at a time, opened anew after the disk was full, and what to say of it.

use std::fmt::Display;
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::redb::{Builder, Database, Durability, Error, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::tables::{self, FORMAT, Tables, Write};
use crate::store::StoreError;

/// Memory for pages that were read, in bytes: redb would take up to a gigabyte.
const CACHE: usize = 64 << 20;

/// The database of one path.
pub(super) struct StoreFile {
    path: PathBuf,
    database: Mutex<State>,
}

enum State {
    Open(Database),
    /// It could not be opened again after the disk was full. It is tried again, not more often than once a second: it takes
    /// as long as the file is big.
    Broken {
        tried: Instant,
    },
    /// For good.
    Closed,
}

impl State {
    /// The database, opened again if it was broken.
    fn open(&mut self, path: &Path) -> Result<&Database, Error> {
        if let Self::Broken { tried } = self
            && tried.elapsed() >= Duration::from_secs(1)
        {
            // Not `create`: where the file has gone, an empty one would forget the revocations without a word.
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
        // Absolute: it is opened again when the disk was full, and the messages name it.
        let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let file = Self { path, database: Mutex::new(State::Closed) };
        let (database, format) = file.make().map_err(|error| file.fault(&error))?;
        match format {
            Some(FORMAT) => *file.database() = State::Open(database),
            Some(other) => {
                return Err(file.error(format_args!(
                    "it has format {other}, and this version of the program knows {FORMAT}: run the version that wrote \
                     it, or a newer one, or give another path"
                )));
            }
            None => return Err(file.error("it is the redb file of another program: give another path")),
        }
        Ok(file)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction, Error> {
        Ok(self.database().open(&self.path)?.begin_read()?)
    }

    /// Does all or none, and answers when it is on the disk.
    pub(super) fn write(&self, writes: Vec<Write>) -> Result<Vec<bool>, StoreError> {
        let answers = self.commit(writes);
        if matches!(&answers, Err(Error::Io(error)) if is_full(error)) {
            self.reopen();
        }
        answers.map_err(|error| self.fault(&error))
    }

    /// Gives the file free, also if somebody is still reading it: that read fails.
    pub(super) fn close(&self) {
        *self.database() = State::Closed;
    }

    pub(super) fn fault(&self, error: &Error) -> StoreError {
        self.error(format_args!("{} ({error})", advice(error)))
    }

    pub(super) fn error(&self, reason: impl Display) -> StoreError {
        StoreError::new(format!("the store `{}` can't be used: {reason}", self.path.display()))
    }

    fn make(&self) -> Result<(Database, Option<u64>), Error> {
        make_readable_for_us_alone(&self.path);
        let database = builder().create(&self.path)?;
        let format = tables::prepare(&database)?;
        Ok((database, format))
    }

    fn begin_write(&self) -> Result<WriteTransaction, Error> {
        Ok(self.database().open(&self.path)?.begin_write()?)
    }

    /// redb refuses all after an error of the disk. At once, so that reads go on; else the next write tries again.
    fn reopen(&self) {
        let mut state = self.database();
        // The lock of the file goes with the old one.
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

/// Makes the file if it is not there. Who may read it learns who logged in when: nobody but the service's user should.
#[cfg(unix)]
fn make_readable_for_us_alone(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    // What goes wrong here goes wrong again where it is told.
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

#[cfg(not(unix))]
fn make_readable_for_us_alone(_: &Path) {}

fn builder() -> Builder {
    let mut builder = Builder::new();
    // The whole file is read at the start, or redb would trust it, and panic later where it is damaged.
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// What is wrong, and what to do instead.
fn advice(error: &Error) -> &'static str {
    match error {
        Error::Io(error) if is_full(error) => {
            "there is no space for it: free some on the disk, or raise the quota or the limit of a file's size. What \
             was acknowledged is not lost by this, and a running service writes again once there is space"
        }
        Error::Io(error) => match error.kind() {
            io::ErrorKind::NotFound => {
                "the file or its directory is missing: make the directory, or give another path"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "this user may not write it: give the user of the service the right to read and write the file and \
                 its directory, and mount the disk writable"
            }
            io::ErrorKind::IsADirectory => "it is a directory: give the path of a file in it",
            io::ErrorKind::InvalidData => {
                "it is no redb file: give another path. If the first start on this path was cut short, nothing is \
                 stored yet: delete the file and start again"
            }
            _ => {
                "the system could not read or write it: see the log of the system, mend the disk, then restart the \
                 service"
            }
        },
        Error::PreviousIo => {
            "reading or writing it failed earlier: see the first error in the log, mend the disk, then restart the \
             service"
        }
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => {
            "it is open already, and is for one process: stop the other one, or give each its own path. Within a \
             process, open it once and clone the store. Several processes that must know the same need a store that \
             they share"
        }
        Error::TableTypeMismatch { .. } | Error::TableIsMultimap(_) => {
            "it is the redb file of another program: give another path"
        }
        Error::DatabaseClosed => {
            "it was closed after the disk was full, or is being closed: see the error before this one"
        }
        Error::UpgradeRequired(_) => {
            "an older version of redb wrote it: open it once with the version of the program that wrote it, and \
             upgrade from there step by step, or give another path"
        }
        Error::Unsupported => "its disk can't lock files: put it on a local disk",
        _ => {
            "it seems damaged. If the service was running, restart it, which repairs what it can. If it does not start, \
             put back a copy, or give another path: users must then log in again, and what was revoked is valid \
             again until it expires"
        }
    }
}
