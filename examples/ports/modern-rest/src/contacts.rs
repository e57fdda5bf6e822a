//! The contacts: the handlers with their rules.

use auth_runtime::rejection::Rejection;
use auth_runtime::session::BoxError;
use auth_runtime::{Principal, User, auth, check};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;

use crate::app::App;
use crate::database::{Contact, NewContact};
use crate::forms::{Body, ErrorModel, unavailable};
use crate::users::Account;

/// The contacts of the caller.
#[auth]
#[utoipa::path(get, path = "/api/contacts", tag = "Contacts", responses((status = 200, body = Vec<Contact>)))]
pub(crate) async fn list(User(account): User<Account>, State(app): State<App>) -> Result<Json<Vec<Contact>>> {
    Ok(Json(app.contacts.of(&account.id).await.map_err(unavailable)?))
}

/// A new contact of the caller's own.
#[auth]
#[utoipa::path(
    post,
    path = "/api/contacts",
    tag = "Contacts",
    request_body = NewContact,
    responses((status = 201, body = Contact), (status = 400, body = ErrorModel), (status = 415, body = ErrorModel)),
)]
pub(crate) async fn add(
    User(account): User<Account>,
    State(app): State<App>,
    Body(new): Body<NewContact>,
) -> Result<(StatusCode, Json<Contact>)> {
    Ok((StatusCode::CREATED, Json(app.contacts.add(&account.id, &new).await.map_err(unavailable)?)))
}

/// Removes a contact.
#[auth(check = owns)]
#[utoipa::path(
    delete,
    path = "/api/contacts/{id}",
    tag = "Contacts",
    params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = ErrorModel)),
)]
pub(crate) async fn remove(Path(id): Path<i64>, State(app): State<App>) -> Result<StatusCode> {
    app.contacts.remove(id).await.map_err(unavailable)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A contact of another user is answered as one that does not exist.
#[check]
async fn owns(_: &Principal, user: User<Account>, id: Path<i64>, app: State<App>) -> Result<bool, BoxError> {
    let owner = app.contacts.owner_of(*id).await?;
    if owner.as_ref() == Some(&user.id) { Ok(true) } else { Err(Rejection::hidden().into()) }
}
