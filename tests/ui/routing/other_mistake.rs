//! An error that is not of this library is reported with the message of axum.
use auth_runtime::{Router, auth, routing::get};

struct NotAResponse;

#[auth]
async fn handler() -> NotAResponse {
    NotAResponse
}

fn main() {
    let _: Router = Router::new().route("/", get(handler));
}
