//! What a guarded request takes above the same handler on a plain `axum::Router`, beside an extractor written by hand that remembers the
//! tokens it has verified.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin request              time on a core
//! cargo run --release --manifest-path benches/Cargo.toml --bin request instructions instructions and allocations, by Valgrind, which must be installed
//! cargo run --release --manifest-path benches/Cargo.toml --bin request server       of servers, over loopback
//! ```
//!
//! `-- --write`, also behind `server`, is for the README. The variants take turns in one thread; a figure is the median of the rounds, with the
//! 10th and the 90th percentile. The same plain router is there a second time: by how much the two differ is the noise.

mod by_hand;
mod instructions;
mod server;
mod variants;

use std::cell::RefCell;
use std::rc::Rc;

use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::{Variant, take_turns};

const ROUNDS: usize = 300;
const REQUESTS: usize = 200;

fn main() {
    let (arguments, write) = arguments();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => time_on_a_core(write),
        ["instructions"] => instructions::report(),
        ["server"] => server::report(write),
        ["serve", variant] => server::serve(named(variant)),
        ["run", variant, requests] => {
            variants::of(named(variant)).send(requests.parse().expect("how many requests"));
        }
        _ => panic!("the arguments are: nothing, `instructions`, or `server`"),
    }
}

fn named(variant: &str) -> &'static str {
    variants::NAMES.into_iter().find(|name| *name == variant).expect("a variant")
}

fn time_on_a_core(write: bool) {
    let crates = ["axum", "jsonwebtoken"];
    let mut report = Report::begin("request", env!("CARGO_MANIFEST_DIR"), &crates, write);
    let [plain, control, ..] = variants::NAMES;
    let others = variants::NAMES.into_iter().skip(2).map(variant).collect();
    let times = take_turns([variant(plain), variant(control)], others, ROUNDS);
    let mut table = Table::new(["", "a request [µs]", "above plain [µs]"]);
    for name in times.names() {
        let above = times.above(name, plain).micros().signed(2);
        table.row([name.to_owned(), times.each(name).micros().text(2), above]);
    }
    report.table(&table);
    report.guard(&times);
    report.finish();
}

fn variant(name: &'static str) -> Variant<'static> {
    let mut one = variants::of(name);
    one.send(REQUESTS);
    let one = Rc::new(RefCell::new(one));
    let prepared = Rc::clone(&one);
    Variant::prepared(
        name,
        REQUESTS,
        move || prepared.borrow_mut().requests(REQUESTS),
        move |requests| one.borrow_mut().answer(requests),
    )
}
