//! Tokens that no longer count, although they have not expired.

use auth_runtime::revocation::Revocation;
use auth_runtime::{Principal, User, auth};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Result;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::{App, ISSUER};
use crate::forms::{Body, ErrorModel, unavailable};
use crate::users::Account;

/// Who the caller is. The token of a user of the old domain is blocklisted by it, so it counts once.
#[auth]
#[utoipa::path(get, path = "/api/me", tag = "Account", responses((status = 200, body = Account)))]
pub(crate) async fn me(
    caller: Principal,
    User(account): User<Account>,
    State(app): State<App>,
) -> Result<Json<Account>> {
    if account.email.ends_with("@old.example") {
        app.auth.revocations().revoke_token(&caller).await.map_err(unavailable)?;
    }
    Ok(Json(Account::clone(&account)))
}

/// A token, by its id.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Blocked {
    jti: String,
}

/// Blocklists a token: 201, or 200 if it was already.
#[auth(roles = ["staff"])]
#[utoipa::path(
    post,
    path = "/api/staff/blocklist",
    tag = "Staff",
    request_body = Blocked,
    responses((status = 200), (status = 201), (status = 400, body = ErrorModel), (status = 415, body = ErrorModel)),
)]
pub(crate) async fn block(
    State(app): State<App>,
    Body(Blocked { jti }): Body<Blocked>,
) -> Result<StatusCode> {
    let token = Revocation::Token { issuer: ISSUER.to_owned(), token_id: jti };
    let is_new = app.auth.revocations().revoke(token).await.map_err(unavailable)?;
    Ok(if is_new { StatusCode::CREATED } else { StatusCode::OK })
}
