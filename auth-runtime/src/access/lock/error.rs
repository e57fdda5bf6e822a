//! Why a table does not match its access lock.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// The variable that makes [`AccessTable::assert_lock`](super::AccessTable::assert_lock) write the file.
pub(super) const VARIABLE: &str = "AUTH_LOCK";

/// Who gained and who lost access since the file was written, each with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessChanges {
    /// A text for each route whose access changed, and for each group of other requests that another route serves than before.
    pub changes: Vec<String>,
}

/// Why the access lock could not be compared or written, or does not match.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// The file can't be read. It may not exist yet.
    NotRead {
        /// The file.
        path: PathBuf,
        /// Why it can't be read.
        source: io::Error,
    },
    /// The file can't be written.
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Why it can't be written.
        source: io::Error,
    },
    /// The file is not JSON, or lacks a field of a lock.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with the JSON.
        source: serde_json::Error,
    },
    /// The file is not a lock of this version of the library, or was changed by hand or by a merge.
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The table has routes that no router can serve together, so that it can't be locked. The file is unchanged.
    NotLockable {
        /// Which routes, and why.
        reason: String,
    },
    /// The environment variable `AUTH_LOCK` has another value than `accept`.
    UnknownSetting {
        /// The value.
        value: String,
    },
    /// Callers gained or lost access.
    Changed {
        /// The file.
        path: PathBuf,
        /// Who, and to what.
        changes: AccessChanges,
    },
}

/// What is wrong with the content of a lock.
#[derive(Debug)]
pub(super) enum InvalidLock {
    Malformed(serde_json::Error),
    Invalid(String),
}

impl InvalidLock {
    /// The error of a file at this path.
    pub(super) fn at(self, path: &Path) -> LockError {
        let path = path.to_owned();
        match self {
            Self::Malformed(source) => LockError::Malformed { path, source },
            Self::Invalid(reason) => LockError::Invalid { path, reason },
        }
    }

    /// The error of a table that would be written so.
    pub(super) fn of_table(self) -> LockError {
        let reason = match self {
            Self::Malformed(error) => error.to_string(),
            Self::Invalid(reason) => reason,
        };
        LockError::NotLockable { reason }
    }
}

impl fmt::Display for AccessChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRead { path, source } => write!(
                f,
                "the access lock {} can't be read: {source}. If there is no lock yet, run this test with {VARIABLE}=accept and commit \
                 the file",
                path.display()
            ),
            Self::NotWritten { path, source } => write!(
                f,
                "the access lock {} can't be written: {source}. Check that its folder exists and that this test may write to it",
                path.display()
            ),
            Self::Malformed { path, source } => {
                write!(f, "{} is not an access lock: {source}. {RESTORE}", path.display())
            }
            Self::Invalid { path, reason } => {
                write!(f, "{} is not a valid access lock: {reason}. {RESTORE}", path.display())
            }
            Self::NotLockable { reason } => write!(
                f,
                "the access table can't be locked: {reason}. Change these routes so that one router can serve all of them"
            ),
            Self::UnknownSetting { value } => {
                write!(
                    f,
                    "{VARIABLE} is `{value}`: set it to `accept`, which writes the access lock, or remove it"
                )
            }
            Self::Changed { path, changes } => write!(
                f,
                "access has changed since {} was written:\n\n{changes}\nIf this is intended, run this test with {VARIABLE}=accept and \
                 commit the file",
                path.display()
            ),
        }
    }
}

/// What to do about a file that is not a lock.
const RESTORE: &str = "Restore it from the last commit, or write it again with AUTH_LOCK=accept";

impl Error for LockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotRead { source, .. } | Self::NotWritten { source, .. } => Some(source),
            Self::Malformed { source, .. } => Some(source),
            Self::Invalid { .. }
            | Self::NotLockable { .. }
            | Self::UnknownSetting { .. }
            | Self::Changed { .. } => None,
        }
    }
}
