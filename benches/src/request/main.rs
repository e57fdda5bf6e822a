//! What a guarded request takes above the same handler on a plain `axum::Router`, beside an extractor written by hand that remembers the
//! tokens it has verified.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin request              time on a core
//! cargo run --release --manifest-path benches/Cargo.toml --bin request instructions instructions and allocations, by Valgrind, which must be installed
//! cargo run --release --manifest-path benches/Cargo.toml --bin request server       of servers, over loopback
//! ```
//!
//! The variants take turns in one thread; a figure is the median of the rounds, with the 10th and the 90th percentile. Each kind of carrier
//! has a control: the same plain router a second time. Where the control differs by more than 5 %, the row says so.

mod instructions;
mod server;
mod variants;

use bench_harness::report::Table;
use bench_harness::turns::{Spread, take_turns};

const ROUNDS: usize = 300;
const REQUESTS: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => time_on_a_core(),
        ["instructions"] => instructions::report(),
        ["server"] => server::report(),
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

fn time_on_a_core() {
    let variant = |name| {
        let mut app = variants::of(name);
        app.learn();
        app.variant(name, REQUESTS)
    };
    let [plain, control, others @ ..] = variants::NAMES;
    let times = take_turns([variant(plain), variant(control)], others.map(variant).into(), ROUNDS);
    let mut table = Table::new(["", "a request [µs]", "above plain"]);
    for name in times.names() {
        let [time, above] = [times.each(name), times.above(name, plain)].map(Spread::micros);
        table.row([name.to_owned(), time.text(2), format!("{:+.2}", above.median)]);
    }
    table.lines().iter().for_each(|line| println!("{line}"));
    println!("the two plain routers differ by {:.1} %", times.noise() * 100.0);
    if times.objection().is_some() {
        println!("that is more than 5 %: the machine is too busy, and the figures do not count");
    }
}
