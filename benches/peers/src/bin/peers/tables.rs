//! A table for each algorithm: what a request takes above one without a guard, with two sizes of the payload.

use std::collections::BTreeMap;
use std::process::Command;

use bench_harness::report::{Report, Table};
use bench_harness::turns::Times;
use bench_peers::key::{Algorithm, Key};
use bench_peers::peers::{CRATES, THIS};
use tokio::runtime::Runtime;

use super::measure::{Candidate, Tokens, candidates, times};

const SIZES: [usize; 2] = [600, 2_000];
const ROUNDS: usize = 81;

pub fn report(name: &str, runtime: &Runtime, tokens: Tokens, write: bool) {
    let mut report = Report::begin(name, env!("CARGO_MANIFEST_DIR"), &CRATES, write);
    let allocations = allocations();
    report.line(format!("{ROUNDS} rounds in turns, by CPU time; µs a request above plain axum: median [10th to 90th percentile]"));
    for algorithm in Algorithm::ALL {
        let key = Key::new(algorithm);
        let (candidates, reasons) = candidates(&key, runtime);
        let times = SIZES.map(|size| times(&candidates, &key, runtime, tokens, size, ROUNDS));
        report.line("");
        report.table(&table(algorithm, tokens, &candidates, &times, &allocations));
        for (size, times) in SIZES.iter().zip(&times) {
            report.line(format!(
                "plain axum at {size} B: {} µs",
                times.each(bench_peers::peers::PLAIN).micros().text(2)
            ));
            report.guard(times);
        }
        reasons.iter().for_each(|reason| report.line(reason));
    }
    report.finish();
}

/// From the one that takes least to the one that takes most.
fn table(
    algorithm: Algorithm,
    tokens: Tokens,
    candidates: &[Candidate],
    times: &[Times; 2],
    allocations: &BTreeMap<String, u64>,
) -> Table {
    let above =
        |candidate: &Candidate, times: &Times| times.above(candidate.peer.name, candidate.peer.base).micros();
    let this =
        candidates.iter().find(|candidate| candidate.peer.name == THIS).expect("this library is among them");
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    sorted.sort_by(|one, other| above(one, &times[0]).median.total_cmp(&above(other, &times[0]).median));
    let [short, long] = SIZES.map(|size| format!("{size} B [µs]"));
    let mut table =
        Table::new([algorithm.name(), &short, "÷ this", "allocations", &long, "÷ this", "allocations"]);
    for candidate in sorted {
        let mut cells = vec![candidate.peer.name.to_owned()];
        for (size, times) in SIZES.iter().zip(times) {
            let above_plain = above(candidate, times);
            cells.push(above_plain.text(2));
            cells.push(format!("{:.2}", above_plain.median / above(this, times).median));
            let plain = allocations[&line(algorithm, tokens, *size, candidate.peer.base)];
            let counted = allocations[&line(algorithm, tokens, *size, candidate.peer.name)];
            cells.push(format!("{:+}", counted.cast_signed() - plain.cast_signed()));
        }
        let note = match &candidate.accepted_flaws[..] {
            [] => String::new(),
            flaws => format!("accepts {}", flaws.join(", ")),
        };
        table.noted_row(cells, note);
    }
    table
}

/// What the other program says before the number.
fn line(algorithm: Algorithm, tokens: Tokens, size: usize, peer: &str) -> String {
    format!("{} {tokens:?} {size} {peer}", algorithm.name())
}

/// The allocations of a request, which another program counts, since counting replaces the allocator.
fn allocations() -> BTreeMap<String, u64> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let command = command.args([
        "run",
        "--release",
        "--quiet",
        "--manifest-path",
        manifest,
        "--bin",
        "peers-allocations",
    ]);
    let output = command.stderr(std::process::Stdio::inherit()).output().expect("cargo");
    assert!(output.status.success(), "peers-allocations succeeds");
    let text = String::from_utf8(output.stdout).expect("text");
    let pair = |line: &str| {
        let (what, number) = line.split_once('\t').expect("what, and a number");
        (what.to_owned(), number.parse().expect("a number"))
    };
    text.lines().map(pair).collect()
}
