//! A ticket desk with a live panel: what Panther's page on authentication describes, as a service with this library.
//!
//! Run it with `cargo run -p port-panther`. It prints who may call what, `curl` lines to try, and the address of the panel: log in there as
//! alice (password wonderland), who is an agent, and open a ticket as bob (password builder) in a terminal.
//!
//! `-- --port 8080` uses another port than 3000 (0: any free port), `-- --data FOLDER` another folder than `port-panther-data`.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod desk;
mod keys;
mod lines;
mod panel;
mod partners;
#[cfg(test)]
mod tests;
mod users;

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime::authenticator::CredentialPlace;
use auth_runtime::openapi::{DocumentError, OpenApi};
use auth_runtime::routing::{get, post};
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::session::{BoxError, PasswordHasher, RefreshKey, SigningKey, TokenIssuer};
use auth_runtime::source::{CookieOptions, Query};
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, AuthBuilder, Router, User, auth, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Result;
use ports_support::{DatabaseError, Options, listen, log_to_stderr, secret, serve};
use serde::Deserialize;

use crate::desk::{Desk, Ticket};
use crate::partners::{Partners, partner};
use crate::users::{Account, Accounts};

/// Who the caller is: `null` for a stranger.
#[auth(optional)]
async fn me(user: Option<User<Account>>) -> Json<Option<Account>> {
    Json(user.map(|user| Account::clone(&user)))
}

/// The tickets of the caller, and for an agent those of everyone.
#[auth]
async fn list(
    User(account): User<Account>,
    State(desk): State<Desk>,
) -> Result<Json<Vec<Ticket>>, DatabaseError> {
    Ok(Json(if account.is_agent { desk.all().await? } else { desk.of(&account.id).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTicket {
    title: String,
}

/// A new ticket of the caller's own.
#[auth]
async fn open(
    User(account): User<Account>,
    State(desk): State<Desk>,
    Json(new): Json<NewTicket>,
) -> Result<(StatusCode, Json<Ticket>), DatabaseError> {
    Ok((StatusCode::CREATED, Json(desk.open(&account.id, None, &new.title).await?)))
}

/// Closes a ticket.
#[auth(roles = ["agent"])]
async fn close(Path(id): Path<i64>, State(desk): State<Desk>) -> Result<Json<Ticket>> {
    Ok(Json(desk.close(id).await?.ok_or(StatusCode::NOT_FOUND)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mail {
    from: String,
    subject: String,
}

/// A mail to the desk becomes a ticket of its sender. Partners bring mails: programs with a key of their own.
#[auth(source = "partner")]
async fn inbox(
    User(partner): User<Account>,
    State(desk): State<Desk>,
    Json(mail): Json<Mail>,
) -> Result<(StatusCode, Json<Ticket>)> {
    let sender = desk.account_of(&mail.from).await?.ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let ticket = desk.open(&sender, Some(&partner.id), &mail.subject).await?;
    Ok((StatusCode::CREATED, Json(ticket)))
}

fn routes(auth: &Auth, accounts: &Arc<Accounts>) -> Result<Router<Desk>, BoxError> {
    let for_programs = TokenRoutes::json(auth.tokens()?, Arc::clone(accounts));
    let for_pages = TokenRoutes::cookies(auth.tokens()?, Arc::clone(accounts));
    Ok(Router::new()
        .route("/", get(me))
        .route("/tickets", get(list).post(open))
        .route("/tickets/{id}/close", post(close))
        .route("/inbox", post(inbox))
        .merge(panel::routes())
        .nest("/auth", for_programs.router())
        .nest("/web/auth", for_pages.router())
        .access_page("/access", rule!(roles = ["agent"])))
}

fn with_document(routes: Router<Desk>, auth: &Auth) -> Result<Router<Desk>, DocumentError> {
    let document = OpenApi::new("Ticket desk", "0.1.0").describe(&routes.routes(), auth)?.to_json();
    let json = async move || ([(CONTENT_TYPE, "application/json")], document);
    Ok(routes.route("/openapi.json", (axum::routing::get(json), rule!(public))))
}

fn engine(
    accounts: &Arc<Accounts>,
    partners: Partners,
    signing_key: SigningKey,
    data: &FilePath,
) -> Result<AuthBuilder, BoxError> {
    let issuer = TokenIssuer::new("https://desk.example", "desk", signing_key, Arc::clone(accounts))
        .refresh_key(RefreshKey::new("1", secret(&data.join("refresh.key"))?))
        .access_lifetime(Duration::from_mins(10))
        .refresh_lifetime(Duration::from_hours(10 * 24));
    Ok(Auth::builder()
        .token_issuer(issuer)
        .users(Arc::clone(accounts))
        .store(RedbStore::open(data.join("sessions.redb"))?)
        .default_sources(["bearer", "cookie", "query"])
        .dangerously_allow_query_tokens(Query::new().parameter("authorization")) // for WebSockets, and for nothing else
        .cookies(CookieOptions::new().name("__Host-access_token").refresh_name("__Host-refresh_token"))
        .renew_transparently()
        .dangerously_use_insecure_cookies() // plain http, on this machine only: both names are without `__Host-` then
        .authenticator("partner", CredentialPlace::header("X-Partner"), partner::with_state(partners)))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    log_to_stderr();
    let Options { port, data, .. } = Options::from_arguments("port-panther")?;
    let listener = listen(port).await?;
    let database = desk::open_database(&data).await?;
    let accounts = Arc::new(Accounts::new(database.clone(), PasswordHasher::new()?));
    accounts.seed().await?;
    let partners = Partners::new(database.clone());
    let key_of_mailgate = partners.seed("mailgate", &data).await?;

    let signing_key = keys::signing_key(std::env::var_os("SECRET_KEY"), &data)?;
    let auth = engine(&accounts, partners, signing_key, &data)?.build()?;
    auth.start().await?;
    let routes = with_document(routes(&auth, &accounts)?, &auth)?;
    println!("{}", routes.routes().table(&auth));
    lines::print(&format!("http://{}", listener.local_addr()?), &key_of_mailgate);
    let app = routes.with_state(Desk::new(database)).finish(&auth)?;
    Ok(serve(listener, app).await?)
}
