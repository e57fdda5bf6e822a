//! What a known token takes above a plain route, by its length, and what threads lose that answer requests with the same token.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin known`, with `-- --write` for the README; `-- length` or `-- threads` for one of
//! them. The first is measured in turns by the CPU time of the thread. The second is measured in turns by the time that passes: when
//! threads wait for a line of memory, a core is busy with waiting, and CPU time does not show it.

mod length;
mod threads;

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Principal, auth};
use bench_harness::report::arguments;
use serde_json::json;

fn main() {
    let (arguments, write) = arguments();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            length::report(write);
            threads::report(write);
        }
        ["length"] => length::report(write),
        ["threads"] => threads::report(write),
        _ => panic!("the arguments are `length` or `threads`, and --write"),
    }
}

#[auth(roles = ["admin"])]
async fn guarded(caller: Principal) -> &'static str {
    black_box(caller.subject());
    "ok"
}

fn plain_app() -> axum::Router {
    axum::Router::new().route("/", axum::routing::get(async || "ok"))
}

fn key() -> SigningKey {
    SigningKey::secret(Algorithm::HS256, &[7; 32]).expect("a key")
}

fn guarded_app() -> axum::Router {
    let issuer = TrustedIssuer::new("https://id.example.com").audience("shop").key(key().verifying_key());
    let auth = Auth::builder().issuer(issuer).max_token_bytes(64 * 1024).build().expect("an engine");
    auth_runtime::Router::new().route("/", get(guarded)).finish(&auth).expect("a router")
}

/// The value of the header for a token with so many groups.
fn bearer(groups: usize) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let groups: Vec<String> =
        (0..groups).map(|number| format!("/departments/{number}/teams/platform")).collect();
    let claims = json!({
        "iss": "https://id.example.com", "aud": "shop", "sub": "5f0c6f0e-8a9b-4c1d-9e2f-3a4b5c6d7e8f", "iat": now,
        "exp": now + 3600, "jti": "6FnIIZrnBwqZ7B9LLNNjyw", "roles": ["admin", "editor"],
        "scope": "orders:read orders:write", "groups": groups,
    });
    format!("Bearer {}", key().sign(&claims).expect("a token"))
}
