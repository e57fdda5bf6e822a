//! The table at the end.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use benches::quickstart::server::megabytes;

use crate::Soak;
use crate::memory::{MARGIN, Samples};

#[derive(Default)]
pub(crate) struct Report {
    memory: Vec<String>,
    flat: Option<String>,
}

impl Report {
    /// A life has ended.
    pub(crate) fn add(&mut self, soak: &Soak, number: u64, samples: &Samples, minutes: u64) {
        let store = soak.store_bytes() / 1_000;
        let line = format!("  {number:>4} {}   {store:>6} kB", samples.text());
        println!("{line}   failures so far: {}", soak.tally.failed());
        self.memory.push(line);
        if minutes > 1 {
            for (minute, part) in samples.minutes().iter().enumerate() {
                self.memory.push(format!("   .{:<2} {}", minute + 1, part.text()));
            }
            self.flat = Some(flat(samples));
        }
    }

    pub(crate) fn print(&self, soak: &Soak, took: Duration) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let unknown = AtomicUsize::load(&soak.books.unknown, Ordering::Relaxed);
        let (answered, errors) = soak.tally.answered();
        println!("\nanswers by kind and status:");
        soak.tally.lines().iter().for_each(|line| println!("{line}"));
        println!("  slow: never-ending requests         {} connections", count(&soak.slow));
        println!("\nmemory of the server [MB] and size of the store");
        println!("  life start   end  most  median       store");
        self.memory.iter().for_each(|line| println!("{line}"));
        if let Some(flat) = &self.flat {
            println!("{flat}");
        }
        let (warnings, log_errors, panics) = soak.log.counts();
        println!(
            "\nin {:.1} minutes: {answered} answers, {} kills",
            took.as_secs_f64() / 60.0,
            count(&soak.kills)
        );
        println!("acknowledged: {} logins, {} rotations", count(&soak.logins), count(&soak.rotations));
        println!(
            "checked after restarts: {} logins, {} rotations, {} times the tokens of an ended session",
            count(&soak.checked_logins),
            count(&soak.checked_rotations),
            count(&soak.checked_ended)
        );
        println!("sessions of which an answer was lost with the kill: {unknown}");
        println!(
            "logged by the server: {warnings} unexpected warnings, {log_errors} errors, {panics} panics"
        );
        println!("answers 5xx other than 503: {errors}");
        println!("lost: {}", soak.tally.lost());
        print_failures(soak);
    }
}

fn flat(samples: &Samples) -> String {
    let Some((first, last, from)) = samples.quarters() else {
        return "the long life is too short to say whether memory is flat".into();
    };
    format!(
        "long life, after a warm-up of {from} s: median of the first quarter {:.1} MB, of the last {:.1} MB; margin {} MB",
        first as f64 / 1e6,
        last as f64 / 1e6,
        megabytes(MARGIN)
    )
}

fn print_failures(soak: &Soak) {
    for line in soak.log.notable().iter().take(20) {
        println!("  {line}");
    }
    if soak.tally.failed() == 0 {
        return;
    }
    println!("\nthe last lines of the server's log:");
    soak.log.last().iter().for_each(|line| println!("  {line}"));
    println!();
    soak.tally.failures().iter().for_each(|failure| println!("FAILED: {failure}"));
    println!("FAILED: {} times a promise was broken (seed {})", soak.tally.failed(), soak.seed);
}
