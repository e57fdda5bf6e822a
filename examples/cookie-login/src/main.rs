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
use auth_runtime::session::routes::{TokenAnswers, TokenFailure, TokenRequest, TokenRoute, TokenRoutes};
use auth_runtime::session::{IssuedTokens, TokenIssuer};
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth};
use axum::extract::RawQuery;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Redirect, Response};
use tokio::net::TcpListener;

use crate::keys::Keys;
use crate::users::Users;

#[auth(optional)]
async fn home(user: Option<Principal>, RawQuery(query): RawQuery) -> Html<String> {
    match user {
        Some(user) => pages::home(user.subject()),
        None => pages::log_in(query.as_deref().and_then(message)),
    }
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

/// `/auth/login` and `/auth/logout` answer with a redirect to the start page. The library adds the cookies.
struct ToThePage;

impl TokenAnswers for ToThePage {
    fn tokens(&self, _: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
        Redirect::to("/").into_response()
    }

    fn failed(&self, failure: TokenFailure, asked: &TokenRequest<'_>) -> Response {
        match failure {
            TokenFailure::CrossOrigin => pages::problem(failure.status()),
            TokenFailure::InvalidRequest | TokenFailure::InvalidGrant => {
                let is_log_in = asked.route == TokenRoute::Login;
                Redirect::to(if is_log_in { "/?failed" } else { "/" }).into_response()
            }
            TokenFailure::TooManyAttempts(_) => Redirect::to("/?failed=attempts").into_response(),
            _ => Redirect::to("/?failed=trouble").into_response(),
        }
    }

    fn logged_out(&self, _: &TokenRequest<'_>) -> Response {
        Redirect::to("/").into_response()
    }
}

fn message(query: &str) -> Option<&'static str> {
    match query {
        "failed" => Some("Wrong name or password."),
        "failed=attempts" => Some("Too many attempts. Wait a minute, then try again."),
        "failed=trouble" => Some("That did not work just now. Please try again."),
        _ => None,
    }
}

/// The answer to a rejected request: a browser without a valid login is sent to the form, other programs get the standard answer.
fn rejected(rejection: &Rejection, head: &Parts) -> Response {
    let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_browser = accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"));
    match rejection.status() {
        _ if !is_browser => rejection.problem(),
        // An invalid cookie: the answer deletes it. A redirect would lead to this page again.
        StatusCode::UNAUTHORIZED if head.uri.path() == "/" => {
            (StatusCode::UNAUTHORIZED, pages::log_in(None)).into_response()
        }
        StatusCode::UNAUTHORIZED => Redirect::to("/").into_response(),
        status => pages::problem(status),
    }
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
    let log_in_and_out = TokenRoutes::cookies(auth.tokens()?, users).answers(ToThePage);
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
