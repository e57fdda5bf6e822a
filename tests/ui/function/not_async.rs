use auth_runtime::{Router, auth, routing::get};

#[auth]
fn handler() -> &'static str {
    "no"
}

fn main() {
    let _: Router = Router::new().route("/", get(handler));
}
