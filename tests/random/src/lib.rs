//! How many random cases a test makes, and how many rows it writes. A test says how many it makes every day, and the variable
//! `AUTH_CASES` multiplies them all: `AUTH_CASES=10 cargo test` makes ten times as many, as `.ci/nightly` does.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use proptest::test_runner::{Config, TestRunner};

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

/// A runner of this many cases, times `AUTH_CASES`.
///
/// # Panics
/// As [`times`].
#[track_caller]
pub fn runner(everyday: u32) -> TestRunner {
    TestRunner::new(config(everyday))
}

#[test]
fn a_factor_is_a_whole_number_from_1_on() {
    assert_eq!(product(300, "1"), Some(300));
    assert_eq!(product(300, "10"), Some(3000));
    for factor in ["", "0", "-1", "1.5", "many", "4294967295"] {
        assert_eq!(product(300, factor), None, "{factor}");
    }
}
