//! A store could not do what it was asked.

use std::fmt;
use std::sync::Arc;

use axum::BoxError;

/// A store could not do what it was asked. Its text is for the log: where, what is wrong, and what to do.
#[derive(Clone)]
pub struct StoreError {
    reason: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// With a reason for the log: where, what is wrong, and what to do.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    /// With the error that caused it, which [`source`](std::error::Error::source) then returns. The reason should say what it
    /// says too: a log that prints this error alone does not print its source.
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

/// The same text: `main() -> Result<(), Box<dyn Error>>` prints this one.
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
