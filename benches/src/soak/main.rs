//! A soak: the quickstart under mixed load, killed with `kill -9` and restarted every minute. What it has acknowledged must hold
//! afterwards, it may not fail, and its memory must stay flat. Run it with
//! `cargo run --release --manifest-path benches/Cargo.toml --bin soak -- --minutes 20`, on Linux.
//!
//! `--seed NUMBER` repeats the choices of an earlier run. `--server PATH` takes another binary of the quickstart, and builds none.

mod books;
mod flood;
mod hostile;
mod life;
mod log;
mod memory;
mod options;
mod random;
mod report;
mod requests;
mod tally;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::quickstart::server::{Folder, build};

use crate::books::Books;
use crate::life::Life;
use crate::log::Log;
use crate::memory::{MARGIN, Samples};
use crate::options::Options;
use crate::report::Report;
use crate::tally::Tally;

/// The checks and the restarts take time too. A run that takes so much longer fails.
const MOST_MORE: Duration = Duration::from_secs(10 * 60);

/// What all lives share.
struct Soak {
    seed: u64,
    binary: PathBuf,
    /// Of keys and sessions: it stays over the restarts.
    folder: Folder,
    tally: Tally,
    books: Books,
    log: Log,
    /// A token that was valid, for the hostile clients.
    sample: Mutex<String>,
    wrong_logins: AtomicU64,
    slow: AtomicU64,
    kills: AtomicU64,
    logins: AtomicU64,
    rotations: AtomicU64,
    checked_logins: AtomicU64,
    checked_rotations: AtomicU64,
    checked_ended: AtomicU64,
}

impl Soak {
    fn new(options: &Options) -> Self {
        Self {
            seed: options.seed,
            binary: options.server.clone().unwrap_or_else(build),
            folder: Folder::create("soak"),
            tally: Tally::default(),
            books: Books::new(),
            log: Log::default(),
            sample: Mutex::new("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl".into()),
            wrong_logins: AtomicU64::default(),
            slow: AtomicU64::default(),
            kills: AtomicU64::default(),
            logins: AtomicU64::default(),
            rotations: AtomicU64::default(),
            checked_logins: AtomicU64::default(),
            checked_rotations: AtomicU64::default(),
            checked_ended: AtomicU64::default(),
        }
    }

    /// The size of the store's file, in bytes.
    fn store_bytes(&self) -> u64 {
        std::fs::metadata(self.folder.0.join("auth.redb")).map_or(0, |file| file.len())
    }

    fn is_memory_flat(&self, samples: &Samples) {
        if let Some((first, last, _)) = samples.quarters()
            && last > first + MARGIN
        {
            self.tally.fail(format!("memory is not flat: the median grew from {first} to {last} bytes"));
        }
    }
}

fn main() -> ExitCode {
    let options = Options::from_arguments();
    let soak = Soak::new(&options);
    let (short, long) = options.lives();
    println!("seed {}: {short} lives of one minute, one of {long}", soak.seed);
    let began = Instant::now();
    let mut report = Report::default();
    for number in 0..=short + 1 {
        let minutes = if number < short { 1 } else { long * u64::from(number == short) };
        let is_check_alone = number > short;
        if !is_check_alone && minutes == 0 {
            continue;
        }
        let samples = Life::run(&soak, number as usize, minutes);
        if !is_check_alone {
            report.add(&soak, number, &samples, minutes);
        }
        if minutes > 1 {
            soak.is_memory_flat(&samples);
        }
        if soak.log.counts().2 > 0 {
            soak.tally.fail("the server panicked".into());
        }
        if began.elapsed() > Duration::from_secs(options.minutes * 60) + MOST_MORE {
            soak.tally.fail("the run takes too long".into());
        }
        if soak.tally.failed() > 0 {
            break;
        }
    }
    report.print(&soak, began.elapsed());
    if soak.tally.failed() == 0 && soak.kills.load(Ordering::Relaxed) > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
