use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use authkestra_axum::Jwt;
use authkestra_resource::jwt::JwksCache;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::routing::get;
use jsonwebtoken::Validation;
use tokio::runtime::Runtime;

use super::{decoding, key_server};
use crate::app::{App, Axum};
use crate::claims::Claims;
use crate::key::{Algorithm, Key};

#[derive(Clone, FromRef)]
struct Service {
    keys: Arc<JwksCache>,
    validation: Validation,
}

async fn guarded(Jwt(claims): Jwt<Claims>) -> Result<&'static str, StatusCode> {
    black_box(&claims.sub);
    if claims.is_admin() { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
}

pub(super) fn make(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    if matches!(key.algorithm, Algorithm::Hs256 | Algorithm::Es256) {
        return Err("takes keys of a key set, of RSA and Ed25519 alone");
    }
    let (_, validation) = decoding!(jsonwebtoken, key);
    let keys = Arc::new(JwksCache::new(key_server::serve(key.jwks()), Duration::from_secs(3_600)));
    let service = Service { keys, validation };
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).with_state(service)))
}
