use auth_runtime::{Router, auth, routing::get};

#[auth(roles = ["admin"])]
#[auth(scopes = ["read"])]
async fn twice() {}

#[auth]
#[auth_runtime::auth(public)]
async fn by_path() {}

fn main() {
    let _: Router = Router::new().route("/1", get(twice)).route("/2", get(by_path));
}
