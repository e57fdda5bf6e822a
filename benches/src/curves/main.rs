//! How what a guarded request takes grows: with the roles that the caller holds, with the names in the rule, with the tokens that are known, with
//! the revocations that are in force, and with the connections of a server. Beside it, what a person writes by hand.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin curves -- roles`, or `names`, `tokens`, `entries`, `connections`. `--write` writes
//! the figures and the plot into `benches/README.md`.

mod connections;
mod curve;
mod names;
mod revoked;
mod services;

use bench_harness::report::arguments;

use self::curve::{Curve, Point};
use self::services::{by_hand, issuer, this, token};

fn main() {
    let (arguments, write) = arguments();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["roles"] => roles(write),
        ["names"] => names::report(write),
        ["tokens"] => tokens(write),
        ["entries"] => revoked::report(write),
        ["connections"] => connections::report(write),
        ["serve", service] => connections::serve(service),
        _ => panic!(
            "the argument is `roles`, `names`, `tokens`, `entries` or `connections`; `--write` may follow"
        ),
    }
}

/// A rule of one role, and a caller that holds this many. Each token of "first" is seen once.
fn roles(write: bool) {
    let curve = Curve {
        name: "roles",
        title: "A guarded request, by the roles that its caller holds",
        x: "roles held",
        rounds: 61,
        requests: 20,
        is_steep: true,
    };
    let known = |held: usize| vec![token(0, &services::roles(held))];
    let new = |held: usize| {
        (0..(curve.rounds + 1) * curve.requests).map(|number| token(number, &services::roles(held))).collect()
    };
    let points = [1, 3, 10, 30, 100, 300, 1_000].map(|held| {
        let services = vec![
            ("this, known", this(issuer(), known(held)).known()),
            ("by hand, known", by_hand(known(held)).known()),
            ("this, first", this(issuer(), new(held))),
            ("by hand, first", by_hand(new(held))),
        ];
        Point { x: held, services }
    });
    curve.report(points, write);
}

/// As many known tokens, in no order.
fn tokens(write: bool) {
    let curve = Curve {
        name: "tokens",
        title: "A guarded request, by the tokens that are known",
        x: "distinct tokens",
        rounds: 61,
        requests: 200,
        is_steep: false,
    };
    let points = [1, 10, 100, 1_000, 10_000, 100_000].map(|count| {
        let tokens: Vec<String> = (0..count).map(|number| token(number, &services::roles(2))).collect();
        let services =
            vec![("this", this(issuer(), tokens.clone()).known()), ("by hand", by_hand(tokens).known())];
        Point { x: count, services }
    });
    curve.report(points, write);
}
