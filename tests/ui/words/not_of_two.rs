use auth_runtime::auth;

#[auth(not(roles = ["a"], scopes = ["b"]))]
async fn two() {}

#[auth(not(claims(a = 1, b = 2)))]
async fn two_claims() {}

#[auth(not = ["suspended"])]
async fn no_parentheses() {}

fn main() {}
