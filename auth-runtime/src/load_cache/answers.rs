//! What is remembered of one kind of answers, within its bounds.

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, RandomState};
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, UnitWeighter};

/// The bounds of one kind of answers. With 0 entries, or no time, none is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) entries: usize,
    /// A load may say less.
    pub(crate) longest: Duration,
}

/// Answers of one kind.
pub(crate) struct Answers<K, T> {
    /// `None`: none is remembered.
    entries: Option<Cache<K, Answer<T>, UnitWeighter, RandomState>>,
    pub(crate) longest: Duration,
}

#[derive(Clone)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    /// By the clock of the callers.
    pub(crate) expires_at: Duration,
}

impl<K: Hash + Eq + Clone, T: Clone> Answers<K, T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let Bounds { entries, longest } = bounds;
        let is_on = entries > 0 && !longest.is_zero();
        Self {
            entries: is_on.then(|| {
                let (hasher, lifecycle) = (RandomState::new(), DefaultLifecycle::default());
                Cache::with(entries, entries as u64, UnitWeighter, hasher, lifecycle)
            }),
            longest: if is_on { longest } else { Duration::ZERO },
        }
    }

    pub(crate) fn remembers(&self) -> bool {
        self.entries.is_some()
    }

    pub(crate) fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q, now: Duration) -> Option<T> {
        let answer = self.entries.as_ref()?.get(key)?;
        (now < answer.expires_at).then_some(answer.value)
    }

    /// Returns what it replaced or evicted.
    pub(crate) fn insert(&self, key: K, answer: Answer<T>) -> [Option<(K, Answer<T>)>; 2] {
        let mut evicted = [None, None];
        if let Some(entries) = &self.entries {
            entries.insert_with_lifecycle(key, answer, &mut evicted);
        }
        evicted
    }

    pub(crate) fn remove(&self, key: &K) -> Option<(K, Answer<T>)> {
        self.entries.as_ref()?.remove(key)
    }

    pub(crate) fn retain(&self, is_retained: impl Fn(&K, &T) -> bool) {
        let Some(entries) = &self.entries else { return };
        // They are dropped where nothing is locked.
        let evicted = RefCell::new(Vec::new());
        entries.retain(|key, answer| {
            let is_retained = is_retained(key, &answer.value);
            if !is_retained {
                evicted.borrow_mut().push(answer.clone());
            }
            is_retained
        });
    }
}

/// Without what is remembered.
impl<K, T> fmt::Debug for Answers<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("longest", &self.longest).finish_non_exhaustive()
    }
}
