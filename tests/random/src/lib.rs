//! How many random cases a test makes, and how many rows it writes. A test says how many it makes every day, and the variable
//! `AUTH_CASES` multiplies them all: `AUTH_CASES=10 cargo test` makes ten times as many, as `.ci/nightly` does. `AUTH_SEED` repeats the cases of
//! a test that failed.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// This many, times `AUTH_CASES`.
///
/// # Panics
/// If `AUTH_CASES` is set to anything but a whole number from 1 on, or the product is too large.
#[track_caller]
pub fn times(everyday: u32) -> u32 {
    let Ok(factor) = std::env::var("AUTH_CASES") else { return everyday };
    product(everyday, &factor).unwrap_or_else(|| {
        panic!(
            "AUTH_CASES is {factor:?}. Write by how much to multiply the number of random cases: \
             a whole number from 1 on, such as 10, and small enough for {everyday} cases"
        )
    })
}

fn product(everyday: u32, factor: &str) -> Option<u32> {
    factor.parse().ok().filter(|&factor: &u32| factor > 0)?.checked_mul(everyday)
}

/// A configuration with this many cases, times `AUTH_CASES`. Failures are printed, and not written to files.
///
/// # Panics
/// As [`times`].
#[track_caller]
pub fn config(everyday: u32) -> Config {
    Config { cases: times(everyday), failure_persistence: None, ..Config::default() }
}

/// A runner of this many cases, times `AUTH_CASES`. It prints its seed, which a test that fails shows; `AUTH_SEED` repeats one.
///
/// # Panics
/// As [`times`], and if `AUTH_SEED` is set to anything but a whole number.
#[track_caller]
#[allow(clippy::print_stderr, reason = "shown with a test that fails")]
pub fn runner(everyday: u32) -> TestRunner {
    let seed = match std::env::var("AUTH_SEED") {
        Ok(seed) => seed
            .parse()
            .unwrap_or_else(|_| panic!("AUTH_SEED is {seed:?}. Write the number that a test printed")),
        // It has new random keys each time.
        Err(_) => RandomState::new().hash_one(()),
    };
    eprintln!("AUTH_SEED={seed} repeats these cases");
    let bytes = [0_u64, 0, 0, seed].map(u64::to_le_bytes).concat();
    TestRunner::new_with_rng(config(everyday), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[test]
fn a_factor_is_a_whole_number_from_1_on() {
    assert_eq!(product(300, "1"), Some(300));
    assert_eq!(product(300, "10"), Some(3000));
    for factor in ["", "0", "-1", "1.5", "many", "4294967295"] {
        assert_eq!(product(300, factor), None, "{factor}");
    }
}
