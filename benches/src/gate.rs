//! What the gate takes of a request: a token that is remembered, one that is verified each time, and a public route; and a
//! rule of many names, decided by comparing them and, with a vocabulary, on bits.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin gate`, and `-- --write` for the README. What is in one line takes turns, by the
//! CPU time of the thread; the figures are the median of the rounds, with the 10th and 90th percentile.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::__private::{DeclaredPermission, DeclaredRole, DeclaredScope, Vocabulary};
use auth_runtime::policy::Rule;
use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth, rule};
use axum::body::Body;
use axum::http::Request;
use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::{Variant, take_turns};
use benches::requests::answer_at_once;
use serde_json::json;

const ROUNDS: usize = 200;
const REQUESTS: usize = 200;

const CONTROL: &str = "control";
const PUBLIC: &str = "public";
const REMEMBERED: &str = "remembered";
const VERIFIED: &str = "verified";
const NONE: &str = "no rule";
const NAMES: &str = "by names";
const BITS: &str = "on bits";
const ONE: &str = "1 role";
const MANY: &str = "64 roles";

#[auth(roles = ["admin"], scopes = ["a"])]
async fn guarded(user: Principal) -> &'static str {
    black_box(user.subject());
    "ok"
}

#[auth(public)]
async fn public() -> &'static str {
    "ok"
}

/// A rule of many names, of which the caller has most.
const MANY_NAMES: Rule = rule!(
    any(roles = ["owner", "admin", "editor"], all(roles = ["author"], scopes = ["articles:publish"])),
    scopes = ["articles:read", "articles:write", "comments:read", "comments:write"],
    permissions = ["invoice.read", "invoice.write", "report.read"],
    not(roles = ["suspended", "on-probation"]),
);

/// All names of the rule and of the caller, as `vocabulary!()` would declare them.
static VOCABULARY: Vocabulary = Vocabulary::new(
    &[],
    &[
        DeclaredRole::new("owner", None, &[], &[]),
        DeclaredRole::new("admin", None, &[], &[]),
        DeclaredRole::new("editor", None, &[], &[]),
        DeclaredRole::new("author", None, &[], &[]),
        DeclaredRole::new("viewer", None, &[], &[]),
        DeclaredRole::new("suspended", None, &[], &[]),
        DeclaredRole::new("on-probation", None, &[], &[]),
    ],
    &[
        DeclaredScope::new("articles:publish", ""),
        DeclaredScope::new("articles:read", ""),
        DeclaredScope::new("articles:write", ""),
        DeclaredScope::new("comments:read", ""),
        DeclaredScope::new("comments:write", ""),
    ],
    &[
        DeclaredPermission::new("invoice.read", &[]),
        DeclaredPermission::new("invoice.write", &[]),
        DeclaredPermission::new("report.read", &[]),
    ],
    &[],
);

/// One of 64 roles, of which the caller has none: all are looked for.
const ONE_OF_64: Rule = rule!(not(roles = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
    "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",
    "x31", "x32", "x33", "x34", "x35", "x36", "x37", "x38", "x39", "x40", "x41", "x42", "x43", "x44", "x45",
    "x46", "x47", "x48", "x49", "x50", "x51", "x52", "x53", "x54", "x55", "x56", "x57", "x58", "x59", "x60",
    "x61", "x62", "x63",
]));

const ONE_OF_1: Rule = rule!(not(roles = ["x0"]));

fn main() {
    let (arguments, write) = arguments();
    assert!(arguments.is_empty(), "there is no argument but --write");
    three_ways_of_a_request(write);
    a_rule_of_many_names(write);
    a_caller_of_many_roles(write);
}

fn begin(name: &str, write: bool) -> Report {
    Report::begin(name, env!("CARGO_MANIFEST_DIR"), &["axum"], write)
}

