//! The figures, what they must not exceed, and what did.

use std::time::Duration;

/// The goals that were missed.
#[derive(Debug, Default)]
pub struct Goals {
    pub missed: Vec<String>,
}

impl Goals {
    /// Notes a goal that is missed.
    pub fn expect(&mut self, is_reached: bool, goal: impl FnOnce() -> String) {
        if !is_reached {
            self.missed.push(goal());
        }
    }

    pub fn at_most(&mut self, what: &str, value: Duration, most: Duration) {
        self.expect(value <= most, || format!("{what}: {value:.1?}, and at most {most:?} is the goal"));
    }
}

/// Durations, sorted.
#[derive(Debug)]
pub struct Durations(Vec<Duration>);

impl Durations {
    pub fn new(mut values: Vec<Duration>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_unstable();
        Self(values)
    }

    pub fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent / 100).min(self.0.len() - 1)]
    }

    pub fn max(&self) -> Duration {
        self.percentile(100)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The 50th, the 90th and the 99th percentile and the most, in milliseconds.
    pub fn row(&self) -> String {
        [50, 90, 99, 100].map(|percent| format!("{:>9.2}", milliseconds(self.percentile(percent)))).concat()
    }

    /// The names of the columns of [`row`](Self::row).
    pub fn header() -> String {
        ["p50", "p90", "p99", "max"].map(|name| format!("{name:>9}")).concat()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
