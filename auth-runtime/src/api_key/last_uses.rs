//! When keys were last used: gathered here, and written once a minute, in a few writes for all keys.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::{ApiKeyStore, ApiKeyUse};

/// How often the store is written.
const EVERY: Duration = Duration::from_secs(60);

/// The number of keys whose use is remembered until the next write. The use of more is not recorded.
const MAX_PENDING: usize = 100_000;

/// The number of keys in one write.
const WRITTEN_AT_ONCE: usize = 1000;

/// The uses that are not written yet.
#[derive(Debug)]
pub(super) struct LastUses {
    pending: Mutex<Pending>,
    /// The last write failed.
    is_failing: AtomicBool,
}

#[derive(Debug)]
struct Pending {
    /// In seconds since the epoch, by the id of the key.
    uses: HashMap<String, i64>,
    /// By the monotonic clock.
    next_write: Duration,
}

impl LastUses {
    /// `monotonic` is the time of a monotonic clock.
    pub(super) fn new(monotonic: Duration) -> Self {
        let pending = Pending { uses: HashMap::new(), next_write: monotonic.saturating_add(EVERY) };
        Self { pending: Mutex::new(pending), is_failing: AtomicBool::new(false) }
    }

    /// A key was used at this time, in seconds since the epoch.
    pub(super) fn note(&self, id: &str, at: i64) {
        let uses = &mut self.pending().uses;
        if let Some(last) = uses.get_mut(id) {
            *last = at.max(*last);
        } else if uses.len() < MAX_PENDING {
            uses.insert(id.to_owned(), at);
        }
    }

    /// Returns what is to be written, if it is time for that and there is something.
    pub(super) fn take_due(&self, monotonic: Duration) -> Option<Vec<ApiKeyUse>> {
        let mut pending = self.pending();
        if monotonic < pending.next_write {
            return None;
        }
        pending.next_write = monotonic.saturating_add(EVERY);
        drop(pending);
        Some(self.take()).filter(|uses| !uses.is_empty())
    }

    /// Returns what is to be written, at any time.
    pub(super) fn take(&self) -> Vec<ApiKeyUse> {
        let uses = std::mem::take(&mut self.pending().uses);
        uses.into_iter().map(|(id, at)| ApiKeyUse { id, at }).collect()
    }

    /// Writes. If it fails, these uses are lost, and the log says so when it begins.
    pub(super) async fn write(&self, store: &dyn ApiKeyStore, uses: Vec<ApiKeyUse>) {
        let count = uses.len();
        // In parts, between which others can write.
        for part in uses.chunks(WRITTEN_AT_ONCE) {
            if let Err(error) = store.record_uses(part.to_vec()).await {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, count, "auth: when API keys were last used can't be recorded: the keys are served");
                }
                return;
            }
        }
        self.is_failing.store(false, Ordering::Relaxed);
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_key_is_written_once_a_minute_at_most() {
        let uses = LastUses::new(seconds(1000));
        assert_eq!(uses.take_due(seconds(1060)), None, "nothing was used");
        let mut written = Vec::new();
        for second in 1060..1360 {
            uses.note("a", 5000 + i64::try_from(second).unwrap());
            written.extend(uses.take_due(seconds(second)).into_iter().flatten().map(|written| written.at));
        }
        assert_eq!(written, [6120, 6180, 6240, 6300]);
        assert_eq!(uses.take(), [ApiKeyUse { id: "a".into(), at: 6359 }], "the rest");
        assert_eq!(uses.take(), []);
    }

    #[test]
    fn the_latest_use_counts_if_the_clock_is_set_back() {
        let uses = LastUses::new(Duration::ZERO);
        for at in [100, 300, 200] {
            uses.note("a", at);
        }
        assert_eq!(uses.take(), [ApiKeyUse { id: "a".into(), at: 300 }]);
    }

    #[test]
    fn the_memory_is_bounded() {
        let uses = LastUses::new(Duration::ZERO);
        for number in 0..MAX_PENDING + 1000 {
            uses.note(&number.to_string(), 1);
        }
        uses.note("7", 2);
        let taken = uses.take();
        assert_eq!(taken.len(), MAX_PENDING);
        assert!(taken.contains(&ApiKeyUse { id: "7".into(), at: 2 }));
    }
}
