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

mod by_hand;
mod instructions;
mod server;
mod variants;

use benches::{cpu, rounds::percentiles};

use self::variants::Variant;

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
            variants::of(named(variant)).send(requests.parse().expect("how many requests"));
        }
        _ => panic!("the arguments are: nothing, `instructions`, or `server`"),
    }
}

fn named(variant: &str) -> &'static str {
    variants::NAMES.into_iter().find(|name| *name == variant).expect("a variant")
}

fn time_on_a_core() {
    let mut variants = variants::NAMES.map(variants::of);
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); variants.len()];
    variants.iter_mut().for_each(|variant| variant.send(REQUESTS));
    for round in 0..ROUNDS {
        // Each round begins with another one, so that none is always behind the same.
        for step in 0..variants.len() {
            let index = (round + step) % variants.len();
            times[index].push(round_of(&mut variants[index]));
        }
    }
    let rows: Vec<[f64; 3]> = times.iter().cloned().map(percentiles).collect();
    let [_, base, _] = rows[0];
    let [_, control, _] = rows[1];
    println!("{:<34} {:>28} {:>12}", "", "a request [µs]", "above plain");
    for (name, [low, median, high]) in variants::NAMES.iter().zip(&rows) {
        let figure = format!("{median:.2} [{low:.2} to {high:.2}]");
        println!("{name:<34} {figure:>28} {:>+12.2}", median - base);
    }
    let noise = (control / base - 1.0).abs();
    println!("the two plain routers differ by {:.1} %", noise * 100.0);
    if noise > 0.05 {
        println!("that is more than 5 %: the machine is too busy, and the figures do not count");
    }
}

/// Microseconds a request.
fn round_of(variant: &mut Variant) -> f64 {
    let requests = variant.requests(REQUESTS);
    cpu::time(|| variant.answer(requests)) * 1e6 / REQUESTS as f64
}
