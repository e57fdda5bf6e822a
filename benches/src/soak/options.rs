//! The options of the command line.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// From so many minutes on, there is a life of more than one.
const LEAST_FOR_A_LONG_LIFE: u64 = 4;

pub(crate) struct Options {
    pub(crate) minutes: u64,
    pub(crate) seed: u64,
    pub(crate) server: Option<PathBuf>,
}

impl Options {
    pub(crate) fn from_arguments() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut options = Self { minutes: 20, seed: now, server: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            match (name.as_str(), arguments.next()) {
                ("--minutes", Some(number)) => options.minutes = number.parse().expect("a number of minutes"),
                ("--seed", Some(number)) => options.seed = number.parse().expect("a number"),
                ("--server", Some(path)) => options.server = Some(path.into()),
                _ => panic!("usage: soak [--minutes NUMBER] [--seed NUMBER] [--server PATH]"),
            }
        }
        assert!((1..=600).contains(&options.minutes), "`--minutes` is 1 to 600");
        options
    }

    /// How many lives of a minute there are, and the minutes of the long one after them: a third, and at least 2.
    pub(crate) fn lives(&self) -> (u64, u64) {
        let long = if self.minutes >= LEAST_FOR_A_LONG_LIFE { (self.minutes / 3).max(2) } else { 0 };
        (self.minutes - long, long)
    }
}
