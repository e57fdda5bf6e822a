//! What the macros take of `cargo check`: crates of 500 handlers, with and without `#[auth]`, that differ in nothing else.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin compile`, with `-- ROUNDS` for another number of them than 7.
//! It is the CPU time of cargo and of the compiler, without incremental compilation, of that one crate: its dependencies were
//! checked before. The crates take turns. They are left in `benches/target/compile/crates`, to be looked at.
//!
//! It fails if the median of a variant is over the goal, and if a crate makes a warning, since to report one takes time too, other
//! than that a rule is over the budget of the analysis: these are counted. It reads `/proc`, so it needs Linux.

mod crates;
mod rules;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use crates::{HANDLERS, Variant};

/// Of CPU time for each handler, above what a hand-written extractor takes.
const GOAL_MS: f64 = 2.0;
const ROUNDS: usize = 7;
const MOST_ROUNDS: usize = 50;
/// `cutime` and `cstime` count these, on every architecture that Rust knows but two historical ones.
const TICKS_A_SECOND: f64 = 100.0;

fn main() -> ExitCode {
    let rounds: usize = std::env::args().nth(1).map_or(ROUNDS, |text| text.parse().expect("a number"));
    assert!((1..=MOST_ROUNDS).contains(&rounds), "1 to {MOST_ROUNDS} rounds");

    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bench = Bench {
        crates: benches.join("target/compile/crates"),
        target: benches.join("target/compile/target"),
    };
    crates::write(&bench.crates, benches.parent().expect("a repository"));
    // The dependencies, and whatever cargo does once.
    let unanalysed = Variant::ALL.map(|variant| bench.check(variant).unanalysed);

    let mut runs = Variant::ALL.map(|variant| (variant, Vec::new()));
    for round in 0..rounds {
        for turn in 0..runs.len() {
            let (variant, seconds) = &mut runs[(round + turn) % Variant::ALL.len()];
            seconds.push(bench.check(*variant).seconds);
        }
    }

    println!("{rounds} rounds of {HANDLERS} handlers, taking turns; median [lowest to highest]");
    println!("{:<24} {:>24} {:>28} {:>14}", "", "CPU [s]", "above plain [ms a handler]", "not analysed");
    let plain = runs[0].1.clone();
    let mut met = true;
    for ((variant, seconds), unanalysed) in runs.into_iter().zip(unanalysed) {
        let name = variant.told();
        if variant == Variant::Plain {
            println!("{name:<24} {:>24}", Summary::of(seconds));
            continue;
        }
        let paired =
            seconds.iter().zip(&plain).map(|(guarded, plain)| (guarded - plain) * 1e3 / HANDLERS as f64);
        let above = Summary::of(paired.collect());
        met &= above.median <= GOAL_MS;
        println!("{name:<24} {:>24} {above:>28} {unanalysed:>14}", Summary::of(seconds));
    }
    println!("the goal of at most {GOAL_MS} ms a handler is {}", if met { "met" } else { "missed" });
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Bench {
    crates: PathBuf,
    target: PathBuf,
}

impl Bench {
    /// Checks the crate as if it had just been edited.
    fn check(&self, variant: Variant) -> Checked {
        let source = self.crates.join(variant.name()).join("src/lib.rs");
        let touched =
            File::options().append(true).open(&source).and_then(|file| file.set_modified(SystemTime::now()));
        touched.expect("a source file");

        let before = cpu_of_children();
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["check", "--offline", "--color", "never", "-j1", "-p", variant.name()])
            .arg("--target-dir")
            .arg(&self.target)
            .current_dir(&self.crates)
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .expect("cargo");
        let seconds = cpu_of_children() - before;

        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        assert!(told.contains(&format!("Checking {} ", variant.name())), "nothing was checked: {told}");
        let warnings = told.lines().filter(|line| line.starts_with("warning: use of ")).count();
        let unanalysed = told.lines().filter(|line| line.contains("::rule_not_analyzed`")).count();
        assert_eq!(warnings, unanalysed, "a rule with a part that changes nothing: {told}");
        Checked { seconds, unanalysed }
    }
}

struct Checked {
    /// CPU time.
    seconds: f64,
    /// Rules that are over the analysis' budget, each with a warning.
    unanalysed: usize,
}

/// User and system time of the children that have ended, and of theirs.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    // proc(5): the third field comes behind the name in parentheses; `cutime` and `cstime` are the 16th and the 17th.
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let ticks: u64 =
        fields.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
    ticks as f64 / TICKS_A_SECOND
}

struct Summary {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Summary {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Self {
            median: (values[last / 2] + values[last.div_ceil(2)]) / 2.0,
            lowest: values[0],
            highest: values[last],
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{:.2} [{:.2} to {:.2}]", self.median, self.lowest, self.highest))
    }
}
