//! What a decision takes: this library, `cedar-policy` and `casbin`, for the same callers and the same rules.
//!
//! `cargo run --release --manifest-path benches/policies/Cargo.toml`, and `-- --write` for the README. That all decide alike is asserted
//! before. Policies, roles and requests are made before; the decision alone is measured, in turns, by the CPU time of the thread.

mod casbin;
mod case;
mod cedar;
mod ours;

use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::{Times, Variant, take_turns};

use crate::case::{Case, cases};

const ROUNDS: usize = 100;

const THIS: &str = "this";
const CONTROL: &str = "this again";
const CEDAR: &str = "cedar-policy";
const CASBIN: &str = "casbin";

fn main() {
    let (arguments, write) = arguments();
    assert!(arguments.is_empty(), "there is no argument but --write");
    let crates = ["cedar-policy", "casbin"];
    let mut report = Report::begin("policies", env!("CARGO_MANIFEST_DIR"), &crates, write);
    let mut table =
        Table::new(["", "this [µs]", "cedar-policy [µs]", "casbin [µs]", "cedar ÷ this", "casbin ÷ this"]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for case in cases() {
        let times = runtime.block_on(measure(&case));
        let micros = |name| times.each(name).micros().text(2);
        let ratio = |name| format!("{:.1}", times.ratio(name, THIS).median);
        let cells =
            [case.name.into(), micros(THIS), micros(CEDAR), micros(CASBIN), ratio(CEDAR), ratio(CASBIN)];
        table.guarded_row(cells, &times);
    }
    report.table(&table);
    report.finish();
}

async fn measure(case: &Case) -> Times {
    let (ours, cedar, casbin) = (ours::decide(case).await, cedar::decide(case), casbin::decide(case).await);
    for (name, decide) in [(THIS, &ours), (CEDAR, &cedar), (CASBIN, &casbin)] {
        assert_eq!(decide(), case.is_allowed, "{}: {name}", case.name);
    }
    let pair = [variant(THIS, case, &ours), variant(CONTROL, case, &ours)];
    take_turns(pair, vec![variant(CEDAR, case, &cedar), variant(CASBIN, case, &casbin)], ROUNDS)
}

/// A call that decides right has succeeded.
fn variant<'a>(name: &str, case: &Case, decide: &'a dyn Fn() -> bool) -> Variant<'a> {
    let is_allowed = case.is_allowed;
    Variant::repeated(name, move || decide() == is_allowed)
}
