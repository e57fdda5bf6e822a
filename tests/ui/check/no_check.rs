use auth_runtime::{Principal, Router, auth, routing::get};

async fn owns(_: &Principal) -> bool {
    true
}

mod elsewhere {
    pub async fn reads(_: &auth_runtime::Principal) -> bool {
        true
    }
}

#[auth(check = owns)]
async fn handler() {}

#[auth(check = elsewhere::reads)]
async fn by_path() {}

fn main() {
    let _: Router = Router::new().route("/1", get(handler)).route("/2", get(by_path));
}
