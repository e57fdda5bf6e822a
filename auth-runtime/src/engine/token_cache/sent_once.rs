//! Which tokens were sent lately for the first time: once the cache has no room to spare, one that is sent once need not be in it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// One place for so many bytes of the cache: few of the tokens that fit into it share one, and all places take 1/256 of its memory.
const BYTES_A_SLOT: usize = 1024;
/// The bounds of how many tokens it knows.
const SLOTS: [usize; 2] = [1 << 10, 1 << 20];

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
    /// Beside a cache of at most so many bytes.
    pub(super) fn new(max_bytes: usize) -> Self {
        let [fewest, most] = SLOTS;
        let slots = (0..(max_bytes / BYTES_A_SLOT).clamp(fewest, most)).map(|_| AtomicU32::new(0)).collect();
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
        let slot = self.slots.get(place as usize % self.slots.len().max(1));
        slot.is_some_and(|slot| slot.swap(mark, Ordering::Relaxed) == mark)
    }
}

#[cfg(test)]
mod tests {
    use super::{ASKED_EVERY, SentOnce};

    const SLOTS: u64 = 1024;

    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn without_room_to_spare_a_token_is_worth_a_place_when_it_is_sent_again() {
        let sent = SentOnce::new(0);
        let [first, second] = [0, 1].map(|_| {
            let worth = (1..=SLOTS / 8).filter(|n| sent.is_worth_a_place(hash(*n), || false));
            worth.count()
        });
        // Some share a slot.
        assert_eq!(first, 0);
        assert!(second as u64 > SLOTS / 8 * 3 / 4, "{second}");
    }

    #[test]
    fn it_asks_again_whether_there_is_room() {
        let sent = SentOnce::new(64 << 20);
        for (n, has_room) in [(1, true), (2, false), (3, true)] {
            let hashes = (0..ASKED_EVERY as u64).map(|step| hash(n * 1000 + step));
            let worth = hashes.filter(|hash| sent.is_worth_a_place(*hash, || has_room)).count();
            assert_eq!(worth, if has_room { ASKED_EVERY } else { 0 }, "{n}");
        }
    }
}
