//! The error of a store.

use std::fmt;
use std::sync::Arc;

use axum::BoxError;

/// The error of a store. Its text is for the log, and says where the error is, what is wrong, and what to do.
#[derive(Clone)]
pub struct StoreError {
    reason: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Returns an error with a text for the log, which should say where the error is, what is wrong, and what to do.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    /// Sets the cause, which [`source`](std::error::Error::source) returns. The text of this error should contain the text of the
    /// cause too, because a log may print this error without its source.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Prints the same text as `Display`, because `main() -> Result<(), Box<dyn Error>>` prints `Debug`.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
