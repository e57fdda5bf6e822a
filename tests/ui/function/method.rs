use auth_runtime::auth;

struct Users;

impl Users {
    #[auth(roles = ["admin"])]
    async fn list(&self) {}
}

fn main() {}
