//! A reading list with a staff page: what drf-cookie-jwtauth's README describes, as a service with this library.
//!
//! Run it with `cargo run -p port-drf-cookie-jwtauth`. It prints who may call what, `curl` lines to try, and the address of the page: log in
//! there as alice (password wonderland), who is staff and sees the sessions of all users, or as bob (password builder).
//!
//! `-- --port 8080` uses another port than 3000 (0: any free port), `-- --data FOLDER` another folder than `port-drf-cookie-jwtauth-data`.
//! `SIGNING_KEY`, `ACCESS_TOKEN_COOKIE_NAME` and `REFRESH_TOKEN_COOKIE_NAME` are variables of the environment.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod accounts;
mod answers;
mod app;
mod lines;
mod links;
mod pages;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use auth_runtime::openapi::{DocumentError, OpenApi};
use auth_runtime::routing::{MethodFilter, delete, get, post};
use auth_runtime::session::routes::{
    LoginError, LoginVerifier as _, PasswordCredentials, TokenEndpoints, TokenFailure, TokenRoute,
    TokenRoutes, user_agent,
};
use auth_runtime::session::{BoxError, PasswordHasher, TokenIssuer};
use auth_runtime::source::{CookieOptions, SameSite};
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, AuthBuilder, Router, User, auth, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use ports_support::{DatabaseError, Options, listen, log_to_stderr, serve};
use serde::Deserialize;

use crate::accounts::{Account, Accounts};
use crate::answers::Answers;
use crate::app::{App, STAFF};
use crate::links::{Link, Links, WebAddress};
use crate::settings::Settings;

/// A login of our own: it verifies the credentials, and then logs the user in. `/login` is the ready one, which does the same.
#[auth(public)]
async fn log_in(
    State(App { sessions, accounts, .. }): State<App>,
    head: Parts,
    Json(sent): Json<PasswordCredentials>,
) -> Result<Response, LoginError> {
    let attempt = sessions.attempt(&head, &sent.username).await?; // who guesses passwords is slowed down
    let verified = accounts.authenticate(sent).await.map_err(|error| {
        tracing::error!(%error, "credentials cannot be verified");
        sessions.fail_with(&head, TokenFailure::Unavailable)
    })?;
    let user = verified.ok_or_else(|| sessions.fail_with(&head, TokenFailure::InvalidGrant))?;
    attempt.succeed();
    Ok(sessions.log_in_as(&head, user).await)
}

/// Who the caller is: `null` for a stranger.
#[auth(optional)]
async fn hello(user: Option<User<Account>>) -> Json<Option<Account>> {
    Json(user.map(|user| Account::clone(&user)))
}

