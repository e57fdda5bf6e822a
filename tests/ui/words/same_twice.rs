use auth_runtime::auth;

#[auth(source = ["bearer", "cookie", "bearer"])]
async fn source() {}

#[auth(claims(plan = "a", tenant = "x", plan = "b"))]
async fn claim() {}

#[auth(claims(plan = "a", "plan" = "b"))]
async fn claim_in_quotes() {}

fn main() {}
