use std::hint::black_box;
use std::sync::Arc;

use axum::Extension;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use bench_by_hand::{ByBearer, Verifier, guard};
use tokio::runtime::Runtime;

use super::decoding;
use crate::app::{App, Axum};
use crate::claims::Claims;
use crate::key::Key;
use crate::{AUDIENCE, ISSUER};

fn verifier(key: &Key) -> Arc<Verifier<Claims>> {
    let (decoding, validation) = decoding!(jsonwebtoken, key);
    Verifier::new(validation.algorithms[0], decoding, ISSUER, AUDIENCE)
}

pub(super) fn with_a_cache(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    async fn guarded(ByBearer(claims): ByBearer<Claims>) -> &'static str {
        black_box(&claims.sub);
        "ok"
    }
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).with_state(verifier(key))))
}

pub(super) fn from_fn(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    async fn guarded(Extension(claims): Extension<Claims>) -> &'static str {
        black_box(&claims.sub);
        "ok"
    }
    let layer = from_fn_with_state(verifier(key), guard::<Claims>);
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).layer(layer)))
}
