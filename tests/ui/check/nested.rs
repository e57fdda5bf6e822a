use auth_runtime::{auth, rule};

#[auth(any(roles = ["a"], check = owns))]
async fn in_any() {}

#[auth(not(check = owns))]
async fn in_not() {}

#[auth(check = "owns")]
async fn a_string() {}

const OWNERS: auth_runtime::policy::Rule = rule!(check = owns);

fn main() {}
