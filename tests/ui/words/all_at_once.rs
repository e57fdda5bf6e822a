//! Every error of one attribute at once, and the handler still exists for the router.
use auth_runtime::{Router, auth, routing::get};

#[auth(
    rolls = ["admin"],
    scopes = "read",
    any(),
    max_age = "soon",
    claims(a = 1, a = 2),
    source = ["cookie", "cookie"],
)]
async fn broken(_: &'static str) -> NoSuchType {
    this_body_is_not_looked_at()
}

fn main() {
    let _: Router = Router::new().route("/", get(broken));
}
