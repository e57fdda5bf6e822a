use auth_runtime::{Principal, auth};

#[auth(public, roles = ["admin"])]
async fn roles() {}

#[auth(source = "cookie", public)]
async fn source() {}

#[auth(public, optional)]
async fn optional() {}

#[auth(public, any(roles = ["a"]), max_age = "5m")]
async fn several() {}

#[auth(public)]
async fn principal(_: Principal) {}

#[auth(public)]
async fn optional_principal(_: Option<Principal>) {}

fn main() {}
