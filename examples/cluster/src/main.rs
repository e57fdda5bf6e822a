//! Two instances of one service, on one store: a logout at one is a logout at both.
//!
//! `cargo run -p cluster` starts a Redis server and two instances, and prints their addresses. Log in at one, and log out at the other.
//! `-- --store postgres` starts a PostgreSQL server instead. `-- --url redis://..` or `-- --url postgres://..` uses a server that is
//! there: the example makes the keys `{auth}:..` or the schema `auth` in it, and leaves them there.
//!
//! What makes a service one of many instances is in [`run_instance`] and [`serve`]: each connects to the same store, and has the same
//! keys. How the processes of the example are started is in `launch`. Your instances are started by what runs them already.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints to the terminal of the person who started it"
)]

mod launch;
mod pages;
mod settings;
#[cfg(test)]
mod tests;
mod users;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use auth_runtime::routing::{get, post};
use auth_runtime::session::routes::{TokenRoutes, user_agent};
use auth_runtime::session::{BoxError, RefreshKey, SigningKey, TokenIssuer, TokenService, readiness};
use auth_runtime::source::CookieOptions;
use auth_runtime::store::{AttemptStore, PostgresStore, RedisStore, RefreshTokenStore, RevocationLog};
use auth_runtime::verify::Algorithm;
use auth_runtime::{Auth, AuthBuilder, Principal, ReturnTo, Router, auth};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::settings::{Instance, Settings, StoreKind};
use crate::users::Users;

/// One instance, in a process of its own. All have the same `STORE_URL`, `SIGNING_KEY` and `REFRESH_KEY` in their environment.
async fn run_instance() -> Result<(), BoxError> {
    let settings = Settings::from_environment()?;
    launch::log_as(&settings.instance.name);
    match StoreKind::of_url(&settings.store_url)? {
        StoreKind::Redis => serve(&settings, RedisStore::connect(&settings.store_url).await?).await,
        StoreKind::Postgres => serve(&settings, PostgresStore::connect(&settings.store_url).await?).await,
    }
}

/// Serves requests, with what all instances share: the keys, in [`engine`], and the store.
async fn serve<S>(settings: &Settings, store: S) -> Result<(), BoxError>
where
    S: RevocationLog + RefreshTokenStore + AttemptStore + Clone,
{
    let users = Arc::new(Users::new().await?);
    let auth = engine(settings, &users)?
        .store(store.clone()) // the sessions and revocations of all instances
        .build()?;
    auth.start().await?; // reads the revocations, and follows those of the other instances from now on

    let instance = settings.instance.clone();
    let routes = routes(&auth, users, &instance, store)?;
    let state = App { tokens: auth.tokens()?, auth: auth.clone(), instance };
    let app = routes.with_state(state).finish(&auth)?.layer(map_response(pages::with_security_headers));
    let listener = TcpListener::bind(("127.0.0.1", settings.instance.port)).await?;
    launch::report(&format!("http://{}/", listener.local_addr()?));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(launch::instance_ends()) // in a service of yours: when it gets SIGTERM
        .await?;
    Ok(())
}

fn engine(settings: &Settings, users: &Arc<Users>) -> Result<AuthBuilder, BoxError> {
    // With the same keys in all instances, each accepts the tokens that another has issued.
    let signing_key = SigningKey::pem(Algorithm::EdDSA, settings.signing_key.as_bytes())?;
    let refresh_key = RefreshKey::new("1", settings.refresh_key.as_bytes());
    let issuer = TokenIssuer::new("https://cluster.example", "cluster", signing_key, Arc::clone(users))
        .refresh_key(refresh_key);
    Ok(Auth::builder()
        .token_issuer(issuer)
        .default_sources(["cookie"])
        .cookies(CookieOptions::new().name("cluster")) // other examples are on this host name, too
        .renew_transparently()
        .redirect_to_login("/login")
        .dangerously_use_insecure_cookies() // plain http, on this machine only
        .render_rejections(pages::rejected))
}

fn routes(
    auth: &Auth,
    users: Arc<Users>,
    instance: &Instance,
    attempts: impl AttemptStore,
) -> Result<Router<App>, BoxError> {
    let name = instance.name.clone();
    let log_in_and_out = TokenRoutes::cookies(auth.tokens()?, users)
        .attempt_store(attempts) // all instances together count the attempts to log in
        .session_label(move |head| {
            Some(format!("At {name}, with {}", user_agent(head).as_deref().unwrap_or("no name")))
        });
    Ok(Router::new()
        .route("/", get(sessions))
        .route("/login", get(login))
        .route("/sessions/{id}/end", post(end_session))
        .route("/style.css", get(style))
        .route("/ready", get(readiness)) // for a load balancer: 503 while this instance can't decide
        .nest("/auth", log_in_and_out.router()))
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    auth: Auth,
    tokens: TokenService,
    instance: Instance,
}

/// The sessions of the user, at whichever instance they began. They are read from the store; whether the request is allowed is not.
#[auth]
async fn sessions(user: Principal, State(app): State<App>) -> (StatusCode, Html<String>) {
    let listed = app.tokens.own_sessions(&user).await.ok();
    let status = if listed.is_some() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // In a service of yours, the state is for the staff.
    let page =
        pages::sessions(&app.instance, user.subject(), listed.as_ref(), &app.auth.revocations().status());
    (status, page)
}

/// Ends one session of the user. With the id of another user's, nothing ends.
#[auth]
async fn end_session(user: Principal, Path(id): Path<String>, State(app): State<App>) -> Response {
    match app.tokens.end_own_session(&user, &id).await {
        Ok(_) => Redirect::to("/").into_response(),
        Err(_) => pages::problem(StatusCode::SERVICE_UNAVAILABLE),
    }
}

#[auth(public)]
async fn login(State(app): State<App>, return_to: ReturnTo, Query(failed): Query<Failed>) -> Html<String> {
    pages::log_in(&app.instance, failed.error.as_deref(), &return_to)
}

#[derive(Deserialize)]
struct Failed {
    error: Option<String>,
}

#[auth(public)]
async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

/// The program has two roles of its own besides an instance: see `launch`.
#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match *arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        ["instance"] => run_instance().await.map(|()| ExitCode::SUCCESS),
        ["database", store] => launch::run_database(store).await.map(|()| ExitCode::SUCCESS),
        ref options => launch::run(options).await,
    };
    ended.unwrap_or_else(|error| {
        eprintln!("cluster: {error}");
        ExitCode::FAILURE
    })
}
