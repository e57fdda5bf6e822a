//! A handler that reports to a load balancer whether this instance can decide.

use auth_macros::auth;
use axum::Extension;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::pipeline::RequestAuth;

/// Responds with 204 while requests are served, and with 503 while the view of revocations is too old or the store can't be
/// written. The response contains nothing else, so everyone may call it.
///
/// It is not a liveness check: a restart does not make space on a disk.
///
/// ```
/// use auth_runtime::{Router, routing::get, session::readiness};
///
/// let routes: Router = Router::new().route("/ready", get(readiness));
/// ```
#[auth(public, crate = crate)]
pub async fn readiness(Extension(auth): Extension<RequestAuth>) -> impl IntoResponse {
    let engine = auth.engine();
    let ready = engine.revocations.state.is_ready(engine.now());
    let status = if ready { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")])
}
