//! Whether the store can be written, as far as is known without a write.

use std::sync::{Mutex, PoisonError};

use crate::store::StoreError;

/// Whether the store can be written, as far as is known without a write.
#[derive(Debug, Default)]
pub(super) struct Writability(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The last write failed.
    has_failed: bool,
    /// By the last read.
    is_read_only: bool,
}

impl Writability {
    /// Notes how a write ended that must not be lost.
    pub(super) fn note_write<T>(&self, written: &Result<T, StoreError>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).has_failed = written.is_err();
    }

    pub(super) fn note_read(&self, is_read_only: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_read_only = is_read_only;
    }

    pub(super) fn is_in_doubt(&self) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.is_read_only || known.has_failed
    }
}
