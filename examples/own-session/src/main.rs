//! A login page, and sessions of `tower-sessions` as the credential. Run it with `cargo run -p own-session`, open
//! <http://127.0.0.1:3000/account>, and log in as alice with the password wonderland.

#[cfg(test)]
mod tests;

use std::error::Error;

use auth_runtime::authenticator::{Authentication, Authenticator, BoxError, Subject};
use auth_runtime::routing::{get, post};
use auth_runtime::source::CredentialPlace;
use auth_runtime::{Auth, Principal, ReturnTo, Router, SameOrigin, auth};
use axum::Form;
use axum::http::{StatusCode, request::Parts};
use axum::response::{Html, IntoResponse, Redirect, Response};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

/// Finds the user of a session.
struct SessionUser;

impl Authenticator for SessionUser {
    async fn authenticate(&self, _: &str, head: &Parts) -> Result<Authentication, BoxError> {
        let session = head.extensions.get::<Session>().ok_or("the layer of tower-sessions is missing")?;
        // A session without a user is no credential: there was no login.
        let user = session.get::<String>("user").await?;
        Ok(user.map_or(Authentication::Absent, |user| Subject::new(user).into()))
    }
}

#[auth]
async fn account(user: Principal) -> Html<String> {
    Html(format!("<p>{}</p><form method=post action=/logout><button>Log out</button></form>", user.subject()))
}

#[auth(public)]
async fn login_page(return_to: ReturnTo) -> Html<String> {
    Html(format!(
        r#"<form method="post"><input name="name"><input name="password" type="password">
        <input name="return_to" type="hidden" value="{}"><button>Log in</button></form>"#,
        return_to.to_html()
    ))
}

#[derive(serde::Deserialize)]
struct Login {
    name: String,
    password: String,
    #[serde(default)]
    return_to: ReturnTo,
}

#[auth(public)]
async fn log_in(_: SameOrigin, session: Session, Form(login): Form<Login>) -> Result<Response, StatusCode> {
    // A service compares hashes: `auth_runtime::session::PasswordHasher`.
    if (&*login.name, &*login.password) != ("alice", "wonderland") {
        return Ok((StatusCode::FORBIDDEN, "Wrong name or password.").into_response());
    }
    // A session that somebody else may know must not become the user's.
    session.cycle_id().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    session.insert("user", login.name).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(login.return_to.into_response())
}

#[auth]
async fn log_out(session: Session) -> Result<Redirect, StatusCode> {
    session.flush().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Redirect::to("/login"))
}

fn app() -> Result<axum::Router, Box<dyn Error>> {
    let auth = Auth::builder()
        .authenticator("session", CredentialPlace::cookie("sid"), SessionUser)
        .redirect_to_login("/login")
        .build()?;
    let routes = Router::new()
        .route("/account", get(account))
        .route("/login", get(login_page).post(log_in))
        .route("/logout", post(log_out));
    // Plain http, on this machine only: behind TLS leave `with_secure` out.
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_name("sid").with_secure(false);
    Ok(routes.finish(&auth)?.layer(sessions))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app()?).await?)
}
