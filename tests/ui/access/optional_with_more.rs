use auth_runtime::{Claims, Principal, auth};

#[auth(optional, roles = ["admin"])]
async fn roles() {}

#[auth(optional, source = "cookie")]
async fn source_is_fine(_: Option<Principal>) {}

#[auth(optional)]
async fn principal(_: Principal) {}

#[auth(optional)]
async fn claims(_: Claims<u8>) {}

fn main() {}
