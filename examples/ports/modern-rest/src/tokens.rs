//! What a handler learns of a token, and a token that is for one purpose alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::session::Subject;
use auth_runtime::{Claims, Principal, User, auth};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Result;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::app::App;
use crate::claims::{Extras, Kind, Language};
use crate::database::Contact;
use crate::forms::{not_issued, unavailable};
use crate::users::Account;

/// A greeting in the language that the token names.
#[auth]
#[utoipa::path(get, path = "/api/hello", tag = "Account", responses((status = 200, body = String)))]
pub(crate) async fn hello(Claims(extras): Claims<Extras>) -> &'static str {
    let is_german = |language: Language| language.is("de");
    if extras.language.is_some_and(is_german) { "Hallo!\n" } else { "Hello!\n" }
}

/// A token, as the service knows it: its registered claims, which authenticator accepted it, and all other claims.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    sub: String,
    iss: Option<String>,
    aud: Option<Value>,
    exp: Option<u64>,
    iat: Option<u64>,
    jti: Option<String>,
    scheme: String,
    #[schema(value_type = Object)]
    extras: Map<String, Value>,
}

impl From<Principal> for Token {
    fn from(caller: Principal) -> Self {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().map(|time| time.as_secs());
        let mut extras: Map<String, Value> = caller.claims().unwrap_or_default();
        extras.retain(|name, _| !["sub", "iss", "aud", "exp", "iat", "jti"].contains(&name.as_str()));
        Self {
            sub: caller.subject().to_owned(),
            iss: caller.issuer().map(str::to_owned),
            aud: caller.claim("aud").cloned(),
            exp: caller.expires_at().and_then(seconds),
            iat: caller.issued_at().and_then(seconds),
            jti: caller.token_id().map(str::to_owned),
            scheme: caller.scheme().to_owned(),
            extras,
        }
    }
}

/// The token of the request: `null` without one.
#[auth(optional)]
#[utoipa::path(get, path = "/api/token", tag = "Account", responses((status = 200, body = Option<Token>)))]
pub(crate) async fn token(caller: Option<Principal>) -> Json<Option<Token>> {
    Json(caller.map(Token::from))
}

/// A token for a download, and its id.
#[derive(Serialize, ToSchema)]
pub(crate) struct Export {
    jti: String,
    token: String,
}

/// A token that is for downloads of the contacts within a minute, and for nothing else.
#[auth]
#[utoipa::path(post, path = "/api/exports", tag = "Contacts", responses((status = 201, body = Export)))]
pub(crate) async fn begin_export(
    User(account): User<Account>,
    State(app): State<App>,
) -> Result<(StatusCode, Json<Export>)> {
    let number = app.contacts.begin_export(&account.id).await.map_err(unavailable)?;
    let jti = format!("export-{number}");
    let reader = Subject::new(&account.id).claims(Extras::of(Kind::Export));
    let token = app.tokens.access_token(&reader).lifetime(Duration::from_mins(1)).token_id(&jti);
    let token = token.issue().map_err(not_issued)?;
    Ok((StatusCode::CREATED, Json(Export { jti, token })))
}

/// A token for the service that copies contacts to phones.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sync {
    token: String,
}

/// A token for the service that copies contacts to phones, for five minutes. That service asks `POST /api/auth/verify` about it; here it is
/// no credential.
#[auth]
#[utoipa::path(post, path = "/api/sync", tag = "Contacts", responses((status = 201, body = Sync)))]
pub(crate) async fn begin_sync(
    User(account): User<Account>,
    State(app): State<App>,
) -> Result<(StatusCode, Json<Sync>)> {
    let phone = Subject::new(&account.id).claims(Extras::of(Kind::Sync));
    let token = app.tokens.access_token(&phone).lifetime(Duration::from_mins(5));
    let token = token.audience("sync").header("region", "eu-1");
    Ok((StatusCode::CREATED, Json(Sync { token: token.issue().map_err(not_issued)? })))
}

/// The contacts, for a program that has a token of `POST /api/exports`: `X-Auth: JWT <token>`.
#[auth(source = "export", claims(kind = "export"))]
#[utoipa::path(get, path = "/api/exports/contacts", tag = "Contacts", responses((status = 200, body = Vec<Contact>)))]
pub(crate) async fn export(caller: Principal, State(app): State<App>) -> Result<Json<Vec<Contact>>> {
    Ok(Json(app.contacts.of(caller.subject()).await.map_err(unavailable)?))
}
