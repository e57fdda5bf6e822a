//! The access lock: who may call each route, in a committed file, so that a change of access shows in review.
//!
//! The comparison is of what the rules mean, for all callers at once. A rule that is written in another way and means the
//! same is no change. It is also of the requests that each route serves, as axum matches paths: when a route is removed, a
//! wildcard may serve its requests. Requests of no listed route are reported as `requests: POST /f/{}`, where `{}` is any
//! segment.
//!
//! Of a source it is compared whether its credentials are tokens or those of an [authenticator](mod@crate::authenticator), and for an
//! authenticator where they are: the same name could be judged by something else.
//!
//! Not compared: whose tokens are accepted (issuers, audiences, the names of claims), the header from which a source takes
//! a token, the order in which sources are tried, which origins are trusted, what a check or an authenticator does, and what routers
//! serve that are merged without a guard.

mod callers;
mod difference;
mod error;
mod file;
mod shape;
mod state;

use std::fs;
use std::path::Path;

use self::error::VARIABLE;
pub use self::error::{AccessChanges, LockError};
use self::file::Locked;
use self::state::State;
use super::AccessTable;

impl AccessTable {
    /// Compares the table with the committed file at `path`, and fails with a list of who gained and who lost access. With
    /// `AUTH_LOCK=accept` in the environment it writes the file instead. For a test:
    ///
    /// ```no_run
    /// # fn table() -> auth_runtime::access::AccessTable { unimplemented!() }
    /// #[test]
    /// fn access_changes_only_with_its_lock() {
    ///     table().assert_lock("access.lock"); // next to Cargo.toml
    /// }
    /// ```
    ///
    /// # Panics
    /// With the text of a [`LockError`], if access has changed or there is no lock.
    #[track_caller]
    pub fn assert_lock(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let result = match std::env::var_os(VARIABLE) {
            None => self.check_lock(path),
            Some(value) if value == "accept" => self.write_lock(path),
            Some(value) => Err(LockError::UnknownSetting { value: value.to_string_lossy().into_owned() }),
        };
        if let Err(error) = result {
            #[allow(clippy::panic, reason = "an assertion fails by panicking")]
            {
                panic!("{error}");
            }
        }
    }

    /// Compares the table with the file at `path`.
    ///
    /// # Errors
    /// [`LockError::Changed`] if access has changed; [`LockError::NotRead`], [`LockError::Malformed`] or
    /// [`LockError::Invalid`] if the file is missing or is not a lock; [`LockError::NotLockable`] if no router can serve
    /// the routes of the table.
    pub fn check_lock(&self, path: &Path) -> Result<(), LockError> {
        let text = fs::read_to_string(path)
            .map_err(|source| LockError::NotRead { path: path.to_owned(), source })?;
        let before = Locked::from_text(&text).map_err(|invalid| invalid.at(path))?;
        let before = State::new(&before).map_err(|invalid| invalid.at(path))?;
        let after = Locked::of_table(self);
        let after = State::new(&after).map_err(|invalid| invalid.of_table())?;
        let changes = difference::between(&before, &after);
        if changes.is_empty() {
            Ok(())
        } else {
            Err(LockError::Changed { path: path.to_owned(), changes: AccessChanges { changes } })
        }
    }

    /// Writes the file at `path`.
    ///
    /// # Errors
    /// [`LockError::NotWritten`] if it can't be written; [`LockError::NotLockable`] if no router can serve the routes of the table.
    pub fn write_lock(&self, path: &Path) -> Result<(), LockError> {
        let text = Locked::of_table(self).to_text();
        // A lock that can't be read would fail the next test run.
        let read = Locked::from_text(&text).and_then(|locked| State::new(&locked).map(drop));
        read.map_err(|invalid| invalid.of_table())?;
        fs::write(path, text).map_err(|source| LockError::NotWritten { path: path.to_owned(), source })
    }
}
