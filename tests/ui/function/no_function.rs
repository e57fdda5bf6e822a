use auth_runtime::auth;

#[auth(roles = ["admin"])]
struct Admins;

#[auth]
mod admin {}

fn main() {}
