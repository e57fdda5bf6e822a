//! An `auth.toml` with every error that there is: each is reported once, at the first macro.

use auth_runtime::{auth, rule};

#[auth(roles = ["admin"])]
async fn first() {}

#[auth(roles = ["nobody knows"])]
async fn second() {}

mod vocabulary {
    auth_runtime::vocabulary!();
}

fn main() {
    let _ = rule!(roles = ["admin"]);
}
