//! The smallest guarded service: who may call a handler is an attribute on it.
//!
//! Run it with `cargo run -p hello`. It prints who may call what, and two lines to try: 200 and 403. `PORT=8080` in front
//! of that uses another port than 3000.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::{get, post};
use auth_runtime::session::{SigningKey, random_secret};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth};
use serde_json::json;

#[auth(public)]
async fn health() -> &'static str {
    "ok\n"
}

#[auth] // any authenticated caller
async fn me(user: Principal) -> String {
    format!("You are {}.\n", user.subject())
}

#[auth(any(roles = ["admin"], scopes = ["reports:write"]))]
async fn publish(user: Principal) -> String {
    format!("Published by {}.\n", user.subject())
}

fn routes() -> Router {
    Router::new().route("/health", get(health)).route("/me", get(me)).route("/reports", post(publish))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = random_secret()?; // a real service has the public key of its identity provider: `Key::pem(..)`
    let key = Key::secret(Algorithm::HS256, secret);
    let issuer = TrustedIssuer::new("https://id.example.com").audience("reports").key(key);
    let auth = Auth::builder().issuer(issuer).build()?;
    println!("{}", routes().routes().table(&auth));

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let (address, token) = (listener.local_addr()?, token(&secret, "alice")?);
    println!("TOKEN={token}");
    println!("curl -i -H \"Authorization: Bearer $TOKEN\" http://{address}/me");
    println!("curl -i -H \"Authorization: Bearer $TOKEN\" http://{address}/reports -X POST");
    Ok(axum::serve(listener, routes().finish(&auth)?).await?)
}

/// A token for an hour, as the identity provider would issue it.
fn token(secret: &[u8], user: &str) -> Result<String, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = json!({ "iss": "https://id.example.com", "aud": "reports", "sub": user, "iat": now, "exp": now + 3600 });
    Ok(SigningKey::secret(Algorithm::HS256, secret)?.sign(&claims)?)
}

#[cfg(test)]
mod tests;
