//! Log in, call guarded routes, refresh, log out.
//!
//! Run it with `cargo run -p quickstart`, or with `-- --port 8080` for another port than 3000, and `-- --data FOLDER` for
//! another place to keep logins in than `quickstart-data` in the current folder. It prints who may call what, and the `curl` lines to try.
#![allow(clippy::print_stdout, reason = "it talks to the person who started it")]

mod keys;
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
use auth_runtime::session::{
    BoxError, IssuedTokens, SubjectStore as _, TokenIssuer, TokenService, readiness,
};
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, Principal, Router, auth, check, documented, rule};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::options::Options;
use crate::users::Users;
use crate::vocabulary::VOCABULARY;

/// A welcome to everyone.
#[auth(public)]
#[utoipa::path(get, path = "/", responses((status = 200, description = "A welcome.", body = String)))]
async fn home() -> &'static str {
    "Welcome. Everyone may read this.\n"
}

/// A greeting, by name where there is one.
#[auth(optional)]
#[utoipa::path(get, path = "/hello", responses((status = 200, description = "A greeting.", body = String)))]
async fn hello(user: Option<Principal>) -> String {
    format!("Hello, {}.\n", user.as_ref().map_or("stranger", Principal::subject))
}

/// Who the caller is.
#[auth]
#[utoipa::path(get, path = "/me", responses((status = 200, description = "Name and roles.", body = String)))]
async fn me(user: Principal) -> String {
    let roles: Vec<_> = user.roles().collect();
    format!("You are {}, with the roles: {}.\n", user.subject(), roles.join(", "))
}

/// For those who run the place.
#[auth(roles = ["admin"])]
#[utoipa::path(
    get,
    path = "/admin",
    responses((status = 200, description = "Who runs the place.", body = String)),
)]
async fn admin(user: Principal) -> String {
    format!("{} runs the place.\n", user.subject())
}

/// How sales go.
#[auth(scopes = ["reports:read"])]
#[utoipa::path(
    get,
    path = "/reports",
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
    params(("id" = u32, Path)),
    responses(
        (status = 200, description = "The note.", body = String),
        (status = 404, description = "There is none."),
    ),
)]
async fn note(Path(id): Path<u32>, State(app): State<App>) -> Result<String, StatusCode> {
    let note = app.notes.iter().find(|note| note.id == id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(format!("{}\n", note.text))
}

/// Looks at what the request is about. It runs after the rule was kept, and before the handler.
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
        .access_page("/access", rule!(public)) // here for all to see; elsewhere its rule would be that of the staff
        .nest("/auth", TokenRoutes::json(tokens, users).router()) // login, refresh, logout, logout-everywhere
        .merge(api)
}

/// The OpenAPI document: what is written of the handlers, and what is enforced.
fn describe(routes: &Router<App>, auth: &Auth) -> Result<(OpenApiDocument, Coverage), DocumentError> {
    let mut document = OpenApiDocument::default();
    let coverage = OpenApi::new("Quickstart", "0.1.0").fill(&mut document, &routes.routes(), auth)?;
    Ok((document, coverage))
}

/// The document, and Swagger UI to read it with.
fn with_documents(routes: Router<App>, auth: &Auth) -> Result<Router<App>, BoxError> {
    let document = describe(&routes, auth)?.0.to_json()?;
    let json = async move || ([(CONTENT_TYPE, "application/json")], document);
    let ui: axum::Router = SwaggerUi::new("/").config(Config::from("/openapi.json")).into();
    let routes = routes.route("/openapi.json", (axum::routing::get(json), rule!(public)));
    Ok(routes.service("/docs", ui, rule!(public)))
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
        .store(RedbStore::open(options.data.join("auth.redb"))?) // logins and logouts outlast a restart
        .vocabulary(&VOCABULARY)
        .build()?;
    auth.catch_up().await?;

    let routes = with_documents(routes(auth.tokens()?, Arc::clone(&users)), &auth)?;
    println!("Who may call what (as a page: {origin}/access, and as OpenAPI: {origin}/docs/):\n");
    println!("{}", routes.routes().table(&auth));
    let alice = users.subject("alice").await?.ok_or("alice is gone")?;
    print_lines_to_try(&origin, &auth.tokens()?.issue(&alice).await?);
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
        format!("port {port} can't be used ({error}): try another with `-- --port 0`, where 0 is any")
    })
}

fn print_lines_to_try(origin: &str, tokens: &IssuedTokens) {
    let bearer = format!("-H 'Authorization: Bearer {}'", tokens.access_token);
    let post = "curl -i -H 'Content-Type: application/json'";
    println!("Try, with a token of alice's ({} minutes):\n", tokens.expires_in.as_secs() / 60);
    for line in [
        format!("curl -i {origin}/"),
        format!("curl -i {origin}/hello"),
        format!("curl -i {origin}/me"),
        format!("curl -i {bearer} {origin}/me"),
        format!("curl -i {bearer} {origin}/admin"),
        format!("curl -i {bearer} {origin}/reports"),
        format!("curl -i {bearer} {origin}/org/acme/invoices"),
        format!("curl -i {bearer} {origin}/org/other/invoices"),
        format!("curl -i {bearer} {origin}/notes/1"),
        format!("curl -i {bearer} {origin}/notes/2"),
        format!("{post} -d '{{\"refresh_token\":\"{}\"}}' {origin}/auth/refresh", tokens.refresh_token),
        format!("curl -i -X POST {bearer} {origin}/auth/logout"),
        format!("curl -i {bearer} {origin}/me"),
        format!("{post} -d '{{\"username\":\"alice\",\"password\":\"wonderland\"}}' {origin}/auth/login"),
    ] {
        println!("  {line}");
    }
    println!("\nCtrl-C ends it.");
}

#[cfg(test)]
mod tests;
