//! What guarded handlers take of the compiler: crates of 500 handlers, with and without `#[auth]`, that differ in nothing else; and of the
//! program, by two of different numbers of handlers.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin compile`, with `-- --write` for the README; `-- check`, `-- build` or `-- size` for
//! one of the parts. It is the CPU time of cargo and of the compiler, without incremental compilation, of that one crate: its dependencies
//! were compiled before. The crates take turns. They are left in `benches/target/compile/crates`, to be looked at.
//!
//! It fails if the median of a variant is over the goal, and if a crate makes a warning, since to report one takes time too, other
//! than that a rule is over the budget of the analysis: these are counted. It reads `/proc`, so it needs Linux.

mod bench;
mod crates;
mod rules;

use std::path::Path;
use std::process::ExitCode;

use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::Spread;

use crate::bench::{Bench, Task};
use crate::crates::{Crate, HANDLERS, OF_PROGRAMS, PROGRAMS, Variant};

/// Of CPU time of `cargo check` for each handler, above what a hand-written extractor takes.
const CHECK_GOAL_MS: f64 = 2.0;
/// The same of `cargo build`, for one role.
const BUILD_GOAL_MS: f64 = 15.0;
/// Of a stripped release binary for each handler, above a plain one.
const SIZE_GOAL_KB: f64 = 6.0;

const ROUNDS: usize = 7;

fn main() -> ExitCode {
    let (arguments, write) = arguments();
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bench = Bench {
        crates: benches.join("target/compile/crates"),
        target: benches.join("target/compile/target"),
    };
    crates::write(&bench.crates, benches.parent().expect("a repository"));
    let parts: [(&str, fn(&Bench, bool) -> bool); 3] = [("check", check), ("build", build), ("size", size)];
    let is_known = |argument: &String| parts.iter().any(|(name, _)| name == argument);
    assert!(arguments.iter().all(is_known), "the arguments are `check`, `build` or `size`, and --write");
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let mut are_met = true;
    for (_, part) in parts.into_iter().filter(|(name, _)| wanted(name)) {
        are_met &= part(&bench, write);
    }
    if are_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn begin(name: &str, write: bool) -> Report {
    Report::begin(name, env!("CARGO_MANIFEST_DIR"), &["axum"], write)
}

/// CPU seconds of each crate, round by round, and how many rules were not analyzed. The crates take turns.
fn rounds(bench: &Bench, task: Task, variants: &[Variant]) -> Vec<(Vec<f64>, usize)> {
    let run = |variant: Variant| bench.run(task, Crate::library(variant));
    // The dependencies, and whatever cargo does once.
    let mut rounds: Vec<_> = variants.iter().map(|variant| (Vec::new(), run(*variant).unanalysed)).collect();
    for round in 0..ROUNDS {
        for turn in 0..variants.len() {
            let index = (round + turn) % variants.len();
            rounds[index].0.push(run(variants[index]).seconds);
        }
    }
    rounds
}

/// Milliseconds a handler above the first.
fn above(seconds: &[f64], plain: &[f64]) -> Spread {
    let paired = seconds.iter().zip(plain).map(|(guarded, plain)| (guarded - plain) * 1e3 / HANDLERS as f64);
    Spread::of(paired.collect())
}

/// Says whether the goal is met.
fn conclude(mut report: Report, table: &Table, is_met: bool, goal: &str) -> bool {
    report.table(table);
    report.line(format!("the goal of at most {goal} a handler is {}", if is_met { "met" } else { "missed" }));
    report.finish();
    is_met
}

fn check(bench: &Bench, write: bool) -> bool {
    let report = begin("compile-check", write);
    let rounds = rounds(bench, Task::Check, &Variant::ALL);
    let mut table = Table::new(["", "CPU [s]", "above plain [ms a handler]", "not analyzed"]);
    let mut is_met = true;
    for (variant, (seconds, unanalyzed)) in Variant::ALL.into_iter().zip(&rounds) {
        let above = above(seconds, &rounds[0].0);
        is_met &= above.median <= CHECK_GOAL_MS;
        let cells = if variant == Variant::Plain {
            [String::new(), String::new()]
        } else {
            [above.signed(2), unanalyzed.to_string()]
        };
        let seconds = Spread::of(seconds.clone()).text(2);
        table.row([variant.told().to_owned(), seconds].into_iter().chain(cells));
    }
    conclude(report, &table, is_met, &format!("{CHECK_GOAL_MS} ms"))
}

fn build(bench: &Bench, write: bool) -> bool {
    let report = begin("compile-build", write);
    let rounds = rounds(bench, Task::Build, &PROGRAMS);
    let mut table = Table::new(["", "CPU [s]", "a handler [ms]", "above plain [ms a handler]"]);
    for (variant, (seconds, _)) in PROGRAMS.into_iter().zip(&rounds) {
        let seconds_of = Spread::of(seconds.clone());
        let each = seconds_of.scaled(1e3 / HANDLERS as f64).text(1);
        let above = above(seconds, &rounds[0].0).signed(1);
        let above = if variant == Variant::Plain { String::new() } else { above };
        table.row([variant.told().to_owned(), seconds_of.text(2), each, above]);
    }
    let is_met = above(&rounds[1].0, &rounds[0].0).median <= BUILD_GOAL_MS;
    conclude(report, &table, is_met, &format!("{BUILD_GOAL_MS} ms above plain"))
}

fn size(bench: &Bench, write: bool) -> bool {
    let report = begin("compile-size", write);
    let [few, many] = OF_PROGRAMS;
    let heads = OF_PROGRAMS.map(|handlers| format!("{handlers} handlers [KB]"));
    let mut table = Table::new(["", &heads[0], &heads[1], "a handler [KB]", "above plain [KB]"]);
    let mut each = Vec::new();
    for variant in PROGRAMS {
        let sizes = OF_PROGRAMS.map(|handlers| bench.size(Crate::program(variant, handlers)) as f64 / 1e3);
        each.push((sizes[1] - sizes[0]) / (many - few) as f64);
        let [one, other] = sizes.map(|size| format!("{size:.0}"));
        let (of_handler, plain) = (each[each.len() - 1], each[0]);
        let above =
            if variant == Variant::Plain { String::new() } else { format!("{:+.1}", of_handler - plain) };
        table.row([variant.told().to_owned(), one, other, format!("{of_handler:.1}"), above]);
    }
    conclude(report, &table, each[1] - each[0] <= SIZE_GOAL_KB, &format!("{SIZE_GOAL_KB} KB above plain"))
}
