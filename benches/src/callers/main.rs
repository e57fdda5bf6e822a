//! What callers take that are more than a token: API keys, known and seen for the first time, and users that are remembered.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin callers`, with `-- --write` for the README; `-- keys` or `-- users` for one of
//! them. It starts PostgreSQL and Redis for the keys (`bash tests/run` installs them). All are measured in turns on one thread, by its CPU
//! time: what the servers of the stores take is not in it.

mod keys;
mod users;

use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use bench_harness::report::{Table, arguments};
use bench_harness::turns::Times;

/// The plain router comes first, twice.
const PLAIN: &str = "plain";
const CONTROL: &str = "plain-control";

fn main() {
    let (arguments, write) = arguments();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            keys::report(write);
            users::report(write);
        }
        ["keys"] => keys::report(write),
        ["users"] => users::report(write),
        _ => panic!("the arguments are `keys` or `users`, and --write"),
    }
}

fn plain_app() -> axum::Router {
    axum::Router::new().route("/", axum::routing::get(async || "ok"))
}

fn key() -> SigningKey {
    SigningKey::secret(Algorithm::HS256, &[7; 32]).expect("a key")
}

fn trusted() -> TrustedIssuer {
    TrustedIssuer::new("https://id.example.com").audience("shop").key(key().verifying_key())
}

fn table(times: &Times) -> Table {
    let mut table = Table::new(["", "a request [µs]", "above plain [µs]"]);
    for name in times.names() {
        let above = times.above(name, PLAIN).micros().signed(2);
        table.row([name.to_owned(), times.each(name).micros().text(2), above]);
    }
    table
}