/// The links of the caller.
#[auth]
async fn list(
    User(account): User<Account>,
    State(app): State<App>,
) -> Result<Json<Vec<Link>>, DatabaseError> {
    Ok(Json(app.links.of(&account.id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLink {
    url: WebAddress,
    title: String,
}

#[auth]
async fn save(
    User(account): User<Account>,
    State(app): State<App>,
    Json(new): Json<NewLink>,
) -> Result<(StatusCode, Json<Link>), DatabaseError> {
    Ok((StatusCode::CREATED, Json(app.links.save(&account.id, new.url, new.title).await?)))
}

/// Deletes a link of the caller's. That of another user is as one that does not exist.
#[auth]
async fn remove(
    User(account): User<Account>,
    State(app): State<App>,
    Path(id): Path<i64>,
) -> Result<StatusCode, DatabaseError> {
    let was_there = app.links.delete(&account.id, id).await?;
    Ok(if was_there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}

/// All users: sessions and revocations name them by their id.
#[auth(rule = STAFF)]
async fn users(State(app): State<App>) -> Result<Json<Vec<Account>>, DatabaseError> {
    Ok(Json(app.accounts.all().await?))
}

/// What logs in and out, and has the lists of sessions. All of its routes share the limits on attempts.
fn sessions(auth: &Auth, accounts: &Accounts) -> Result<TokenEndpoints<Accounts>, BoxError> {
    let routes = TokenRoutes::cookies(auth.tokens()?, accounts.clone());
    Ok(routes.answers(Answers).session_label(user_agent).endpoints())
}

/// For the staff: all but the list of users is ready.
fn staff(sessions: &TokenEndpoints<Accounts>) -> Router<App> {
    let of_staff = |route| sessions.guarded_route(route, STAFF);
    let of_a_user = of_staff(TokenRoute::UserSessions).merge(of_staff(TokenRoute::EndUserSessions));
    Router::new()
        .route("/users", get(users))
        .route("/users/{subject}/sessions", of_a_user)
        .route("/users/{subject}/sessions/{session_id}", of_staff(TokenRoute::EndUserSession))
        .route("/sessions", of_staff(TokenRoute::AllSessions))
        .route("/revocations", of_staff(TokenRoute::Revocations))
        .access_page("/access", STAFF)
}

fn routes(sessions: &TokenEndpoints<Accounts>) -> Router<App> {
    let saved = Router::new()
        .route("/saved", get(list).post(save))
        .route("/saved/{id}", delete(remove))
        .require(rule!()); // of every route here, whatever its own rule says
    Router::new()
        .merge(pages::routes())
        .route("/session", post(log_in).merge(sessions.route_on(MethodFilter::DELETE, TokenRoute::Logout)))
        .route("/login", sessions.route(TokenRoute::Login))
        .route("/hello", get(hello))
        .merge(saved)
        .nest("/staff", staff(sessions))
}

fn with_document(routes: Router<App>, auth: &Auth) -> Result<Router<App>, DocumentError> {
    let document = OpenApi::new("Reading list", "0.1.0").describe(&routes.routes(), auth)?.to_json();
    let json = async move || ([(CONTENT_TYPE, "application/json")], document);
    Ok(routes.route("/openapi.json", (axum::routing::get(json), rule!(public))))
}

fn engine(accounts: &Accounts, settings: Settings, store: RedbStore) -> AuthBuilder {
    let Settings { signing_key, refresh_key, access_cookie, refresh_cookie } = settings;
    let issuer = TokenIssuer::new("https://list.example", "list", signing_key, accounts.clone())
        .refresh_key(refresh_key)
        .access_lifetime(Duration::from_mins(5))
        .refresh_lifetime(Duration::from_hours(24))
        .session_lifetime(Duration::from_hours(24));
    Auth::builder()
        .token_issuer(issuer)
        .users(accounts.clone())
        .store(store)
        .default_sources(["cookie", "bearer"])
        .cookies(
            CookieOptions::new().name(access_cookie).refresh_name(refresh_cookie).same_site(SameSite::Strict),
        )
        .renew_transparently()
        .redirect_to_login("/") // a browser that loads a page; a script gets the 401
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    log_to_stderr();
    let Options { port, data, .. } = Options::from_arguments("port-drf-cookie-jwtauth")?;
    let settings = Settings::read(|name| std::env::var_os(name), &data)?;
    let listener = listen(port).await?;
    let database = links::open_database(&data).await?;
    let accounts = Accounts::new(database.clone(), PasswordHasher::new()?);
    accounts.seed().await?;

    let auth = engine(&accounts, settings, RedbStore::open(data.join("sessions.redb"))?)
        .dangerously_use_insecure_cookies() // plain http, on this machine only: names are without `__Host-` then
        .build()?;
    auth.start().await?;
    let sessions = sessions(&auth, &accounts)?;
    let routes = with_document(routes(&sessions), &auth)?;
    println!("{}", routes.routes().table(&auth));
    lines::print(&format!("http://{}", listener.local_addr()?));
    let app = routes.with_state(App { accounts, links: Links::new(database), sessions }).finish(&auth)?;
    Ok(serve(listener, app).await?)
}
