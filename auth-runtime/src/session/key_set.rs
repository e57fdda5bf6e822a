//! The key set that other services verify this service's tokens with.

use auth_macros::auth;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::TokenService;
use crate::pipeline::RequestAuth;
use crate::rejection::misconfigured;

/// A ready handler for `/.well-known/jwks.json`: the public keys of the engine's token issuer, as a JWKS document (RFC 7517
/// §5). A client may cache it for five minutes: publish the next key at least five minutes before it signs.
///
/// ```
/// use auth_runtime::{Router, routing::get, session::key_set};
///
/// let routes: Router = Router::new().route("/.well-known/jwks.json", get(key_set));
/// ```
#[auth(public, crate = crate)]
pub async fn key_set(auth: RequestAuth) -> Response {
    let Some(tokens) = TokenService::of(auth.engine().clone()) else {
        return misconfigured("`key_set` is mounted, and the engine has no token issuer: call `.token_issuer(TokenIssuer::new(..))` on its builder").into_response();
    };
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, tokens.key_set()).into_response()
}
