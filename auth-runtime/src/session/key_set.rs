//! The key set that others verify this service's tokens with.

use auth_macros::auth;
use axum::Extension;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::TokenService;
use crate::pipeline::RequestAuth;
use crate::rejection::misconfigured;

/// A ready handler for `/.well-known/jwks.json`: the public keys of the engine's token issuer, as a JWKS document (RFC 7517
/// §5). Whoever reads it may keep it for five minutes: publish the next key that long before it signs.
///
/// ```
/// use auth_runtime::{Router, routing::get, session::key_set};
///
/// let routes: Router = Router::new().route("/.well-known/jwks.json", get(key_set));
/// ```
#[auth(public, crate = crate)]
pub async fn key_set(Extension(auth): Extension<RequestAuth>) -> Response {
    let Some(tokens) = TokenService::of(auth.engine().clone()) else {
        return misconfigured("the key set is asked for, and the engine has no token issuer").into_response();
    };
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, tokens.key_set()).into_response()
}
