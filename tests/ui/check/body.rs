//! A check sees the head of the request and the state; the body is the handler's.
use auth_runtime::{Principal, Router, auth, check, routing::get};

#[check]
async fn reads_the_body(_: &Principal, body: String) -> bool {
    body.is_empty()
}

#[auth(check = reads_the_body)]
async fn handler() {}

fn main() {
    let _: Router = Router::new().route("/", get(handler));
}
