//! A mistake that is not ours keeps the words that axum has for it.
use auth_runtime::{Router, auth, routing::get};

struct NotAResponse;

#[auth]
async fn handler() -> NotAResponse {
    NotAResponse
}

fn main() {
    let _: Router = Router::new().route("/", get(handler));
}
