//! Calls that alternate in rounds of some milliseconds, so that other work of the machine affects all of them alike.
//! criterion and divan measure one after the other.

use std::hint::black_box;
use std::time::{Duration, Instant};

pub const ROUNDS: usize = 200;
pub const ROUND: Duration = Duration::from_millis(3);

/// How many calls fill a round.
pub fn calls_a_round(call: &dyn Fn() -> bool) -> u32 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < ROUND {
        black_box(call());
        count += 1;
    }
    count.max(1)
}

/// Seconds a call.
pub fn time(count: u32, call: &dyn Fn() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        black_box(call());
    }
    start.elapsed().as_secs_f64() / f64::from(count)
}

/// The 10th, the 50th and the 90th percentile.
pub fn percentiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [values.len() / 10, values.len() / 2, values.len() * 9 / 10].map(|index| values[index])
}
