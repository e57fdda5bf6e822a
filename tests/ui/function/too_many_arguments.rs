use auth_runtime::{Principal as P, Router, auth, routing::get};

#[auth]
async fn sixteen(_: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, _: P, body: String) {}

fn main() {
    let _: Router = Router::new().route("/", get(sixteen));
}
