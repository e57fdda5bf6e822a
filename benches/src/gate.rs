//! What the gate takes of a request: a token that is remembered, one that is verified each time, and a public route; and a
//! rule of many names, decided by comparing them and, with a vocabulary, on bits.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin gate`. What is in one line is taken in turn, in one run;
//! the figures are the median of the rounds, with the 10th and 90th percentile.

use std::hint::black_box;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use auth_runtime::__private::{DeclaredPermission, DeclaredRole, DeclaredScope, Vocabulary};
use auth_runtime::policy::Rule;
use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth, rule};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tower::Service as _;

const ROUNDS: usize = 200;
const REQUESTS: usize = 200;

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
    "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "x31",
    "x32", "x33", "x34", "x35", "x36", "x37", "x38", "x39", "x40", "x41", "x42", "x43", "x44", "x45", "x46", "x47",
    "x48", "x49", "x50", "x51", "x52", "x53", "x54", "x55", "x56", "x57", "x58", "x59", "x60", "x61", "x62", "x63",
]));

const ONE_OF_1: Rule = rule!(not(roles = ["x0"]));

fn main() {
    three_ways_of_a_request();
    println!();
    a_rule_of_many_names();
    println!();
    a_caller_of_many_roles();
}

/// A rule of one role, and one of 64, of which a caller with 1,000 others has none: a remembered token, and the first request of one.
fn a_caller_of_many_roles() {
    println!("{:>8} {:>32} {:>32} {:>32}", "", "no rule [µs]", "1 role [µs]", "64 roles [µs]");
    let key = SigningKey::secret(Algorithm::HS256, &[7; 32]).expect("a key").with_id("k");
    let app = |rule: Rule, entries: usize| {
        let issuer = TrustedIssuer::new("i").audience("a").key(key.verifying_key());
        let builder = Auth::builder().issuer(issuer).max_token_bytes(64 * 1024).token_cache(entries, 64 << 20);
        let auth = builder.build().expect("an engine");
        let handler = axum::routing::get(async || "ok");
        Router::new().route("/", (handler, rule)).finish(&auth).expect("routes")
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let roles: Vec<String> = (0..1_000).map(|n| format!("role-{n}")).collect();
    let claims =
        json!({ "iss": "i", "aud": "a", "sub": "alice", "iat": now, "exp": now + 3600, "jti": "1", "roles": roles });
    let token = key.sign(&claims).expect("a token");
    for (label, entries) in [("known", 1_000), ("first", 0)] {
        let rules = [Rule::authenticated(), ONE_OF_1, ONE_OF_64];
        let mut runs = rules.map(|rule| Run::new(app(rule, entries), "/", &token));
        for _ in 0..ROUNDS {
            runs.iter_mut().for_each(Run::round);
        }
        let [none, one, many] = runs.map(Run::summary);
        println!("{label:>8} {none:>32} {one:>32} {many:>32}");
    }
}

fn a_rule_of_many_names() {
    println!("{:>8} {:>32} {:>32} {:>32}", "", "no rule [µs]", "by names [µs]", "on bits [µs]");
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
    let mut runs = [
        Run::new(app(Rule::authenticated(), None), "/", &token),
        Run::new(app(MANY_NAMES, None), "/", &token),
        Run::new(app(MANY_NAMES, Some(&VOCABULARY)), "/", &token),
    ];
    for _ in 0..ROUNDS {
        runs.iter_mut().for_each(Run::round);
    }
    let [none, names, bits] = runs.map(Run::summary);
    println!("{:>8} {none:>32} {names:>32} {bits:>32}", "");
}

fn three_ways_of_a_request() {
    println!("{:>8} {:>32} {:>32} {:>32}", "", "public [µs]", "remembered [µs]", "verified [µs]");
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
        let mut runs = [
            Run::new(remembering.clone(), "/public", &token),
            Run::new(remembering, "/guarded", &token),
            Run::new(verifying, "/guarded", &token),
        ];
        for _ in 0..ROUNDS {
            runs.iter_mut().for_each(Run::round);
        }
        let [public, remembered, verified] = runs.map(Run::summary);
        println!("{algorithm:>8} {public:>32} {remembered:>32} {verified:>32}");
    }
}

struct Run {
    app: axum::Router,
    path: &'static str,
    bearer: String,
    /// Of one request, in microseconds.
    times: Vec<f64>,
}

impl Run {
    fn new(app: axum::Router, path: &'static str, token: &str) -> Self {
        Self { app, path, bearer: format!("Bearer {token}"), times: Vec::new() }
    }

    fn round(&mut self) {
        let requests: Vec<_> = (0..REQUESTS)
            .map(|_| {
                let request = Request::get(self.path).header("authorization", &self.bearer);
                request.body(Body::empty()).expect("a request")
            })
            .collect();
        let began = Instant::now();
        for request in requests {
            let mut answer = std::pin::pin!(self.app.call(request));
            match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(answer)) => assert!(answer.status().is_success()),
                _ => panic!("the gate waits for nothing"),
            }
        }
        self.times.push(began.elapsed().as_secs_f64() * 1e6 / REQUESTS as f64);
    }

    fn summary(mut self) -> String {
        self.times.sort_by(f64::total_cmp);
        let at = |percent: usize| self.times[(self.times.len() - 1) * percent / 100];
        format!("{:.2} [{:.2} to {:.2}]", at(50), at(10), at(90))
    }
}
