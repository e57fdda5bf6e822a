use auth_runtime::{Router, auth};
use axum::routing::get;

#[auth]
async fn guarded() {}

fn main() {
    let _: Router = Router::new().route("/", get(guarded));
}
