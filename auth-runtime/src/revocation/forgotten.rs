//! The caches that the log evicts from.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::catch_panic::catch_panic;
use crate::store::{LoggedRevocation, Revocation};

/// A cache of what was loaded for subjects.
pub(crate) trait SubjectCache: Send + Sync {
    /// Evicts what was loaded for these subjects, and what is being loaded. It is called once for many.
    fn forget(&self, subjects: &Arc<Subjects>);

    /// The longest time that it remembers.
    fn longest(&self) -> Duration;
}

/// Subjects, by their issuers.
#[derive(Debug, Default)]
pub(crate) struct Subjects(HashMap<Box<str>, HashSet<Box<str>>>);

impl Subjects {
    pub(crate) fn contain(&self, (issuer, subject): (&str, &str)) -> bool {
        self.0.get(issuer).is_some_and(|subjects| subjects.contains(subject))
    }

    fn insert(&mut self, issuer: &str, subject: &str) {
        self.0.entry(issuer.into()).or_default().insert(subject.into());
    }
}

/// The caches of an engine.
#[derive(Default)]
pub(crate) struct SubjectCaches(Vec<Arc<dyn SubjectCache>>);

impl SubjectCaches {
    pub(crate) fn add(&mut self, cache: Arc<dyn SubjectCache>) {
        self.0.push(cache);
    }

    /// Evicts what these entries of a log say, in one pass over each cache.
    pub(super) fn apply<'r>(&self, entries: impl IntoIterator<Item = &'r LoggedRevocation>) {
        let mut subjects = Subjects::default();
        for entry in entries {
            if let Revocation::Forgotten { issuer, subject } = &entry.revocation {
                subjects.insert(issuer, subject);
            }
        }
        if subjects.0.is_empty() {
            return;
        }
        let subjects = Arc::new(subjects);
        for cache in &self.0 {
            // A destructor of what is evicted is the application's. All is evicted before the first runs.
            if let Err(panic) = catch_panic(|| cache.forget(&subjects)) {
                tracing::error!(%panic, "auth: what was evicted from a cache panicked when it was dropped");
            }
        }
    }

    /// The longest time that one of them remembers.
    pub(super) fn longest(&self) -> Duration {
        self.0.iter().map(|cache| cache.longest()).max().unwrap_or_default()
    }
}

impl fmt::Debug for SubjectCaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectCaches").field("caches", &self.0.len()).finish_non_exhaustive()
    }
}
