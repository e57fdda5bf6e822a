//! A file that is no TOML.

#[auth_runtime::auth(roles = ["admin"])]
async fn handler() {}

fn main() {}
