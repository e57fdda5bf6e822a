use auth_runtime::{Router, auth, routing::get};

#[auth(role = ["admin"])]
async fn near() {}

#[auth(any(scopes = ["a"], permission = ["b"]))]
async fn near_and_nested() {}

#[auth(frobnicate)]
async fn far() {}

#[auth(any(source = "cookie"))]
async fn known_but_not_here() {}

#[auth("admin")]
async fn no_word() {}

fn main() {
    let _: Router = Router::new()
        .route("/1", get(near))
        .route("/2", get(near_and_nested))
        .route("/3", get(far))
        .route("/4", get(known_but_not_here))
        .route("/5", get(no_word));
}
