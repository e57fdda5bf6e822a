//! Guarded handlers on a plain `axum::Router`, for a service that has one already: every handler with `#[auth]` is enforced,
//! the others are served as before.
//!
//! A plain router lacks three things that `auth_runtime::Router` has: there a route without a rule does not compile, a rule
//! that the engine cannot serve is an error at the start, and all routes are in the access table.
//!
//! Run it with `cargo run -p plain-axum-router`, and ask it: `curl -i http://127.0.0.1:3000/me` is answered 401, the other
//! paths are open. `PORT=8080` in front of that uses another port than 3000.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

use std::error::Error;

use auth_runtime::session::random_secret;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, auth};
use axum::Router;
use axum::routing::get;

#[auth]
async fn me(user: Principal) -> String {
    format!("You are {}.\n", user.subject())
}

#[auth(optional)]
async fn hello(user: Option<Principal>) -> String {
    format!("Hello, {}.\n", user.as_ref().map_or("stranger", Principal::subject))
}

/// A handler from before: no rule is enforced.
async fn version() -> &'static str {
    "1.0\n"
}

fn app(auth: &Auth) -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/hello", get(hello))
        .route("/version", get(version))
        .layer(auth.layer()) // without this layer `me` and `hello` answer 500
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = Key::secret(Algorithm::HS256, random_secret()?); // a real service has the key of its identity provider
    let auth = Auth::builder()
        .issuer(TrustedIssuer::new("https://id.example.com").audience("reports").key(key))
        .build()?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}/me, /hello, /version", listener.local_addr()?);
    Ok(axum::serve(listener, app(&auth)).await?)
}

#[cfg(test)]
mod tests;
