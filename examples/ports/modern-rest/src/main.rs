//! An address book: what django-modern-rest's page on JWT describes, as a service with this library.
//!
//! Run it with `cargo run -p port-modern-rest`. It prints who may call what, and `curl` lines to try. `-- --port 8080` uses another port than
//! 3000 (0: any free port), `-- --data FOLDER` another folder than `port-modern-rest-data`.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod app;
mod blocklist;
mod claims;
mod contacts;
mod database;
mod forms;
mod lines;
#[cfg(test)]
mod tests;
mod tokens;
mod users;

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime::openapi::{Coverage, DocumentError, OpenApi, OpenApiVersion};
use auth_runtime::routing::MethodFilter;
use auth_runtime::session::routes::{TokenEndpoints, TokenRoute, TokenRoutes};
use auth_runtime::session::{BoxError, PasswordHasher, RefreshKey, SigningKey, TokenIssuer, random_secret};
use auth_runtime::source::Header;
use auth_runtime::store::RedbStore;
use auth_runtime::verify::Algorithm;
use auth_runtime::{Auth, AuthBuilder, Router, documented, rule};
use axum::Json;
use axum::http::HeaderName;
use ports_support::{Options, kept, listen, log_to_stderr, secret, serve};
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use crate::app::{App, ISSUER, LOGIN, STAFF};
use crate::database::Contacts;
use crate::forms::{Answers, Forms, Renewal, form};
use crate::users::Accounts;

fn engine(
    accounts: &Arc<Accounts>,
    signing_key: SigningKey,
    data: &FilePath,
) -> Result<AuthBuilder, BoxError> {
    let issuer = TokenIssuer::new(ISSUER, "app", signing_key, Arc::clone(accounts))
        .also_for("back-office")
        .access_lifetime(Duration::from_hours(24))
        .refresh_lifetime(Duration::from_hours(10 * 24))
        .refresh_key(RefreshKey::new("1", secret(&data.join("refresh.key"))?));
    Ok(Auth::builder()
        .token_issuer(issuer)
        .users(Arc::clone(accounts))
        .store(RedbStore::open(data.join("sessions.redb"))?)
        .default_sources(["bearer", "cookie"])
        .source(Header::new("export", HeaderName::from_static("x-auth")).with_scheme("JWT"))
        .dangerously_use_insecure_cookies() // plain http, on this machine only
        .render_rejections(forms::rejected)
        .rejection_schema("application/json", form("ErrorModel")))
}

fn routes(auth: &Auth, accounts: &Arc<Accounts>) -> Result<Router<App>, BoxError> {
    let endpoints = TokenRoutes::json(auth.tokens()?, Arc::clone(accounts))
        .answers(Answers)
        .refresh_request::<Renewal>()
        .logout_request::<Renewal>()
        .unauthorized_on_wrong_credentials()
        .endpoints();
    let for_pages = TokenRoutes::cookies(auth.tokens()?, Arc::clone(accounts)).cookie_path("/web/auth");
    let of_logins = documented![
        blocklist::me,
        blocklist::block,
        contacts::list,
        contacts::add,
        contacts::remove,
        tokens::hello,
        tokens::begin_export,
        tokens::begin_sync,
    ];
    let of_logins = of_logins
        .route("/api/staff/blocklist", endpoints.guarded_route(TokenRoute::Revocations, STAFF))
        .route("/api/staff/sessions", endpoints.guarded_route(TokenRoute::AllSessions, STAFF))
        .route("/api/auth/verify", endpoints.guarded_route(TokenRoute::Introspect, STAFF))
        .access_page("/access", STAFF)
        .require(LOGIN);
    Ok(documented![tokens::token, tokens::export]
        .merge(of_logins)
        .nest("/api/auth", logins(&endpoints))
        .nest("/web/auth", logins(&for_pages.endpoints())))
}

/// Login, logout and refresh: `POST` and `DELETE` of a path of our own, and `POST` of the one below it.
fn logins(endpoints: &TokenEndpoints<Arc<Accounts>>) -> Router<App> {
    let log_out = endpoints.route_on(MethodFilter::DELETE, TokenRoute::Logout);
    Router::new()
        .route("/", endpoints.route(TokenRoute::Login).merge(log_out))
        .route("/refresh", endpoints.route(TokenRoute::Refresh))
}

fn describe(routes: &Router<App>, auth: &Auth) -> Result<(Value, Coverage), DocumentError> {
    let mut document = json!({ "components": Forms::openapi().components });
    let api =
        OpenApi::new("Address book", "0.1.0").version(OpenApiVersion::V3_2).scheme_name("bearer", "jwt");
    let coverage = api.fill(&mut document, &routes.routes(), auth)?;
    Ok((document, coverage))
}

/// The app, with its OpenAPI document.
fn app(routes: Router<App>, auth: &Auth, contacts: Contacts) -> Result<axum::Router, BoxError> {
    let document = Json(describe(&routes, auth)?.0);
    let json = axum::routing::get(async move || document.clone());
    let state = App { auth: auth.clone(), tokens: auth.tokens()?, contacts };
    Ok(routes.route("/docs/openapi.json", (json, rule!(public))).with_state(state).finish(auth)?)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    log_to_stderr();
    let Options { port, data, .. } = Options::from_arguments("port-modern-rest")?;
    let listener = listen(port).await?;
    let database = database::open_database(&data).await?;
    let accounts = Arc::new(Accounts::new(database.clone(), PasswordHasher::new()?));
    accounts.seed().await?;

    // HS512 takes 64 bytes or more.
    let key = kept(&data.join("signing.key"), || Ok([random_secret()?, random_secret()?].concat()))?;
    let auth = engine(&accounts, SigningKey::secret(Algorithm::HS512, &key)?.with_id("1"), &data)?.build()?;
    auth.start().await?;
    let routes = routes(&auth, &accounts)?;
    println!("{}", routes.routes().table(&auth));
    lines::print(&format!("http://{}", listener.local_addr()?));
    Ok(serve(listener, app(routes, &auth, Contacts::new(database))?).await?)
}
