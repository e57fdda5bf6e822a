//! By the names in the rule, of which the caller has the last.

use auth_runtime::policy::Rule;
use auth_runtime::rule;
use axum::http::StatusCode;
use bench_by_hand::{ByBearer, Claims as _, FlatClaims};

use super::curve::{Curve, Point};
use super::services::{Service, issuer, token, verifier};

const NAMES: [&str; 64] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
    "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",
    "x31", "x32", "x33", "x34", "x35", "x36", "x37", "x38", "x39", "x40", "x41", "x42", "x43", "x44", "x45",
    "x46", "x47", "x48", "x49", "x50", "x51", "x52", "x53", "x54", "x55", "x56", "x57", "x58", "x59", "x60",
    "x61", "x62", "x63",
];

const ONE: Rule = rule!(roles = ["x63"]);
const FOUR: Rule = rule!(roles = ["x60", "x61", "x62", "x63"]);
const SIXTEEN: Rule = rule!(
    roles = [
        "x48", "x49", "x50", "x51", "x52", "x53", "x54", "x55", "x56", "x57", "x58", "x59", "x60", "x61",
        "x62", "x63",
    ]
);
const ALL: Rule = rule!(
    roles = [
        "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
        "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29",
        "x30", "x31", "x32", "x33", "x34", "x35", "x36", "x37", "x38", "x39", "x40", "x41", "x42", "x43",
        "x44", "x45", "x46", "x47", "x48", "x49", "x50", "x51", "x52", "x53", "x54", "x55", "x56", "x57",
        "x58", "x59", "x60", "x61", "x62", "x63",
    ]
);

pub fn report(write: bool) {
    let curve = Curve {
        name: "names",
        title: "A guarded request, by the names in its rule",
        x: "names in the rule",
        rounds: 201,
        requests: 100,
        is_steep: false,
    };
    // Sixteen others, which no rule has.
    let held: Vec<String> =
        (0..16).map(|number| format!("y{number}")).chain(["admin".to_owned(), "x63".to_owned()]).collect();
    let tokens = || vec![token(0, &held)];
    let points = [(1, ONE), (4, FOUR), (16, SIXTEEN), (64, ALL)].map(|(count, rule)| {
        let handler = (axum::routing::get(async || "ok"), rule);
        let router = auth_runtime::Router::new().route("/", handler).finish(&issuer()).expect("routes");
        let services = vec![
            ("this", Service::new(router, tokens()).known()),
            ("by hand", by_hand(count, tokens()).known()),
        ];
        Point { x: count, services }
    });
    curve.report(points, write);
}

fn by_hand(count: usize, tokens: Vec<String>) -> Service {
    let asked = &NAMES[NAMES.len() - count..];
    let guarded = async move |ByBearer(claims): ByBearer<FlatClaims>| {
        let is_allowed = asked.iter().any(|name| claims.roles().iter().any(|role| role == name));
        if is_allowed { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
    };
    Service::new(axum::Router::new().route("/", axum::routing::get(guarded)).with_state(verifier()), tokens)
}
