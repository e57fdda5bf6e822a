//! A service whose callers have tokens of an identity provider: JWTs, whose keys it fetches, and opaque tokens, which it asks the provider about.
//!
//! Run it with `cargo run -p oidc-resource-server`. It starts a provider, and prints tokens of it and lines to try. A provider of yours is
//! named by variables, and then none is started:
//!
//! ```sh
//! ISSUER=https://id.example.com/realms/shop AUDIENCE=orders CLIENT_ID=orders CLIENT_SECRET=.. cargo run -p oidc-resource-server
//! ```
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod demo;

use std::error::Error;

use auth_runtime::routing::{get, post};
use auth_runtime::verify::{Introspection, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth};
use tokio::net::TcpListener;

use self::demo::Demo;

/// Who is asked, and what for.
struct Config {
    issuer: String,
    audience: String,
    /// This service, as a client of the provider that asks about tokens.
    client_id: String,
    client_secret: String,
}

#[auth]
async fn me(caller: Principal) -> String {
    format!("You are {}.\n", caller.subject())
}

#[auth(scopes = ["orders:read"])]
async fn orders(caller: Principal) -> String {
    format!("The orders of {}.\n", caller.subject())
}

#[auth(roles = ["editor"], scopes = ["orders:write"])]
async fn refund(caller: Principal) -> String {
    format!("Refunded by {}.\n", caller.subject())
}

fn routes() -> Router {
    Router::new().route("/me", get(me)).route("/orders", get(orders)).route("/refunds", post(refund))
}

/// All that the service says of its provider.
fn issuer(config: &Config) -> TrustedIssuer {
    let introspection =
        Introspection::discovered().client_secret_basic(&*config.client_id, &*config.client_secret);
    TrustedIssuer::discover(&*config.issuer)
        .audience(&*config.audience)
        // A program that has a token of its own is its subject.
        .accept_client_as_subject()
        .introspection(introspection)
}

impl Config {
    /// From the environment; `None` where no provider is named.
    fn from_environment() -> Result<Option<Self>, String> {
        let Ok(issuer) = std::env::var("ISSUER") else { return Ok(None) };
        let variable =
            |name: &str| std::env::var(name).map_err(|_| format!("ISSUER is set, so set {name} too"));
        Ok(Some(Self {
            issuer,
            audience: variable("AUDIENCE")?,
            client_id: variable("CLIENT_ID")?,
            client_secret: variable("CLIENT_SECRET")?,
        }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let configured = Config::from_environment()?;
    // It ends with this function.
    let demo = if configured.is_none() { Some(Demo::start()?) } else { None };
    let Some(config) = configured.or_else(|| demo.as_ref().map(Demo::config)) else { return Ok(()) };

    let auth = Auth::builder().issuer(issuer(&config)).build()?;
    println!("{}", routes().routes().table(&auth));
    auth.start().await?; // the provider's keys are fetched: an error if it is down

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?;
    println!("The provider is {}, and the service http://{address}. Ctrl-C ends both.", config.issuer);
    if let Some(demo) = &demo {
        demo.print_lines(&address.to_string()).await;
    }
    let end = async { drop(tokio::signal::ctrl_c().await) };
    Ok(axum::serve(listener, routes().finish(&auth)?).with_graceful_shutdown(end).await?)
}

#[cfg(test)]
mod tests;
