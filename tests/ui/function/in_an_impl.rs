use auth_runtime::{Principal, Router, auth, check, routing::get};

struct Users;

impl Users {
    #[auth(roles = ["admin"])]
    async fn list() {}

    #[check]
    async fn owns(_: &Principal) -> bool {
        true
    }

    #[check]
    async fn with_self(&self, _: &Principal) -> bool {
        true
    }
}

trait Pages {
    #[auth]
    async fn page();
}

mod indented {
    #[auth_runtime::auth]
    pub async fn free_functions_are_fine() {}
}

fn main() {
    let _: Router = Router::new().route("/", get(indented::free_functions_are_fine));
}
