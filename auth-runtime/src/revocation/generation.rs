//! The generations of a user's sessions: each begins with a logout everywhere, and ends those before it.
//!
//! A generation is a number that increases, in its upper 12 bits, and a random number in its lower 20, for two that begin at the same
//! time. Which of two is newer does not depend on the order in which an instance learns of them, so a log can be read again.

/// The number of random bits.
const RANDOM: u32 = 20;

/// Half of the numbers are after a number, the others are before it (RFC 1982 does the same).
const HALF: u32 = 1 << 11;

const NUMBERS: u32 = 1 << 12;

/// Whether the first generation is newer than the second.
pub(super) fn is_newer(generation: u32, known: u32) -> bool {
    let after = (generation >> RANDOM).wrapping_sub(known >> RANDOM) % NUMBERS;
    if after == 0 { generation > known } else { after < HALF }
}

/// The generation after all of these, with these random bits. It is not 0, which is before the first.
pub(super) fn after(known: impl IntoIterator<Item = u32>, random: u32) -> u32 {
    let newest = known.into_iter().reduce(|newest, next| if is_newer(next, newest) { next } else { newest });
    let number = (newest.unwrap_or(0) >> RANDOM).wrapping_add(1) % NUMBERS;
    let generation = number << RANDOM | random >> (u32::BITS - RANDOM);
    generation.max(1)
}

/// A generation with this number. No session is of it: it is there for others to be after it.
pub(super) fn numbered(number: i64) -> u32 {
    u32::try_from(number.rem_euclid(i64::from(NUMBERS))).unwrap_or_default() << RANDOM
}

#[cfg(test)]
mod tests {
    use super::{after, is_newer, numbered};

    #[test]
    fn each_is_newer_than_those_before_it_also_when_the_numbers_begin_again() {
        let mut known = vec![0];
        for random in (0..10_000_u32).map(|step| step.wrapping_mul(0x9E37_79B9)) {
            let last = *known.last().unwrap();
            let next = after([last], random);
            assert_ne!(next, 0);
            for earlier in known.iter().rev().take(2000) {
                assert!(is_newer(next, *earlier) && !is_newer(*earlier, next), "{next:x} and {earlier:x}");
            }
            known.push(next);
        }
        assert!(!is_newer(5, 5));
    }

    #[test]
    fn of_two_days_the_later_one_has_the_newer_generation() {
        for day in [0, 20_000, 4094, 4095, 4096, -1] {
            let (first, second) = (after([numbered(day)], 7 << 20), after([numbered(day + 150)], 7 << 20));
            assert!(is_newer(second, first) && !is_newer(first, second), "{day}");
        }
    }

    /// Of two that begin at the same time, all instances take the same one for the newer.
    #[test]
    fn of_two_with_one_number_one_is_newer() {
        let (first, second) = (after([7 << 20], 1 << 12), after([7 << 20], 2 << 12));
        assert!(is_newer(second, first) && !is_newer(first, second));
        assert_eq!(after([first, second], 0), 9 << 20);
        assert_eq!(after([0xFFF << 20], 0), 1, "not 0");
    }
}
