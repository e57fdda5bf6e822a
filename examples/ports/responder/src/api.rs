//! The API, for callers with a token or a key. No cookie counts here.

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::session::routes::{TokenEndpoints, TokenRoute};
use auth_runtime::{Principal, Router, auth, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;
use ports_support::DatabaseError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{ADMIN, App, STAFF};
use crate::notes::{self, Note};
use crate::users::{Account, Users};

/// Who the caller is: a user with a token, or a program with a key.
#[auth]
async fn me(caller: Principal) -> Json<Value> {
    Json(json!({ "user_id": caller.subject() }))
}

/// For programs alone.
#[auth(source = "api_key")]
async fn protected(program: Principal) -> Json<Value> {
    Json(json!({ "program": program.subject() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewNote {
    text: String,
}

#[auth(source = "bearer")]
async fn list_notes(user: Principal, State(app): State<App>) -> Result<Json<Vec<Note>>, DatabaseError> {
    Ok(Json(notes::all(&app.users.database, user.subject()).await?))
}

#[auth(source = "bearer")]
async fn add_note(
    user: Principal,
    State(app): State<App>,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<Note>), DatabaseError> {
    Ok((StatusCode::CREATED, Json(notes::add(&app.users.database, user.subject(), &new.text).await?)))
}

/// A note. One of another user is answered as one that does not exist.
#[auth(source = "bearer")]
async fn read_note(user: Principal, Path(id): Path<i64>, State(app): State<App>) -> Result<Json<Note>> {
    let note = notes::find(&app.users.database, user.subject(), id).await?;
    Ok(Json(note.ok_or_else(Rejection::hidden)?))
}

#[auth]
async fn list_accounts(State(app): State<App>) -> Result<Json<Vec<Account>>, DatabaseError> {
    Ok(Json(app.users.all().await?))
}

/// How much there is.
#[auth(rule = STAFF)]
async fn figures(State(app): State<App>) -> Result<Json<Value>, DatabaseError> {
    let [accounts, notes] = app.users.figures().await?;
    Ok(Json(json!({ "accounts": accounts, "notes": notes })))
}

/// The login and the logout are public. All other routes take a token or a key, and nothing else.
pub(crate) fn routes(logins: &TokenEndpoints<Users>) -> Router<App> {
    let admin = Router::new().route("/users", get(list_accounts)).require(ADMIN);
    let guarded = Router::new()
        .route("/me", get(me))
        .route("/protected", get(protected))
        .route("/notes", get(list_notes).post(add_note))
        .route("/notes/{id}", get(read_note))
        .route("/figures", get(figures))
        .nest("/admin", admin)
        .require(rule!(source = ["bearer", "api_key"]));
    Router::new()
        .route("/login", logins.route(TokenRoute::Login))
        .route("/logout", logins.route(TokenRoute::Logout))
        .merge(guarded)
}
