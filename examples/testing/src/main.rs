//! A service whose tests (`src/tests.rs`) show how handlers, checks and rules are tested.
//!
//! Run the tests with `cargo test -p testing`, and the service with `cargo run -p testing`. `PORT=8080` in front of that uses
//! another port than 3000.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

use std::error::Error;

use auth_runtime::routing::get;
use auth_runtime::session::random_secret;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth, check};
use axum::extract::{Path, State};

/// The owner of each document, by its number.
type Owners = &'static [&'static str];

#[auth(scopes = ["documents:read"], check = owns)]
async fn document(user: Principal, Path(number): Path<usize>) -> String {
    format!("Document {number} of {}.\n", user.subject())
}

#[check]
async fn owns(user: &Principal, Path(number): Path<usize>, State(owners): State<Owners>) -> bool {
    owners.get(number).is_some_and(|owner| *owner == user.subject())
}

fn routes(owners: Owners) -> Router {
    Router::new().route("/documents/{number}", get(document)).with_state(owners)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = Key::secret(Algorithm::HS256, random_secret()?); // a real service has the key of its identity provider
    let auth = Auth::builder()
        .issuer(TrustedIssuer::new("https://id.example.com").audience("documents").key(key))
        .build()?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}/documents/0", listener.local_addr()?);
    Ok(axum::serve(listener, routes(&["alice", "bob"]).finish(&auth)?).await?)
}

#[cfg(test)]
mod tests;
