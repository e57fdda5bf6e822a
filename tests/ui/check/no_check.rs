use auth_runtime::{Principal, auth};

async fn owns(_: &Principal) -> bool {
    true
}

#[auth(check = owns)]
async fn handler() {}

fn main() {}
