//! What a handler learns of its caller: the account, the claims as a type, and a claim by its name.

use auth_runtime::{Claims, ClientAddress, Principal, User, auth, check};
use axum::Json;
use axum::extract::State;
use axum::response::Result;
use ports_support::DatabaseError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::database::Account;

/// The account of the caller, with its roles and permissions, and what its token or key is for.
#[auth(source = ["bearer", "api_key"])]
pub(crate) async fn me(caller: Principal, User(account): User<Account>) -> String {
    let names = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let (roles, permissions) = (names(caller.roles().collect()), names(caller.permissions().collect()));
    let (name, tenant, scopes) = (&account.name, &account.tenant, names(caller.scopes().collect()));
    format!("{name}, of the {tenant}. Roles: {roles}. Permissions: {permissions}. Scopes: {scopes}.\n")
}

/// What a token says of its caller.
#[derive(Deserialize, Serialize)]
pub(crate) struct Context {
    sub: String,
    email: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    scope: String,
}

/// The claims, as a type of ours.
#[auth]
pub(crate) async fn context(Claims(context): Claims<Context>) -> Json<Context> {
    Json(context)
}

/// The articles for the systems of the agency, at the addresses that their tokens name, with the desk that the token names.
#[auth(check = from_a_listed_address)]
pub(crate) async fn wire(caller: Principal, State(app): State<App>) -> Result<Json<Value>, DatabaseError> {
    let articles = app.database.published().await?;
    Ok(Json(json!({ "desk": caller.claim("desk"), "articles": articles })))
}

/// A token without a list is for no address.
#[check]
async fn from_a_listed_address(caller: &Principal, ClientAddress(address): ClientAddress) -> bool {
    let listed = caller.claim("allowed_ips").and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).any(|listed| listed.parse() == Ok(address))
}
