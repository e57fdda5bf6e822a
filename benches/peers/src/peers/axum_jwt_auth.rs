use std::hint::black_box;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::get;
use axum_jwt_auth::{Decoder, LocalDecoder};
use tokio::runtime::Runtime;

use super::decoding;
use crate::app::{App, Axum};
use crate::claims::Claims;
use crate::key::Key;

async fn guarded(caller: axum_jwt_auth::Claims<Claims>) -> Result<&'static str, StatusCode> {
    black_box(&caller.claims.sub);
    if caller.claims.is_admin() { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
}

pub(super) fn make(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    let (decoding, validation) = decoding!(jsonwebtoken_10, key);
    let decoder: Decoder<Claims> =
        Arc::new(LocalDecoder::new(vec![decoding], validation).expect("a decoder"));
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).with_state(decoder)))
}
