//! Why a read or a write of the database failed.

use std::fmt::Display;
use std::path::Path;

use ::redb::Error;

use super::advice::advice;
use crate::catch_panic::{Panic, catch_panic};
use crate::store::StoreError;

/// Why a read or a write failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// redb failed.
    Error(Error),
    /// redb panicked, as it does on some damaged pages.
    Panic(Panic),
    /// What is in the file can't be used, for this reason. The disk is well.
    Content(String),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl Failure {
    /// Whether opening the file again may help.
    pub(super) fn is_of_the_database(&self) -> bool {
        !matches!(self, Self::Content(_))
    }

    /// As the error of the store in this file.
    pub(super) fn describe(self, path: &Path) -> StoreError {
        let error = match self {
            Self::Error(error) => error,
            Self::Panic(panic) => Error::Corrupted(format!("redb {panic}")),
            Self::Content(why) => return unusable(path, why),
        };
        unusable(path, format_args!("{} ({error})", advice(&error))).with_source(error)
    }
}

/// Does something with redb, which panics on some damaged pages.
pub(super) fn catch<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_panic(work).unwrap_or_else(|panic| Err(Failure::Panic(panic)))
}

pub(super) fn unusable(path: &Path, reason: impl Display) -> StoreError {
    StoreError::new(format!("the store `{}` can't be used: {reason}", path.display()))
}
