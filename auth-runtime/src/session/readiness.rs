//! A handler that reports to a load balancer whether this instance can decide.

use auth_macros::auth;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::catch_panic::catch_panic;
use crate::pipeline::RequestAuth;

/// Responds with 204 while requests are served, and with 503 while the view of revocations is too old, the store can't be
/// written, or the keys of an issuer were not fetched or are too old. The response contains nothing else, so everyone may call it.
///
/// The keys of an issuer with [`serve_503_until_reachable`](crate::verify::TrustedIssuer::serve_503_until_reachable) and those of a
/// transmitter of security events never count. [`Auth::key_sets`](crate::Auth::key_sets) reports their state.
///
/// It is not a liveness check: a restart does not make space on a disk.
///
/// ```
/// use auth_runtime::{Router, routing::get, session::readiness};
///
/// let routes: Router = Router::new().route("/ready", get(readiness));
/// ```
#[auth(public, crate = crate)]
pub async fn readiness(auth: RequestAuth) -> impl IntoResponse {
    let engine = auth.engine();
    let status = match catch_panic(|| engine.check_fresh(engine.now())) {
        Ok(Ok(())) if engine.revocations.state.is_writable() && engine.has_keys() => StatusCode::NO_CONTENT,
        Ok(_) => StatusCode::SERVICE_UNAVAILABLE,
        Err(panic) => {
            tracing::error!(%panic, "auth: the answer is 500, because the engine's clock panicked");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    (status, [(CACHE_CONTROL, "no-store")])
}
