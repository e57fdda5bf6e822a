use auth_runtime::{Principal, Router, auth, check, routing::get};

#[check]
async fn owns(_: &Principal) -> bool {
    true
}

mod elsewhere {
    #[auth_runtime::check]
    pub async fn reads(_: &auth_runtime::Principal) -> bool {
        true
    }
}

#[auth(check = onws)]
async fn handler() {}

#[auth(check = elsewhere::raeds)]
async fn by_path() {}

fn main() {
    let _: Router = Router::new().route("/1", get(handler)).route("/2", get(by_path));
}
