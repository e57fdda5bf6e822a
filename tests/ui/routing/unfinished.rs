//! The guarded router is no service before it was checked against an engine.
use auth_runtime::{Router, auth, routing::get};

#[auth]
async fn handler() {}

fn main() {
    let app: axum::Router = Router::new().route("/", get(handler));
}
