//! By the length of the token.

use bench_harness::plot::{Axis, Line, Plot};
use bench_harness::report::{Report, Table};
use bench_harness::turns::{Variant, take_turns};
use benches::requests::{answer_at_once, requests};

use crate::{bearer, guarded_app, plain_app};

/// How many groups the token has: 0.4 to 21.6 KB.
const GROUPS: [usize; 7] = [0, 10, 30, 80, 160, 280, 470];

const ROUNDS: usize = 200;
const REQUESTS: usize = 200;

/// What a kilobyte of a token may take, in microseconds.
const GOAL: f64 = 0.1;

const PLAIN: &str = "plain";
const CONTROL: &str = "plain-control";
const KNOWN: &str = "known";

pub fn report(write: bool) {
    let mut report = Report::begin("known-length", env!("CARGO_MANIFEST_DIR"), &["axum"], write);
    let mut table = Table::new(["length of the token [B]", "plain [µs]", "known [µs]", "above plain [µs]"]);
    let mut points = Vec::new();
    for groups in GROUPS {
        let bearer = bearer(groups);
        let length = bearer.len() - "Bearer ".len();
        let variant = |name, mut app: axum::Router| {
            let requests = || requests(REQUESTS, "authorization", &bearer);
            answer_at_once(&mut app, requests());
            Variant::prepared(name, REQUESTS, requests, move |requests| answer_at_once(&mut app, requests))
        };
        let pair = [variant(PLAIN, plain_app()), variant(CONTROL, plain_app())];
        let times = take_turns(pair, vec![variant(KNOWN, guarded_app())], ROUNDS);
        let above = times.above(KNOWN, PLAIN).micros();
        let micros = |name| times.each(name).micros().text(2);
        table.guarded_row([length.to_string(), micros(PLAIN), micros(KNOWN), above.signed(2)], &times);
        points.push((length as f64 / 1e3, above.median));
    }
    report.table(&table);
    let slope = slope(&points);
    let met = if slope <= GOAL { "met" } else { "missed" };
    report
        .line(format!("{slope:.3} µs a KB (the line of least squares); the goal of at most {GOAL} is {met}"));
    report.plot(
        "known-length",
        Plot {
            title: "A known token, above a plain route".to_owned(),
            x: Axis::linear("length of the token [KB]"),
            y: Axis::linear("above plain [µs]"),
            lines: vec![Line { name: KNOWN.to_owned(), points }],
        },
    );
    report.finish();
}

fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    covariance / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}
