//! A small web app with a login form. It needs no script: tokens are in cookies, and requests renew them.
//!
//! Run it with `cargo run -p cookie-login`, open the page that it prints, and log in as alice (password wonderland), who is
//! an admin, or as bob (password builder). After a restart you are still logged in.
//!
//! `-- --port 8080` uses another port than 3000 (0: any free port), `-- --data DIR` another folder for sessions and keys
//! than `cookie-login-data` in the current one.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod keys;
mod pages;
#[cfg(test)]
mod tests;
mod users;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::session::TokenIssuer;
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, AuthBuilder, Principal, ReturnTo, Router, auth};
use axum::extract::Query;
use axum::http::HeaderValue;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::keys::Keys;
use crate::users::Users;

/// The start page of a user, and the login page of everyone else.
#[auth(optional)]
async fn home(user: Option<Principal>, return_to: ReturnTo, Query(failed): Query<Failed>) -> Html<String> {
    match user {
        Some(user) => pages::home(user.subject()),
        None => pages::log_in(failed.error.as_deref().map(message), &return_to),
    }
}

#[derive(Deserialize)]
struct Failed {
    error: Option<String>,
}

#[auth]
async fn account(user: Principal) -> Html<String> {
    pages::account(&user)
}

#[auth(roles = ["admin"])]
async fn admin(user: Principal) -> Html<String> {
    pages::admin(user.subject())
}

#[auth(public)]
async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

/// What the library says in the query of the login page when a login has failed.
fn message(error: &str) -> &'static str {
    match error {
        "invalid_grant" | "invalid_request" => "Wrong name or password.",
        "temporarily_unavailable" => "That is too much just now. Wait a minute, then try again.",
        _ => "That did not work just now. Please try again.",
    }
}

/// The answer to a rejected request that is not sent to the form: a page for a browser, and for other programs the standard answer.
fn rejected(rejection: &Rejection, head: &Parts) -> Response {
    let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_browser = accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"));
    if is_browser { pages::problem(rejection.status()) } else { rejection.problem() }
}

/// For every answer: only this service's own styles, no scripts, no frames, and no page from a cache after the logout.
async fn with_security_headers(mut response: Response) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn routes(auth: &Auth, users: Arc<Users>) -> Result<Router, Box<dyn Error>> {
    let log_in_and_out = TokenRoutes::cookies(auth.tokens()?, users);
    Ok(Router::new()
        .route("/", get(home))
        .route("/account", get(account))
        .route("/admin", get(admin))
        .route("/style.css", get(style))
        .nest("/auth", log_in_and_out.router()))
}

fn engine(issuer: TokenIssuer) -> AuthBuilder {
    Auth::builder()
        .token_issuer(issuer)
        .default_sources(["cookie"])
        .renew_transparently()
        .redirect_to_login("/") // and back to the page that was asked for
        .dangerously_use_insecure_cookies() // plain http, on this machine only
        .render_rejections(rejected)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Options { port, data } = options()?;
    let keys = Keys::in_folder(&data)?;
    let users = Arc::new(Users::new().await?);

    let issuer =
        TokenIssuer::new("https://cookie-login.example", "cookie-login", keys.signing, users.clone())
            .refresh_key(keys.refresh);
    let auth = engine(issuer).store(RedbStore::open(data.join("logins.redb"))?).build()?;
    auth.start().await?;

    let app = routes(&auth, users)?.finish(&auth)?.layer(map_response(with_security_headers));
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("port {port} cannot be used ({error}). Choose another one with `-- --port NUMBER`; 0 is any free port")
    })?;
    println!("Sessions and keys are in {}. Ctrl-C ends it.", data.display());
    println!("Open http://{}/ and log in as alice (wonderland) or bob (builder).", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

struct Options {
    port: u16,
    data: PathBuf,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options { port: 3000, data: "cookie-login-data".into() };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match (name.as_str(), arguments.next()) {
            ("--port", Some(number)) => {
                let port = number.parse();
                options.port =
                    port.map_err(|_| format!("`--port {number}`: a port is a number up to 65535"))?;
            }
            ("--data", Some(folder)) => options.data = folder.into(),
            _ => return Err("usage: cookie-login [--port NUMBER] [--data DIR]".into()),
        }
    }
    Ok(options)
}
