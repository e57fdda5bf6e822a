//! Log in, call guarded routes, log out.
//!
//! Run it with `cargo run -p quickstart`, or with `-- --port 8080` for another port than 3000. It prints who may call
//! what, and the `curl` lines to try.
#![allow(clippy::print_stdout, reason = "it talks to the person who started it")]

mod users;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::routing::{get, post};
use auth_runtime::tokens::{SigningKey, random_id};
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, OwnPage, Principal, Router, auth, check, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::users::{User, Users};

const ISSUER: &str = "https://quickstart.example";
const AUDIENCE: &str = "quickstart";
const LIFETIME: Duration = Duration::from_secs(15 * 60);

#[auth(public)]
async fn home() -> &'static str {
    "Welcome. Everyone may read this.\n"
}

#[auth(optional)]
async fn hello(user: Option<Principal>) -> String {
    format!("Hello, {}.\n", user.as_ref().map_or("stranger", Principal::subject))
}

#[auth]
async fn me(user: Principal) -> String {
    let roles: Vec<_> = user.roles().collect();
    format!("You are {}, with the roles: {}.\n", user.subject(), roles.join(", "))
}

#[auth(roles = ["admin"])]
async fn admin(user: Principal) -> String {
    format!("{} runs the place.\n", user.subject())
}

#[auth(scopes = ["reports:read"])]
async fn reports() -> &'static str {
    "Sales are up.\n"
}

#[auth(claims(tenant = path("tenant")))]
async fn invoices(Path(tenant): Path<String>) -> String {
    format!("The invoices of {tenant}.\n")
}

#[auth(check = owns)]
async fn note(Path(id): Path<u32>, State(app): State<App>) -> Result<String, StatusCode> {
    let note = app.notes.iter().find(|note| note.id == id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(format!("{}\n", note.text))
}

/// Looks at what the request is about. It runs after the rule was kept, and before the handler.
#[check]
async fn owns(user: &Principal, Path(id): Path<u32>, State(app): State<App>) -> bool {
    app.notes.iter().any(|note| note.id == id && note.owner == user.subject())
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

#[auth(public)]
async fn log_in(
    _: OwnPage, // no other site may log its visitors in here
    State(app): State<App>,
    Json(sent): Json<Credentials>,
) -> Result<impl IntoResponse, StatusCode> {
    let user = app.users.verify(sent.user, sent.password).await.ok_or(StatusCode::FORBIDDEN)?;
    let access_token = app.issue(user).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let cookie = app.auth.access_cookie().set(&access_token, LIFETIME);
    let headers = AppendHeaders([(SET_COOKIE, cookie), (CACHE_CONTROL, "no-store".into())]);
    Ok((headers, Json(LoggedIn { access_token, expires_in: LIFETIME.as_secs() })))
}

#[derive(Serialize)]
struct LoggedIn {
    access_token: String,
    expires_in: u64,
}

#[auth]
async fn log_out(user: Principal, State(app): State<App>) -> Result<impl IntoResponse, StatusCode> {
    app.auth.revocations().revoke_token(&user).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok((AppendHeaders([(SET_COOKIE, app.auth.access_cookie().clear())]), "You are logged out.\n"))
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    auth: Auth,
    key: Arc<SigningKey>,
    users: Arc<Users>,
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

/// The claims of a token.
#[derive(Serialize)]
struct AccessClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
    roles: &'a [&'a str],
    scope: &'a str,
    tenant: &'a str,
}

impl App {
    fn issue(&self, user: &User) -> Result<String, Box<dyn Error>> {
        let iat = self.auth.now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok(self.key.sign(&AccessClaims {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: user.name,
            iat,
            exp: iat + LIFETIME.as_secs(),
            jti: random_id()?,
            roles: user.roles,
            scope: user.scope,
            tenant: user.tenant,
        })?)
    }
}

fn routes() -> Router<App> {
    let api = Router::new()
        .route("/me", get(me))
        .route("/admin", get(admin))
        .route("/reports", get(reports))
        .route("/org/{tenant}/invoices", get(invoices))
        .route("/notes/{id}", get(note))
        .require(rule!(not(roles = ["suspended"])));
    Router::new()
        .route("/", get(home))
        .route("/hello", get(hello))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .merge(api)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let listener = listen(port()?).await?;
    let origin = format!("http://{}", listener.local_addr()?);

    let key = SigningKey::generate(Algorithm::EdDSA)?;
    let auth = Auth::builder()
        .issuer(TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(key.verifying_key()))
        .default_sources(["bearer", "cookie"])
        .role_implies("admin", ["editor"])
        .insecure_cookies_for_development() // plain http, on this machine only
        .build()?;
    let app = App { auth: auth.clone(), key: Arc::new(key), users: Arc::new(Users::new()?), notes: NOTES };

    let routes = routes();
    println!("Who may call what:\n\n{}", routes.routes());
    print_lines_to_try(&origin, &app.issue(users::ALICE)?);
    axum::serve(listener, routes.with_state(app).finish(&auth)?)
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

/// The number behind `--port`; 3000 where there is none.
fn port() -> Result<u16, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(3000),
        ["--port", number] => {
            Ok(number.parse().map_err(|_| format!("`--port {number}`: a port is a number up to 65535"))?)
        }
        _ => Err("usage: quickstart [--port NUMBER]".into()),
    }
}

fn print_lines_to_try(origin: &str, token: &str) {
    let bearer = format!("-H 'Authorization: Bearer {token}'");
    println!("Try, with a token of alice's ({} minutes):\n", LIFETIME.as_secs() / 60);
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
        format!("curl -i -X POST {bearer} {origin}/logout"),
        format!("curl -i {bearer} {origin}/me"),
        format!(
            "curl -i -H 'Content-Type: application/json' -d '{{\"user\":\"alice\",\"password\":\"wonderland\"}}' {origin}/login"
        ),
    ] {
        println!("  {line}");
    }
    println!("\nCtrl-C ends it.");
}
