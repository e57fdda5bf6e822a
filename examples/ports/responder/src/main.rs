//! A small web app and its API, in one engine: pages with a login form and sessions, and an API for tokens and keys.
//!
//! Run it with `cargo run -p port-responder`. It prints who may call what, a page to open, and `curl` lines to try. `-- --port 8080` uses
//! another port than 3000, `-- --data FOLDER` another folder than `port-responder-data` in the current one, and `-- new-key` prints a new
//! API key with its hash. What each part is for is in `README.md`.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod answers;
mod api;
mod api_keys;
mod app;
mod lines;
mod notes;
mod pages;
#[cfg(test)]
mod tests;
mod users;
mod visit;
mod web;

use std::path::Path;
use std::time::Duration;

use auth_runtime::api_key::ApiKeys;
use auth_runtime::openapi::OpenApi;
use auth_runtime::routing::get;
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::session::{BoxError, PasswordHasher, RefreshKey, SigningKey, TokenIssuer, readiness};
use auth_runtime::store::RedbStore;
use auth_runtime::verify::Algorithm;
use auth_runtime::{Auth, AuthBuilder, Router, rule};
use axum::extract::{OriginalUri, Request};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Redirect, Response};
use ports_support::{Options, listen, log_to_stderr, secret, serve};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::app::App;
use crate::users::Users;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The engine of both. Its secrets, sessions and revocations are in this folder, so that they survive a restart.
fn engine(folder: &Path, users: Users, keys: ApiKeys) -> Result<AuthBuilder, BoxError> {
    let key = SigningKey::secret(Algorithm::HS256, &secret(&folder.join("signing.key"))?)?.with_id("1");
    let issuer = TokenIssuer::new("https://responder.example", "notes", key, users)
        .refresh_key(RefreshKey::new("1", secret(&folder.join("refresh.key"))?))
        .access_lifetime(DAY);
    Ok(Auth::builder()
        .token_issuer(issuer)
        .api_keys(keys)
        .store(RedbStore::open(folder.join("sessions.redb"))?)
        .default_sources(["cookie"]) // of the pages; the API names its own
        .renew_transparently()
        .redirect_to_login("/login") // and back to the page that was asked for
        .dangerously_use_insecure_cookies() // plain http, on this machine only
        .render_rejections(answers::rejected)
        .rejection_schema("application/json", answers::error_schema()))
}

/// Two routers: the pages, whose callers have cookies, and the API, whose callers have tokens and keys.
fn routes(auth: &Auth, users: Users) -> Result<Router, BoxError> {
    let logins = TokenRoutes::cookies(auth.tokens()?, users.clone()).endpoints();
    let api_logins = TokenRoutes::json(auth.tokens()?, users.clone())
        .answers(answers::Api)
        .unauthorized_on_wrong_credentials()
        .endpoints();
    let routes = web::routes(&logins).nest("/api", api::routes(&api_logins)).route("/health", get(readiness));
    with_documents(routes.with_state(App { users, logins }), auth)
}

/// Adds the document of the routes, and a page to read it on.
fn with_documents(routes: Router, auth: &Auth) -> Result<Router, BoxError> {
    let document = OpenApi::new("Notes", "0.1.0").describe(&routes.routes(), auth)?.to_yaml();
    let yaml = async move || ([(CONTENT_TYPE, "application/yaml")], document);
    let ui = axum::Router::from(SwaggerUi::new("/").config(Config::from("/schema.yml")));
    Ok(routes
        .route("/schema.yml", (axum::routing::get(yaml), rule!(public)))
        .nest_service("/docs", (ui.layer(from_fn(with_slash)), rule!(public))))
}

/// The links of Swagger UI are relative: they need the slash of `/docs/`.
async fn with_slash(OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    if uri.path() == "/docs" { Redirect::to("/docs/").into_response() } else { next.run(request).await }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    if std::env::args().nth(1).as_deref() == Some("new-key") {
        return api_keys::print_new();
    }
    log_to_stderr();
    let Options { port, data, .. } = Options::from_arguments("port-responder")?;
    let listener = listen(port).await?;
    let origin = format!("http://{}", listener.local_addr()?);

    let users = Users::open(&data, PasswordHasher::new()?).await?;
    let (keys, new_key) = api_keys::of_file(&data.join("api-keys.txt"))?;
    let auth = engine(&data, users.clone(), keys)?.build()?;
    auth.start().await?;

    let routes = routes(&auth, users)?;
    println!("{}", routes.routes().table(&auth));
    lines::print(&origin, new_key.as_ref());
    Ok(serve(listener, routes.finish(&auth)?).await?)
}
