//! What this process was acknowledged. A store that is set back loses it, and then it is appended again: see [`RevocationLog`].
//!
//! [`RevocationLog`]: crate::store::RevocationLog

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::clock::{from_unix_seconds, unix_seconds};
use crate::store::LogEntry;

/// The entries that this process was acknowledged and that have not expired.
#[derive(Debug, Default)]
pub(super) struct Acknowledged(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Counts reads and acknowledgments.
    last_number: u64,
    /// By their tags.
    entries: HashMap<u64, Kept>,
    /// The tags of those that were not seen in the log, and the number of their acknowledgment.
    unseen: HashMap<u64, u64>,
    /// The tags of those that are being appended, and whether they were seen in the log meanwhile.
    pending: HashMap<u64, bool>,
    /// How many there were after the expired ones were dropped last.
    kept: usize,
}

/// An entry, in as little memory as it can be appended from again: there is one for each revocation of this process that has not expired.
#[derive(Debug)]
struct Kept {
    /// In seconds since the epoch.
    keep_until: i64,
    bytes: Box<[u8]>,
}

impl Kept {
    /// With its tag.
    fn of(entry: LogEntry) -> (u64, Self) {
        (entry.tag, Self { keep_until: unix_seconds(entry.keep_until), bytes: entry.bytes.into() })
    }

    fn into_entry(self, tag: u64) -> LogEntry {
        LogEntry { tag, keep_until: from_unix_seconds(self.keep_until), bytes: self.bytes.into() }
    }

    fn is_needed(&self, now: SystemTime) -> bool {
        from_unix_seconds(self.keep_until) >= now
    }
}

/// As many are added, at least, before those that have expired are dropped.
const BETWEEN_DROPS: usize = 1024;

impl Acknowledged {
    /// The number of a read that is sent now.
    pub(super) fn number_of_read(&self) -> u64 {
        self.state().next_number()
    }

    /// These are being appended, until the answer is dropped.
    pub(super) fn begin(&self, entries: Vec<LogEntry>) -> Pending<'_> {
        self.state().pending.extend(entries.iter().map(|entry| (entry.tag, false)));
        Pending { of: self, entries }
    }

    /// These are in the log.
    pub(super) fn saw(&self, entries: &[LogEntry]) {
        let mut state = self.state();
        if state.unseen.is_empty() && state.pending.is_empty() {
            return;
        }
        for entry in entries {
            state.unseen.remove(&entry.tag);
            if let Some(is_seen) = state.pending.get_mut(&entry.tag) {
                *is_seen = true;
            }
        }
    }

    /// The log is another one, in which nothing was seen yet.
    pub(super) fn begin_history(&self) {
        let mut state = self.state();
        let tags: Vec<u64> = state.entries.keys().copied().collect();
        state.unseen = tags.into_iter().map(|tag| (tag, 0)).collect();
        state.pending.values_mut().for_each(|is_seen| *is_seen = false);
    }

    /// Those that a read of this number, which has reached the end of the log, did not show, although they were acknowledged before and have
    /// not expired at `now`: the store has lost them. They are this reader's to append, until the answer is dropped.
    pub(super) fn lost(&self, read: u64, now: SystemTime) -> Lost<'_> {
        let mut state = self.state();
        let is_lost = |(tag, number): (&u64, &u64)| (*number < read).then_some(*tag);
        let tags: Vec<u64> = state.unseen.iter().filter_map(is_lost).collect();
        let mut entries = Vec::new();
        for tag in tags {
            state.unseen.remove(&tag);
            let kept = state.entries.remove(&tag).filter(|kept| kept.is_needed(now));
            entries.extend(kept.map(|kept| kept.into_entry(tag)));
        }
        Lost { of: self, entries }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Entries that are being appended.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    of: &'a Acknowledged,
    entries: Vec<LogEntry>,
}

impl Pending<'_> {
    /// They were acknowledged. Now and then, those that have expired at `now` are dropped.
    pub(super) fn were_acknowledged(mut self, now: SystemTime) {
        let mut state = self.of.state();
        if state.entries.len() >= 2 * state.kept + BETWEEN_DROPS {
            state.drop_expired(now);
        }
        let number = state.next_number();
        for entry in self.entries.drain(..) {
            if !state.pending.remove(&entry.tag).unwrap_or(false) {
                state.unseen.insert(entry.tag, number);
            }
            state.entries.extend([Kept::of(entry)]);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.entries.is_empty() {
            let mut state = self.of.state();
            for entry in &self.entries {
                state.pending.remove(&entry.tag);
            }
        }
    }
}

/// Entries that the store has lost.
#[derive(Debug)]
pub(super) struct Lost<'a> {
    of: &'a Acknowledged,
    entries: Vec<LogEntry>,
}

impl Lost<'_> {
    /// At most so many of them, with tags of their own: by their former tags, a reader could take its position in the former log for one in
    /// this log.
    pub(super) fn first(&self, count: usize, tags: &Tags) -> Vec<LogEntry> {
        let first = self.entries.iter().take(count);
        first.map(|entry| LogEntry { tag: tags.next(), ..entry.clone() }).collect()
    }

    /// The first of them were appended.
    pub(super) fn were_appended(&mut self, count: usize) {
        self.entries.drain(..count.min(self.entries.len()));
    }
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        let mut state = self.of.state();
        for entry in self.entries.drain(..) {
            state.unseen.insert(entry.tag, 0);
            state.entries.extend([Kept::of(entry)]);
        }
    }
}

