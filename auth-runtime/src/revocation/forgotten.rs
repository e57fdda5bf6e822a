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
#[derive(Debug)]
pub(crate) enum Subjects {
    /// Whose they are is not known.
    All,
    These(HashMap<Box<str>, HashSet<Box<str>>>),
}

impl Subjects {
    pub(crate) fn contain(&self, (issuer, subject): (&str, &str)) -> bool {
        match self {
            Self::All => true,
            Self::These(by_issuer) => {
                by_issuer.get(issuer).is_some_and(|subjects| subjects.contains(subject))
            }
        }
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
        let mut subjects: HashMap<Box<str>, HashSet<Box<str>>> = HashMap::new();
        for entry in entries {
            if let Revocation::Forgotten { issuer, subject } = &entry.revocation {
                subjects.entry(issuer.as_str().into()).or_default().insert(subject.as_str().into());
            }
        }
        if !subjects.is_empty() {
            self.forget(Subjects::These(subjects));
        }
    }

    /// Evicts what was loaded for these subjects.
    pub(super) fn forget(&self, subjects: Subjects) {
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
