//! API keys, which users make for their programs. A program with a key is its owner, for what the key may be used for.

use std::num::NonZeroU8;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::api_key::{ApiKey, ApiKeyOptions, ApiKeyService};
use auth_runtime::rejection::Rejection;
use auth_runtime::session::BoxError;
use auth_runtime::{Auth, Checked, ClientAddress, Principal, User, auth, check};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::database::Account;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many keys an account may have at a time.
const MOST_KEYS: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    label: String,
    scopes: Vec<String>,
    days: NonZeroU8,
}

/// The text of a key, which is shown once.
#[derive(Serialize)]
pub(crate) struct ShownOnce {
    id: String,
    key: String,
}

#[derive(Serialize)]
pub(crate) struct Shown {
    id: String,
    label: Option<String>,
    scopes: Vec<String>,
    is_valid: bool,
    /// In seconds since 1970, as in a token.
    last_used_at: Option<u64>,
}

/// Makes a key, which may be used for no more than the token that asks for it: it has the scopes that are asked for, the permissions of its
/// owner, as long as the owner has them, and no role.
#[auth(source = "bearer")]
pub(crate) async fn create(
    caller: Principal,
    client: ClientAddress,
    User(owner): User<Account>,
    State(app): State<App>,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<ShownOnce>)> {
    let (keys, owner) = (keys(&app.auth, &caller, client)?, owner.id.to_string());
    check_new(&keys, &caller, &owner, &new.scopes, app.auth.now()).await?;
    let options = ApiKeyOptions::new().label(new.label).scopes(new.scopes).permissions(caller.permissions());
    let options = options.expires_in(DAY * new.days.get().into());
    let key = keys.create(&owner, options).await.map_err(Rejection::from)?;
    Ok((StatusCode::CREATED, Json(ShownOnce { id: key.id().to_owned(), key: key.text().to_owned() })))
}

/// What the library leaves to the application, for each new key, also for one that replaces another: it is for no more than the token that asks
/// for it, and an account has a limited number of keys.
async fn check_new(
    keys: &ApiKeyService<'_>,
    caller: &Principal,
    owner: &str,
    scopes: &[String],
    now: SystemTime,
) -> Result<()> {
    if !scopes.iter().all(|scope| caller.has_scope(scope)) {
        return Err(Rejection::forbidden("the key would have a scope that the token lacks").into());
    }
    let list = keys.list(owner).await.map_err(Rejection::from)?;
    if list.next.is_some() || list.keys.iter().filter(|key| key.is_valid_at(now)).count() >= MOST_KEYS {
        return Err(StatusCode::CONFLICT.into());
    }
    Ok(())
}

/// The keys of the caller, without their texts.
#[auth(source = "bearer")]
pub(crate) async fn list(
    caller: Principal,
    client: ClientAddress,
    User(owner): User<Account>,
    State(app): State<App>,
) -> Result<Json<Vec<Shown>>> {
    let list =
        keys(&app.auth, &caller, client)?.list(&owner.id.to_string()).await.map_err(Rejection::from)?;
    let now = app.auth.now();
    let shown = list.keys.into_iter().map(|key| Shown {
        is_valid: key.is_valid_at(now),
        id: key.id,
        label: key.label,
        scopes: key.scopes,
        last_used_at: key.last_used_at.and_then(seconds),
    });
    Ok(Json(shown.collect()))
}

fn seconds(time: SystemTime) -> Option<u64> {
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// Replaces a key. The old one is valid for another hour, so that the program can be changed, and counts as a key until then.
#[auth(source = "bearer", check = owns)]
pub(crate) async fn rotate(
    caller: Principal,
    client: ClientAddress,
    State(app): State<App>,
    Checked(key): Checked<ApiKey>,
) -> Result<Json<ShownOnce>> {
    const OVERLAP: Duration = Duration::from_secs(60 * 60);
    let keys = keys(&app.auth, &caller, client)?;
    check_new(&keys, &caller, &key.owner, &key.scopes, app.auth.now()).await?;
    let key = keys.rotate(&key.id, OVERLAP).await.map_err(Rejection::from)?;
    Ok(Json(ShownOnce { id: key.id().to_owned(), key: key.text().to_owned() }))
}

/// Revokes a key.
#[auth(source = "bearer", check = owns)]
pub(crate) async fn revoke(
    caller: Principal,
    client: ClientAddress,
    State(app): State<App>,
    Checked(key): Checked<ApiKey>,
) -> Result<StatusCode> {
    keys(&app.auth, &caller, client)?.revoke(&key.id).await.map_err(Rejection::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key of somebody else is answered as one that does not exist.
#[check]
async fn owns(
    _: &Principal,
    User(caller): User<Account>,
    Path(id): Path<String>,
    State(app): State<App>,
) -> Result<Checked<ApiKey>, BoxError> {
    let key = app.auth.api_keys()?.find(&id).await?;
    Ok(Checked(key.filter(|key| key.owner == caller.id.to_string()).ok_or_else(Rejection::hidden)?))
}

/// The service, for what this caller asks for from this address: both are in the audit events.
fn keys<'a>(
    auth: &'a Auth,
    caller: &Principal,
    client: ClientAddress,
) -> Result<ApiKeyService<'a>, Rejection> {
    Ok(auth.api_keys()?.for_caller(caller).for_client(client.0))
}
