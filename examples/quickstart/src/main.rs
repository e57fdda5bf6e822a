//! Log in, call guarded routes, refresh, log out.
//!
//! Run it with `cargo run -p quickstart`. It prints who may call what, and `curl` lines to try. `-- --port 8080` uses another
//! port than 3000, `-- --data FOLDER` another folder for keys and sessions than `quickstart-data` in the current one.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod keys;
mod lines;
mod options;
mod users;
mod vocabulary {
    auth_runtime::vocabulary!(); // auth.toml, as a constant and as enums
}

use std::net::SocketAddr;
use std::sync::Arc;

use auth_runtime::openapi::{Coverage, DocumentError, OpenApi};
use auth_runtime::routing::get;
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::session::{BoxError, TokenIssuer, TokenService, readiness};
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, Principal, Router, auth, check, documented, rule};
use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Redirect, Response};
use tokio::net::TcpListener;
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::options::Options;
use crate::users::Users;
use crate::vocabulary::VOCABULARY;

/// A welcome to everyone.
#[auth(public)]
#[utoipa::path(get, path = "/", tag = "Greetings", responses((status = 200, description = "A welcome.", body = String)))]
async fn home() -> &'static str {
    "Welcome. Everyone may read this.\n"
}

/// A greeting, by name if the caller has a token.
#[auth(optional)]
#[utoipa::path(get, path = "/hello", tag = "Greetings", responses((status = 200, description = "A greeting.", body = String)))]
async fn hello(user: Option<Principal>) -> String {
    format!("Hello, {}.\n", user.as_ref().map_or("stranger", Principal::subject))
}

/// Who the caller is.
#[auth]
#[utoipa::path(get, path = "/me", tag = "Account", responses((status = 200, description = "Name and roles.", body = String)))]
async fn me(user: Principal) -> String {
    let roles: Vec<_> = user.roles().collect();
    let roles = if roles.is_empty() { "none".to_owned() } else { roles.join(", ") };
    format!("You are {}. Your roles: {roles}.\n", user.subject())
}

/// For admins.
#[auth(roles = ["admin"])]
#[utoipa::path(
    get,
    path = "/admin",
    tag = "Company",
    responses((status = 200, description = "Who the admin is.", body = String)),
)]
async fn admin(user: Principal) -> String {
    format!("{} is an admin.\n", user.subject())
}

/// The sales figures.
#[auth(scopes = ["reports:read"])]
#[utoipa::path(
    get,
    path = "/reports",
    tag = "Company",
    responses((status = 200, description = "The figures.", body = String)),
)]
async fn reports() -> &'static str {
    "Sales are up.\n"
}

/// The invoices of the caller's own tenant.
#[auth(claims(tenant = path("tenant")))]
#[utoipa::path(
    get,
    path = "/org/{tenant}/invoices",
    tag = "Company",
    params(("tenant" = String, Path)),
    responses((status = 200, description = "The invoices.", body = String)),
)]
async fn invoices(Path(tenant): Path<String>) -> String {
    format!("The invoices of {tenant}.\n")
}

/// A note of the caller's own.
#[auth(check = owns)]
#[utoipa::path(
    get,
    path = "/notes/{id}",
    tag = "Account",
    params(("id" = u32, Path)),
    responses(
        (status = 200, description = "The note.", body = String),
        (status = 404, description = "There is no such note."),
    ),
)]
async fn note(Path(id): Path<u32>, State(app): State<App>) -> Result<String, StatusCode> {
    let note = app.notes.iter().find(|note| note.id == id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(format!("{}\n", note.text))
}

/// Whether the note is the caller's own. A check runs after the rule was satisfied, and before the handler.
#[check]
async fn owns(user: &Principal, Path(id): Path<u32>, State(app): State<App>) -> bool {
    app.notes.iter().any(|note| note.id == id && note.owner == user.subject())
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    notes: &'static [Note],
}

struct Note {
    id: u32,
    owner: &'static str,
    text: &'static str,
}

const NOTES: &[Note] = &[
    Note { id: 1, owner: "alice", text: "Alice's note: water the plants." },
    Note { id: 2, owner: "bob", text: "Bob's note: buy milk." },
];

fn routes(tokens: TokenService, users: Arc<Users>) -> Router<App> {
    let api = documented![me, admin, reports, invoices, note].require(rule!(not(roles = ["suspended"])));
    documented![home, hello]
        .route("/ready", get(readiness))
        .access_page("/access", rule!(public)) // in a real service: for admins
        .nest("/auth", TokenRoutes::json(tokens, users).router()) // login, refresh, logout, logout-everywhere
        .merge(api)
}

/// The OpenAPI document: what `utoipa` knows of the handlers, and what is enforced.
fn describe(routes: &Router<App>, auth: &Auth) -> Result<(OpenApiDocument, Coverage), DocumentError> {
    let mut document = OpenApiDocument::default();
    let coverage = OpenApi::new("Quickstart", "0.1.0").fill(&mut document, &routes.routes(), auth)?;
    Ok((document, coverage))
}

/// Adds the document, and Swagger UI to read it with.
fn with_documents(routes: Router<App>, auth: &Auth) -> Result<Router<App>, BoxError> {
    let document = describe(&routes, auth)?.0.to_json()?;
    let json = async move || ([(CONTENT_TYPE, "application/json")], document);
    let ui = axum::Router::from(SwaggerUi::new("/").config(Config::from("/openapi.json")))
        .layer(from_fn(with_slash));
    let routes = routes.route("/openapi.json", (axum::routing::get(json), rule!(public)));
    Ok(routes.nest_service("/docs", (ui, rule!(public))))
}

/// The links of Swagger UI are relative: they need the slash of `/docs/`.
async fn with_slash(OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    if uri.path() == "/docs" { Redirect::to("/docs/").into_response() } else { next.run(request).await }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = Options::from_arguments()?;
    let listener = listen(options.port).await?;
    let origin = format!("http://{}", listener.local_addr()?);

    let users = Arc::new(Users::new().await?);
    let (signing_key, refresh_key) = keys::load(&options.data)?;
    let issuer =
        TokenIssuer::new("https://quickstart.example", "quickstart", signing_key, Arc::clone(&users))
            .refresh_key(refresh_key);
    let auth = Auth::builder()
        .token_issuer(issuer)
        .store(RedbStore::open(options.data.join("auth.redb"))?) // sessions and revocations survive a restart
        .vocabulary(&VOCABULARY)
        .build()?;
    auth.start().await?;

    let routes = with_documents(routes(auth.tokens()?, users), &auth)?;
    println!("Who may call what (yes: allowed, -: denied, if: the rule asks for more than roles):\n");
    println!("{}", routes.routes().table(&auth));
    lines::print(&origin);
    let app = routes.with_state(App { notes: NOTES }).finish(&auth)?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

async fn listen(port: u16) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|error| {
        format!("port {port} cannot be used ({error}). Choose another one with `-- --port NUMBER`; 0 is any free port")
    })
}

#[cfg(test)]
mod tests;
