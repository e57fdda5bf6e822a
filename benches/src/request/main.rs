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

mod floor;
mod instructions;
mod server;
mod variants;

use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::{Spread, take_turns};

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
            let mut app = variants::of(variant);
            app.learn();
            let count = requests.parse().expect("how many requests");
            let requests = app.requests(count);
            app.answer(requests);
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
    let variant = |name| {
        let mut app = variants::of(name);
        app.learn();
        app.variant(name, REQUESTS)
    };
    let [plain, control, others @ ..] = variants::NAMES;
    let times = take_turns([variant(plain), variant(control)], others.map(variant).into(), ROUNDS);
    let mut table = Table::new(["", "a request [µs]", "above plain [µs]"]);
    for name in times.names() {
        let [time, above] = [times.each(name), times.above(name, plain)].map(Spread::micros);
        table.row([name.to_owned(), time.text(2), above.signed(2)]);
    }
    report.table(&table);
    report.guard(&times);
    report.finish();
}
