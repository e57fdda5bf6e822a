//! What an error of redb means, and what to do about it.

use std::io;

use ::redb::Error;

pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Describes what is wrong, and what to do.
pub(super) fn advice(error: &Error) -> &'static str {
    match error {
        Error::Io(error) if is_full(error) => {
            "there is no space for it: free space on the disk, or raise the quota or the limit on the size of a file. No \
             acknowledged write is lost, and a running service writes again by itself when there is space"
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
                "the system could not read or write it: see the log of the system, and repair the disk. A running service tries \
                 again by itself"
            }
        },
        Error::PreviousIo => {
            "an earlier read or write of it failed: see the first error in the log, and repair the disk. A running service tries \
             again by itself"
        }
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => {
            "it is open already, and only one process may open it: stop the other one, or give each its own path. In one \
             process, open it once and clone the store. Several processes that share revocations need a store that they \
             can share"
        }
        Error::TableTypeMismatch { .. } | Error::TableIsMultimap(_) => {
            "it is the redb file of another program: use another path"
        }
        Error::DatabaseClosed => "it is being closed: see the error before this one in the log",
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
