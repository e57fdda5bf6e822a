//! Users make API keys for their programs, and see, replace and revoke them.
//!
//! Run it with `cargo run -p api-keys`. Log in as `alice` with the password `wonderland`, and use the token of the answer:
//!
//! ```sh
//! curl localhost:3000/auth/login -H 'content-type: application/json' -d '{"username": "alice", "password": "wonderland"}'
//! curl localhost:3000/keys -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"label": "export"}'
//! curl localhost:3000/orders -H "x-api-key: $KEY"
//! ```

mod users;

use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_runtime::api_key::{ApiKey, ApiKeyOptions, ApiKeyService, ApiKeys};
use auth_runtime::openapi::{DocumentError, OpenApi};
use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{delete, get, post};
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::session::{BoxError, RefreshKey, SigningKey, TokenIssuer, random_secret};
use auth_runtime::store::RedbStore;
use auth_runtime::verify::Algorithm;
use auth_runtime::{Auth, Checked, ClientAddress, Principal, Router, auth, check, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;
use serde::{Deserialize, Serialize};

use crate::users::Users;

/// How many keys a user may have at a time.
const MOST_KEYS: usize = 10;

/// The orders, for a user with a token or a program with a key.
#[auth(source = ["bearer", "api_key"], scopes = ["orders:read"])]
async fn orders(caller: Principal) -> String {
    format!("The orders of {}, who came by {}.\n", caller.subject(), caller.scheme())
}

/// A new order: a key that may only read is rejected.
#[auth(source = ["bearer", "api_key"], scopes = ["orders:write"])]
async fn order(caller: Principal) -> (StatusCode, String) {
    (StatusCode::CREATED, format!("An order of {}.\n", caller.subject()))
}

/// For a program that checks its configuration: whose key it has, and which.
#[auth(source = "api_key")]
async fn program(caller: Principal) -> String {
    format!("A program of {}, with the key {}.\n", caller.subject(), caller.token_id().unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    label: String,
    #[serde(default)]
    may_write: bool,
}

#[derive(Serialize)]
struct ShownOnce {
    id: String,
    key: String,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    label: Option<String>,
    scopes: Vec<String>,
    is_valid: bool,
}

/// Makes a key. Only a user can: a key makes no further ones. Its text is in the answer, and nowhere else.
#[auth(source = "bearer")]
async fn create(
    user: Principal,
    client: ClientAddress,
    State(auth): State<Auth>,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<ShownOnce>)> {
    let scopes: &[&str] = if new.may_write { &["orders:read", "orders:write"] } else { &["orders:read"] };
    let keys = keys(&auth, &user, client)?;
    check_new(&keys, &user, scopes, auth.now()).await?;
    let options = ApiKeyOptions::new().label(new.label).scopes(scopes.iter().copied());
    let key = keys.create(user.subject(), options).await.map_err(Rejection::from)?;
    let shown = ShownOnce { id: key.id().to_owned(), key: key.text().to_owned() };
    Ok((StatusCode::CREATED, Json(shown)))
}

/// What the library leaves to the application, for each new key, also for one that replaces another: it is for no more than the token that asks
/// for it, and a user has a limited number of keys.
async fn check_new(
    keys: &ApiKeyService<'_>,
    user: &Principal,
    scopes: &[impl AsRef<str>],
    now: SystemTime,
) -> Result<()> {
    if !scopes.iter().all(|scope| user.has_scope(scope.as_ref())) {
        return Err(Rejection::forbidden("the key would have a scope that the token lacks").into());
    }
    let list = keys.list(user.subject()).await.map_err(Rejection::from)?;
    if list.next.is_some() || list.keys.iter().filter(|key| key.is_valid_at(now)).count() >= MOST_KEYS {
        return Err(StatusCode::CONFLICT.into());
    }
    Ok(())
}

/// The user's keys, without their texts.
#[auth(source = "bearer")]
async fn list(
    user: Principal,
    client: ClientAddress,
    State(auth): State<Auth>,
) -> Result<Json<Vec<Shown>>, Rejection> {
    let list = keys(&auth, &user, client)?.list(user.subject()).await?;
    let now = auth.now();
    let shown = list.keys.into_iter().map(|key| Shown {
        is_valid: key.is_valid_at(now),
        id: key.id,
        label: key.label,
        scopes: key.scopes,
    });
    Ok(Json(shown.collect()))
}

/// Replaces a key. The old one is valid for another hour, so that the program can be changed, and counts as a key until then.
#[auth(source = "bearer", check = owns)]
async fn rotate(
    user: Principal,
    client: ClientAddress,
    State(auth): State<Auth>,
    Checked(key): Checked<ApiKey>,
) -> Result<Json<ShownOnce>> {
    const OVERLAP: Duration = Duration::from_secs(60 * 60);
    let keys = keys(&auth, &user, client)?;
    check_new(&keys, &user, &key.scopes, auth.now()).await?;
    let key = keys.rotate(&key.id, OVERLAP).await.map_err(Rejection::from)?;
    Ok(Json(ShownOnce { id: key.id().to_owned(), key: key.text().to_owned() }))
}

/// Revokes a key, on every instance.
#[auth(source = "bearer", check = owns)]
async fn revoke(
    user: Principal,
    client: ClientAddress,
    State(auth): State<Auth>,
    Checked(key): Checked<ApiKey>,
) -> Result<StatusCode, Rejection> {
    keys(&auth, &user, client)?.revoke(&key.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hands the key over to the handler. A key of somebody else is answered as one that does not exist.
#[check]
async fn owns(
    user: &Principal,
    Path(id): Path<String>,
    State(auth): State<Auth>,
) -> Result<Checked<ApiKey>, BoxError> {
    let key = auth.api_keys()?.find(&id).await?;
    Ok(Checked(key.filter(|key| key.owner == user.subject()).ok_or_else(Rejection::hidden)?))
}

/// The service, for what this user asks for from this address: both are in the audit events.
fn keys<'a>(auth: &'a Auth, user: &Principal, client: ClientAddress) -> Result<ApiKeyService<'a>, Rejection> {
    Ok(auth.api_keys()?.for_caller(user).for_client(client.0))
}

/// The engine: sessions, revocations and keys are in one file.
async fn engine(file: &FilePath) -> Result<(Auth, Arc<Users>), BoxError> {
    let users = Arc::new(Users::new().await?);
    let store = RedbStore::open(file)?;
    // In a real service both keys are secrets that outlive the process.
    let key = SigningKey::generate(Algorithm::EdDSA)?;
    let issuer = TokenIssuer::new("https://orders.example", "orders", key, Arc::clone(&users))
        .refresh_key(RefreshKey::new("1", random_secret()?));
    let auth = Auth::builder()
        .token_issuer(issuer)
        .api_keys(ApiKeys::in_header("X-API-Key").prefix("orders_live").store(store.clone()))
        .store(store)
        .build()?;
    auth.start().await?;
    Ok((auth, users))
}

fn routes(auth: &Auth, users: Arc<Users>) -> Result<Router<Auth>, BoxError> {
    Ok(Router::new()
        .route("/orders", get(orders).post(order))
        .route("/program", get(program))
        .route("/keys", get(list).post(create))
        .route("/keys/{id}", delete(revoke))
        .route("/keys/{id}/rotate", post(rotate))
        .nest("/auth", TokenRoutes::json(auth.tokens()?, users).router()))
}

fn app(auth: &Auth, users: Arc<Users>) -> Result<axum::Router, BoxError> {
    let routes = routes(auth, users)?;
    let document = describe(&routes, auth)?;
    let routes = routes.route("/openapi.json", (axum::routing::get(|| async { document }), rule!(public)));
    Ok(routes.with_state(auth.clone()).finish(auth)?)
}

fn describe(routes: &Router<Auth>, auth: &Auth) -> Result<String, DocumentError> {
    Ok(OpenApi::new("Orders", "0.1.0").describe(&routes.routes(), auth)?.to_json())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (auth, users) = engine(FilePath::new("api-keys.redb")).await?;
    let app = app(&auth, users)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    // Keys were used since the last write.
    auth.api_keys()?.record_last_uses().await;
    Ok(())
}

#[cfg(test)]
mod tests;
