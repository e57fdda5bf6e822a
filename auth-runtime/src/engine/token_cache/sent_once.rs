//! Which tokens were sent lately for the first time: once the cache has no room to spare, one that is sent once need not be in it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// How many tokens it knows at most: 16 KiB.
const SLOTS: usize = 4096;

/// How often it is asked whether there is room to spare: after as many tokens.
const ASKED_EVERY: usize = 64;

/// The tokens that were sent lately for the first time, each by a part of its hash. Two that have the same are taken for one, which is
/// remembered too early then.
pub(super) struct SentOnce {
    slots: Box<[AtomicU32]>,
    asked: AtomicUsize,
    has_room: AtomicBool,
}

impl SentOnce {
    pub(super) fn new() -> Self {
        let slots = (0..SLOTS).map(|_| AtomicU32::new(0)).collect();
        Self { slots, asked: AtomicUsize::new(0), has_room: AtomicBool::new(true) }
    }

    /// Whether the token of this hash is to be remembered: there is room to spare, or it was sent before, lately.
    pub(super) fn is_worth_a_place(&self, hash: u64, has_room: impl FnOnce() -> bool) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(ASKED_EVERY) {
            self.has_room.store(has_room(), Ordering::Relaxed);
        }
        self.has_room.load(Ordering::Relaxed) || self.was_sent(hash)
    }

    /// Whether it was sent before, lately. From now on it was.
    fn was_sent(&self, hash: u64) -> bool {
        let [place, mark] = [hash as u32, (hash >> 32) as u32 | 1];
        let slot = self.slots.get(place as usize % SLOTS);
        slot.is_some_and(|slot| slot.swap(mark, Ordering::Relaxed) == mark)
    }
}

#[cfg(test)]
mod tests {
    use super::{ASKED_EVERY, SLOTS, SentOnce};

    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn without_room_to_spare_a_token_is_worth_a_place_when_it_is_sent_again() {
        let sent = SentOnce::new();
        let [first, second] = [0, 1].map(|_| {
            let worth = (1..=SLOTS as u64 / 8).filter(|n| sent.is_worth_a_place(hash(*n), || false));
            worth.count()
        });
        // Some share a slot.
        assert_eq!(first, 0);
        assert!(second > SLOTS / 8 * 3 / 4, "{second}");
    }

    #[test]
    fn it_asks_again_whether_there_is_room() {
        let sent = SentOnce::new();
        for (n, has_room) in [(1, true), (2, false), (3, true)] {
            let hashes = (0..ASKED_EVERY as u64).map(|step| hash(n * 1000 + step));
            let worth = hashes.filter(|hash| sent.is_worth_a_place(*hash, || has_room)).count();
            assert_eq!(worth, if has_room { ASKED_EVERY } else { 0 }, "{n}");
        }
    }
}