/// A rule of one role, and one of 64, of which a caller with 1,000 others has none: a remembered token, and the first request of one.
fn a_caller_of_many_roles(write: bool) {
    let mut report = begin("gate-roles", write);
    let mut table =
        Table::new(["", "no rule [µs]", "1 role [µs]", "64 roles [µs]", "1 role, above none", "64, above 1"]);
    let key = SigningKey::secret(Algorithm::HS256, &[7; 32]).expect("a key").with_id("k");
    let app = |rule: Rule, entries: usize| {
        let issuer = TrustedIssuer::new("i").audience("a").key(key.verifying_key());
        let builder =
            Auth::builder().issuer(issuer).max_token_bytes(64 * 1024).token_cache(entries, 64 << 20);
        let auth = builder.build().expect("an engine");
        let handler = axum::routing::get(async || "ok");
        Router::new().route("/", (handler, rule)).finish(&auth).expect("routes")
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let roles: Vec<String> = (0..1_000).map(|n| format!("role-{n}")).collect();
    let claims = json!({ "iss": "i", "aud": "a", "sub": "alice", "iat": now, "exp": now + 3600, "jti": "1", "roles": roles });
    let token = key.sign(&claims).expect("a token");
    for (label, entries) in [("known", 1_000), ("first", 0)] {
        let run = |name, rule| run(name, app(rule, entries), "/", &token);
        let pair = [run(NONE, Rule::authenticated()), run(CONTROL, Rule::authenticated())];
        let times = take_turns(pair, vec![run(ONE, ONE_OF_1), run(MANY, ONE_OF_64)], ROUNDS);
        let above = |name, base| times.above(name, base).micros().signed(2);
        let cells = [NONE, ONE, MANY].map(|name| times.each(name).micros().text(2));
        let above = [above(ONE, NONE), above(MANY, ONE)];
        table.guarded_row([label.to_owned()].into_iter().chain(cells).chain(above), &times);
    }
    report.table(&table);
    report.finish();
}

fn a_rule_of_many_names(write: bool) {
    let mut report = begin("gate-names", write);
    let mut table = Table::new([
        "",
        "no rule [µs]",
        "by names [µs]",
        "on bits [µs]",
        "by names, above none",
        "on bits, above none",
    ]);
    let key = SigningKey::generate(Algorithm::EdDSA).expect("a key").with_id("k");
    let app = |rule: Rule, vocabulary: Option<&'static Vocabulary>| {
        let issuer = TrustedIssuer::new("i").audience("a").key(key.verifying_key());
        let builder = Auth::builder().issuer(issuer);
        let auth = match vocabulary {
            Some(vocabulary) => builder.vocabulary(vocabulary).build(),
            None => builder.build(),
        };
        let handler = axum::routing::get(async || "ok");
        Router::new().route("/", (handler, rule)).finish(&auth.expect("an engine")).expect("routes")
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let claims = json!({
        "iss": "i", "aud": "a", "sub": "alice", "iat": now, "exp": now + 3600, "jti": "1",
        "roles": ["viewer", "author", "editor"],
        "scope": "comments:read comments:write articles:read articles:write",
        "permissions": ["report.read", "invoice.write", "invoice.read"],
    });
    let token = key.sign(&claims).expect("a token");
    let run = |name, rule, vocabulary| run(name, app(rule, vocabulary), "/", &token);
    let pair = [run(NONE, Rule::authenticated(), None), run(CONTROL, Rule::authenticated(), None)];
    let others = vec![run(NAMES, MANY_NAMES, None), run(BITS, MANY_NAMES, Some(&VOCABULARY))];
    let times = take_turns(pair, others, ROUNDS);
    let cells = [NONE, NAMES, BITS].map(|name| times.each(name).micros().text(2));
    let above = [NAMES, BITS].map(|name| times.above(name, NONE).micros().signed(2));
    table.guarded_row(["14 names".to_owned()].into_iter().chain(cells).chain(above), &times);
    report.table(&table);
    report.finish();
}

fn three_ways_of_a_request(write: bool) {
    let mut report = begin("gate", write);
    let mut table = Table::new(["", "public [µs]", "remembered [µs]", "verified [µs]"]);
    for algorithm in [Algorithm::HS256, Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256] {
        let key = match algorithm {
            Algorithm::HS256 => SigningKey::secret(algorithm, &[7; 32]),
            _ => SigningKey::generate(algorithm),
        };
        let key = key.expect("a key").with_id("k");
        let app = |entries: usize| {
            let issuer = TrustedIssuer::new("i").audience("a").key(key.verifying_key());
            let auth =
                Auth::builder().issuer(issuer).token_cache(entries, 64 << 20).build().expect("an engine");
            Router::new()
                .route("/guarded", get(guarded))
                .route("/public", get(public))
                .finish(&auth)
                .expect("routes")
        };
        let (remembering, verifying) = (app(1000), app(0));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let claims = json!({
            "iss": "i", "aud": "a", "sub": "alice", "iat": now, "exp": now + 3600, "jti": "1",
            "roles": ["admin", "editor"], "scope": "a b c", "tenant": "acme", "name": "Alice",
        });
        let token = key.sign(&claims).expect("a token");
        let public = |name| run(name, remembering.clone(), "/public", &token);
        let others = vec![
            run(REMEMBERED, remembering.clone(), "/guarded", &token),
            run(VERIFIED, verifying, "/guarded", &token),
        ];
        let times = take_turns([public(PUBLIC), public(CONTROL)], others, ROUNDS);
        let cells = [PUBLIC, REMEMBERED, VERIFIED].map(|name| times.each(name).micros().text(2));
        table.guarded_row([algorithm.name().to_owned()].into_iter().chain(cells), &times);
    }
    report.table(&table);
    report.finish();
}

/// Requests for this path with this token, each of which is let in at once.
fn run(name: &str, mut app: axum::Router, path: &'static str, token: &str) -> Variant<'static> {
    let bearer = format!("Bearer {token}");
    let request =
        move || Request::get(path).header("authorization", &bearer).body(Body::empty()).expect("a request");
    let requests = move || (0..REQUESTS).map(|_| request()).collect::<Vec<_>>();
    Variant::prepared(name, REQUESTS, requests, move |requests| answer_at_once(&mut app, requests))
}