/// Random numbers for entries: of a random key, and a counter.
#[derive(Debug, Default)]
pub(super) struct Tags {
    key: RandomState,
    last: AtomicU64,
}

impl Tags {
    pub(super) fn next(&self) -> u64 {
        self.key.hash_one(self.last.fetch_add(1, Ordering::Relaxed))
    }
}

impl State {
    fn next_number(&mut self) -> u64 {
        self.last_number = self.last_number.wrapping_add(1);
        self.last_number
    }

    fn drop_expired(&mut self, now: SystemTime) {
        self.entries.retain(|_, kept| kept.is_needed(now));
        self.unseen.retain(|tag, _| self.entries.contains_key(tag));
        self.kept = self.entries.len();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Acknowledged, LogEntry, Tags};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn entry(tag: u64) -> LogEntry {
        LogEntry { tag, keep_until: at(100), bytes: vec![] }
    }

    fn lost(acknowledged: &Acknowledged, read: u64, now: u64) -> Vec<u64> {
        let mut tags: Vec<u64> =
            acknowledged.lost(read, at(now)).entries.iter().map(|entry| entry.tag).collect();
        tags.sort_unstable();
        tags
    }

    #[test]
    fn lost_is_what_a_later_read_does_not_show() {
        let acknowledged = Acknowledged::default();
        let before = acknowledged.number_of_read();
        acknowledged.begin(vec![entry(1), entry(2)]).were_acknowledged(at(0));
        let after = acknowledged.number_of_read();
        assert_eq!(lost(&acknowledged, before, 0), [0_u64; 0], "it was sent before they were acknowledged");
        assert_eq!(lost(&acknowledged, after, 100), [1, 2]);
        acknowledged.saw(&[entry(2), entry(3)]);
        assert_eq!(lost(&acknowledged, after, 100), [1]);
        acknowledged.saw(&[entry(1)]);
        assert_eq!(lost(&acknowledged, after, 100), [0_u64; 0]);

        acknowledged.begin_history();
        assert_eq!(lost(&acknowledged, before, 100), [1, 2], "nothing was seen in the new log");
        acknowledged.saw(&[entry(1)]);
        // Appended again, with another tag.
        let mut lost_entries = acknowledged.lost(acknowledged.number_of_read(), at(0));
        assert_eq!(lost(&acknowledged, u64::MAX, 0), [0_u64; 0], "while they are appended");
        let again = lost_entries.first(10, &Tags::default());
        let [LogEntry { tag, .. }] = again[..] else { panic!("{again:?}") };
        assert_ne!(tag, 2);
        acknowledged.begin(again).were_acknowledged(at(0));
        lost_entries.were_appended(1);
        drop(lost_entries);
        assert_eq!(lost(&acknowledged, after, 0), [0_u64; 0], "until a later read");
        assert_eq!(lost(&acknowledged, acknowledged.number_of_read(), 0), [tag]);
        // One that could not be appended is lost still.
        drop(acknowledged.lost(acknowledged.number_of_read(), at(0)));
        assert_eq!(lost(&acknowledged, after, 0), [tag]);
        assert_eq!(lost(&acknowledged, u64::MAX, 101), [0_u64; 0], "it has expired");
        assert_eq!(lost(&acknowledged, u64::MAX, 0), [0_u64; 0], "and is forgotten");
    }

    #[test]
    fn the_expired_ones_do_not_pile_up() {
        let acknowledged = Acknowledged::default();
        for tag in 0..10_000 {
            let entry = LogEntry { keep_until: at(tag), ..entry(tag) };
            acknowledged.begin(vec![entry]).were_acknowledged(at(tag));
        }
        let held = acknowledged.state().entries.len();
        assert!(held <= 1 + super::BETWEEN_DROPS, "{held}");
        assert_eq!(lost(&acknowledged, u64::MAX, 9_999), [9_999]);
    }

    /// A reader can be faster than the acknowledgment.
    #[test]
    fn what_is_seen_before_it_is_acknowledged_is_not_lost() {
        let acknowledged = Acknowledged::default();
        let pending = acknowledged.begin(vec![entry(1)]);
        acknowledged.saw(&[entry(1)]);
        pending.were_acknowledged(at(0));
        assert_eq!(lost(&acknowledged, u64::MAX, 0), [0_u64; 0]);

        // The log in which it was seen is another one now.
        let pending = acknowledged.begin(vec![entry(2)]);
        acknowledged.saw(&[entry(2)]);
        acknowledged.begin_history();
        pending.were_acknowledged(at(0));
        assert_eq!(lost(&acknowledged, u64::MAX, 0), [1, 2]);

        drop(acknowledged.begin(vec![entry(3)]));
        assert_eq!(lost(&acknowledged, u64::MAX, 0), [1, 2], "3 was not acknowledged");
        assert!(acknowledged.state().pending.is_empty());
    }
}
