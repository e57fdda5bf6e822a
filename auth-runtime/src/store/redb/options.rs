//! How a store in a file is opened.

use std::path::Path;
use std::time::Duration;

use super::RedbStore;
use crate::store::StoreError;

/// How a [`RedbStore`] is opened. [`RedbStore::options`] returns the defaults.
///
/// ```no_run
/// use auth_runtime::store::RedbStore;
///
/// let store = RedbStore::options().require_existing().open("/var/lib/shop/auth.redb")?;
/// # Ok::<(), auth_runtime::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "call `open`"]
pub struct RedbStoreOptions {
    pub(super) require_existing: bool,
    pub(super) compact: bool,
    pub(super) time_limit: Duration,
}

impl Default for RedbStoreOptions {
    fn default() -> Self {
        Self { require_existing: false, compact: false, time_limit: Duration::from_secs(5) }
    }
}

impl RedbStoreOptions {
    /// Makes a missing or empty file an error. By default such a file becomes a new store, with a warning in the log: no user is
    /// logged in, and tokens that were revoked are valid again until they expire.
    pub fn require_existing(mut self) -> Self {
        self.require_existing = true;
        self
    }

    /// Moves the rows to the beginning of the file when it is opened, and gives the rest back to the system. The file does not
    /// get smaller by itself: the space of rows that have expired is used for new rows. It takes a few seconds per gigabyte.
    pub fn compact(mut self) -> Self {
        self.compact = true;
        self
    }

    /// Sets how long a read or a write may take. Default 5 seconds. One that takes longer, because the disk hangs, fails, and
    /// whether it was written is unknown. Until the disk answers, further writes fail at once.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Opens the file, as [`RedbStore::open`] does.
    ///
    /// # Errors
    /// [`StoreError`] if the file can't be opened, is not a store, was written by a newer version, or is open already.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<RedbStore, StoreError> {
        RedbStore::with(path.as_ref(), self)
    }
}
