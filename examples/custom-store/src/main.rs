//! A service with a store of its own (`src/lib.rs`), so that a logout is enforced by every process that shares the store.
//!
//! Run it with `cargo run -p custom-store`, and try the lines that it prints. `PORT=8080` in front of that uses another port
//! than 3000.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{get, post};
use auth_runtime::session::{
    BoxError, RefreshKey, SigningKey, Subject, SubjectStore, TokenIssuer, random_secret,
};
use auth_runtime::verify::Algorithm;
use auth_runtime::{Auth, Principal, Router, auth};
use axum::extract::State;
use axum::http::StatusCode;
use custom_store::CustomStore;

#[auth]
async fn me(user: Principal) -> String {
    format!("You are {}.\n", user.subject())
}

/// Ends the session of the caller's token: appends to the log of revocations, and removes the family of refresh tokens.
#[auth]
async fn log_out(user: Principal, State(auth): State<Auth>) -> Result<StatusCode, Rejection> {
    auth.revocations().revoke_session(&user).await?; // 503 if the store could not be written
    Ok(StatusCode::NO_CONTENT)
}

fn engine(store: CustomStore, key: &SigningKey, refresh: [u8; 32]) -> Result<Auth, BoxError> {
    let issuer = TokenIssuer::new("https://custom-store.example", "custom-store", key.clone(), Users)
        .refresh_key(RefreshKey::new("1", refresh));
    Ok(Auth::builder().token_issuer(issuer).store(store).build()?)
}

fn app(auth: &Auth) -> Result<axum::Router, BoxError> {
    let routes = Router::new().route("/me", get(me)).route("/logout", post(log_out));
    Ok(routes.with_state(auth.clone()).finish(auth)?)
}

/// The users: everyone, in this example.
struct Users;

impl SubjectStore for Users {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(Some(Subject::new(id)))
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = SigningKey::generate(Algorithm::EdDSA)?.with_id("1"); // a real service reads its keys from its secret store
    let auth = engine(CustomStore::default(), &key, random_secret()?)?;
    auth.start().await?; // reads the log; until then requests with a token are answered 503
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?;
    println!("TOKEN={}", auth.tokens()?.issue(&Subject::new("alice")).await?.access_token);
    for line in ["/me", "/logout -X POST", "/me"] {
        println!("curl -i -H \"Authorization: Bearer $TOKEN\" http://{address}{line}");
    }
    Ok(axum::serve(listener, app(&auth)?).await?)
}

#[cfg(test)]
mod tests;
