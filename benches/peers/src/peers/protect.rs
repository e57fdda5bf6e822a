//! It authorizes alone: its authors leave the verification to the application, which does it here by `jsonwebtoken`, without a cache.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;

use axum::Extension;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jsonwebtoken::{DecodingKey, Validation};
use protect_axum::GrantsLayer;
use tokio::runtime::Runtime;

use super::decoding;
use crate::app::{App, Axum};
use crate::claims::Claims;
use crate::key::Key;

#[derive(Clone)]
struct Subject(String);

#[protect_axum::protect("admin")]
async fn guarded(Extension(Subject(subject)): Extension<Subject>) -> &'static str {
    black_box(&subject);
    "ok"
}

async fn extract(request: &mut Request) -> Result<HashSet<String>, Response> {
    let refused = || StatusCode::UNAUTHORIZED.into_response();
    let verifier =
        request.extensions().get::<Arc<(DecodingKey, Validation)>>().cloned().ok_or_else(refused)?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(refused)?;
    let claims =
        jsonwebtoken::decode::<Claims>(token, &verifier.0, &verifier.1).map_err(|_| refused())?.claims;
    request.extensions_mut().insert(Subject(claims.sub.clone()));
    Ok(claims.into_roles().into_iter().collect())
}

pub(super) fn make(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    let verifier = Arc::new(decoding!(jsonwebtoken, key));
    let router = axum::Router::new().route("/", get(guarded)).layer(GrantsLayer::with_extractor(extract));
    Ok(Axum::of(router.layer(Extension(verifier))))
}
