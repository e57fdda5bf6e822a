//! A handler that tells a load balancer whether this instance can decide.

use auth_macros::auth;
use axum::Extension;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::pipeline::RequestAuth;

/// A ready handler: 204 while requests are served, 503 while the view of revocations is too old to serve them. It says
/// nothing else, so everyone may ask.
///
/// ```
/// use auth_runtime::{Router, routing::get, session::readiness};
///
/// let routes: Router = Router::new().route("/ready", get(readiness));
/// ```
#[auth(public, crate = crate)]
pub async fn readiness(Extension(auth): Extension<RequestAuth>) -> impl IntoResponse {
    let engine = auth.engine();
    let ready = engine.revocations.state.check_fresh(engine.now()).is_ok();
    let status = if ready { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")])
}
