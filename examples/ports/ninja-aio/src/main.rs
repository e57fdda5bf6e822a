//! A magazine: articles of two papers, written with tokens of identity providers and with API keys.
//!
//! Run it with `cargo run -p port-ninja-aio`. It starts an identity provider, and prints who may call what, and lines to try. Providers of yours
//! are named by variables (`src/issuers.rs`), and then none is started:
//!
//! ```sh
//! ISSUER=https://id.example.com AUDIENCE=magazine cargo run -p port-ninja-aio
//! ```
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod accounts;
mod app;
mod articles;
mod callers;
mod database;
mod issuers;
mod keys;
mod lines;
mod vocabulary {
    auth_runtime::vocabulary!(); // auth.toml, as a constant
}

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use auth_runtime::api_key::ApiKeys;
use auth_runtime::audit::AuditEvent;
use auth_runtime::openapi::{DocumentError, OpenApi};
use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{delete, get, post};
use auth_runtime::session::routes::{AttemptLimit, TokenRoutes};
use auth_runtime::session::{BoxError, PasswordHasher, RefreshKey, SigningKey, TokenIssuer};
use auth_runtime::store::RedbStore;
use auth_runtime::users::UserCache;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder, ForwardedHeader, Router, rule};
use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use ports_support::{Options, kept, listen, log_to_stderr, secret, serve};
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::app::App;
use crate::database::Database;
use crate::lines::Demo;
use crate::vocabulary::VOCABULARY;

/// Five attempts to log in from an address, and one more every twelve seconds.
const LOGINS: AttemptLimit = AttemptLimit::new(5, Duration::from_secs(12));

/// The engine, but for its identity providers.
fn configure(
    builder: AuthBuilder,
    accounts: &Accounts,
    store: &RedbStore,
    (signing, refresh): (SigningKey, RefreshKey),
) -> AuthBuilder {
    let own = TokenIssuer::new(issuers::OWN, issuers::AUDIENCE, signing, accounts.clone());
    builder
        .token_issuer(own.access_lifetime(Duration::from_secs(15 * 60)).refresh_key(refresh))
        .api_keys(ApiKeys::in_header("X-API-Key").prefix("magazine").store(store.clone()))
        .users(accounts.clone())
        .user_cache(UserCache::new().time(Duration::from_secs(5 * 60)))
        .store(store.clone())
        .vocabulary(&VOCABULARY)
        .render_rejections(in_our_form)
        .rejection_schema("application/json", schema_of_rejections())
        .audit(log_rejections)
}

fn routes(auth: &Auth, accounts: Accounts) -> Result<Router<App>, BoxError> {
    let logins = TokenRoutes::json(auth.tokens()?, accounts).limit_per_address(LOGINS);
    Ok(Router::new()
        .route("/article", get(articles::list).post(articles::create))
        .route("/article/{id}", get(articles::read).patch(articles::edit).delete(articles::delete))
        .route("/article/{id}/publish", post(articles::publish))
        .route("/article/{id}/print", get(articles::print))
        .route("/article/stats", get(articles::stats))
        .nest("/desk", articles::desk())
        .route("/me", get(callers::me))
        .route("/context", get(callers::context))
        .route("/wire", get(callers::wire))
        .route("/account/{id}/deactivate", post(accounts::deactivate))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/{id}", delete(keys::revoke))
        .route("/keys/{id}/rotate", post(keys::rotate))
        .nest("/auth", logins.router()) // login, refresh, logout, logout-everywhere
        .access_page("/access", rule!(roles = ["staff"])))
}

/// A rejection, in the form that clients of Django Ninja know. The cause is in the log, and never in an answer.
fn in_our_form(rejection: &Rejection, _: &Parts) -> Response {
    let detail = rejection.status().canonical_reason();
    (rejection.status(), Json(json!({ "detail": detail }))).into_response()
}

/// The JSON Schema of a rejection, for the OpenAPI document.
fn schema_of_rejections() -> Value {
    json!({ "type": "object", "properties": { "detail": { "type": ["string", "null"] } }, "required": ["detail"] })
}

fn log_rejections(event: &AuditEvent<'_>) {
    if event.rejection.is_some() {
        let (action, subject, client) = (event.action.as_str(), event.subject, event.client_address);
        tracing::warn!(action, route = event.route, subject, ?client, reason = event.reason, "rejected");
    }
}

/// With the OpenAPI document of the routes.
fn with_document(routes: Router<App>, auth: &Auth) -> Result<Router<App>, DocumentError> {
    let document = OpenApi::new("Magazine", "0.1.0").describe(&routes.routes(), auth)?.to_json();
    let json = async move || ([(CONTENT_TYPE, "application/json")], document);
    Ok(routes.route("/openapi.json", (axum::routing::get(json), rule!(public))))
}

/// The private key in this folder, which is made at the first start. Who verifies tokens has the public one, and can't make any.
fn signing_key(data: &Path) -> Result<SigningKey, BoxError> {
    let new_key = || Ok(SigningKey::generate_pem(Algorithm::EdDSA)?.into_bytes());
    Ok(SigningKey::pem(Algorithm::EdDSA, &kept(&data.join("signing.pem"), new_key)?)?)
}

/// Behind a proxy, the address of a client is what the proxy says.
fn behind_a_proxy(builder: AuthBuilder, proxy: Option<String>) -> AuthBuilder {
    match proxy {
        Some(network) => builder.trusted_proxies(ForwardedHeader::XForwardedFor, [network]),
        None => builder,
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    log_to_stderr();
    let named = issuers::from_environment()?;
    let options = Options::from_arguments("port-ninja-aio")?;
    let accounts =
        Accounts { database: Database::open(&options.data).await?, passwords: PasswordHasher::new()? };
    accounts.database.seed(&accounts.passwords).await?;
    // The provider ends with this function.
    let demo = if named.is_empty() { Demo::start(&accounts.database).await? } else { None };
    let trusted: Vec<TrustedIssuer> = demo.as_ref().map_or(named, Demo::issuers);
    if trusted.is_empty() {
        return Ok(ExitCode::FAILURE);
    }

    let signing = signing_key(&options.data)?;
    let refresh = RefreshKey::new("1", secret(&options.data.join("refresh.key"))?);
    let store = RedbStore::open(options.data.join("auth.redb"))?;
    let builder = trusted.into_iter().fold(Auth::builder(), AuthBuilder::issuer);
    let builder = behind_a_proxy(builder, std::env::var("PROXY").ok());
    let auth = configure(builder, &accounts, &store, (signing, refresh)).build()?;
    auth.start().await?; // the keys of the providers are fetched: an error if one is down

    let database = accounts.database.clone();
    let routes = with_document(routes(&auth, accounts)?, &auth)?;
    println!("{}", routes.routes().table(&auth));
    let listener = listen(options.port).await?;
    lines::print(&format!("http://{}", listener.local_addr()?), demo.as_ref()).await?;
    serve(listener, routes.with_state(App { auth: auth.clone(), database }).finish(&auth)?).await?;
    auth.api_keys()?.record_last_uses().await; // keys were used since the last write
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
