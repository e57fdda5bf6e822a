//! A check is a type, too, and so is a module: one of the two needs another name.
use auth_runtime::{Principal, auth, check};

mod owns {}

#[check]
async fn owns(_: &Principal) -> bool {
    true
}

#[auth(check = owns)]
async fn handler() {}

fn main() {}
