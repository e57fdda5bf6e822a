//! The pages, for people with a browser: a login form, and a session in cookies.

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{get, post};
use auth_runtime::session::SessionData;
use auth_runtime::session::routes::{LoginError, TokenEndpoints, TokenFailure, TokenRoute};
use auth_runtime::{Principal, ReturnTo, Router, auth};
use axum::extract::{Form, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response, Result};
use serde::Deserialize;

use crate::app::{ADMIN, App};
use crate::notes;
use crate::pages::{self, Page};
use crate::users::{SignUpError, Users};
use crate::visit::{Theme, Visit};

#[derive(Deserialize)]
struct Failed {
    error: Option<String>,
}

#[auth(public)]
async fn home() -> Redirect {
    Redirect::to("/dashboard")
}

#[auth(public)]
async fn login_page(return_to: Option<ReturnTo>, Query(failed): Query<Failed>) -> Page {
    pages::log_in(failed.error.as_deref(), return_to.as_ref().map_or("/dashboard", ReturnTo::as_str))
}

#[auth(public)]
async fn signup_page(Query(failed): Query<Failed>) -> Page {
    pages::sign_up(failed.error.as_deref())
}

#[derive(Deserialize)]
struct NewAccount {
    username: String,
    password: String,
}

/// Makes an account, and logs its owner in. It has the limits of a login, since each attempt hashes a password.
#[auth(public)]
async fn sign_up(
    State(app): State<App>,
    head: Parts,
    Form(new): Form<NewAccount>,
) -> Result<Response, LoginError> {
    let attempt = app.logins.attempt(&head, &new.username).await?;
    match app.users.sign_up(&new.username, new.password).await {
        Ok(subject) => {
            attempt.succeed();
            Ok(app.logins.log_in_as(&head, subject).await)
        }
        Err(SignUpError::Taken) => Ok(Redirect::to("/signup?error=taken").into_response()),
        Err(SignUpError::Invalid) => Ok(Redirect::to("/signup?error=invalid").into_response()),
        Err(SignUpError::Unavailable(error)) => {
            tracing::error!(%error, "an account cannot be made");
            Err(app.logins.fail_with(&head, TokenFailure::Unavailable))
        }
    }
}

/// The notes of the user. Those that this session has not shown yet are marked.
#[auth]
async fn dashboard(user: Principal, session: SessionData, State(app): State<App>) -> Result<Page> {
    let notes = notes::all(&app.users.database, user.subject()).await?;
    let newest = notes.last().map_or(0, |note| note.id);
    let before = session.update(|visit: &mut Option<Visit>| {
        let visit = visit.get_or_insert_default();
        let before = *visit;
        visit.seen = visit.seen.max(newest);
        before
    });
    Ok(pages::dashboard(&user, before.await.map_err(Rejection::from)?, &notes))
}

#[derive(Deserialize)]
struct Chosen {
    theme: Theme,
}

#[auth]
async fn choose_theme(session: SessionData, Form(chosen): Form<Chosen>) -> Result<Redirect, Rejection> {
    session.update(|visit: &mut Option<Visit>| visit.get_or_insert_default().theme = chosen.theme).await?;
    Ok(Redirect::to("/dashboard"))
}

#[auth(rule = ADMIN)]
async fn accounts(State(app): State<App>) -> Result<Page> {
    Ok(pages::accounts(&app.users.all().await?))
}

#[auth(public)]
async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

pub(crate) fn routes(logins: &TokenEndpoints<Users>) -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/login", get(login_page))
        .route("/signup", get(signup_page).post(sign_up))
        .route("/auth/login", logins.route(TokenRoute::Login))
        .route("/auth/logout", logins.route(TokenRoute::Logout))
        .route("/dashboard", get(dashboard))
        .route("/dashboard/theme", post(choose_theme))
        .route("/admin/users", get(accounts))
        .route("/style.css", get(style))
}
