use auth_runtime::auth;

#[auth(max_age = 300)]
async fn a_number() {}

#[auth(max_age = "5")]
async fn no_unit() {}

#[auth(max_age = "5M")]
async fn months() {}

#[auth(max_age = "0s")]
async fn zero() {}

#[auth(max_age = "1h30m")]
async fn two_units() {}

fn main() {}
