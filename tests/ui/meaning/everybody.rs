//! Rules that have requirements, and that every caller satisfies.

use auth_runtime::{Principal, auth, check, rule};

#[auth(any(roles = ["viewer"], not(roles = ["admin"])))]
async fn implied() {}

#[auth(any(not(roles = ["auditor"]), not(roles = ["admin"])))]
async fn excluded() {}

#[auth(any(claims(plan = "pro"), not(claims(plan = "pro"))))]
async fn claim() {}

#[check]
async fn owns(_: &Principal) -> bool {
    true
}

#[auth(any(roles = ["viewer"], not(roles = ["admin"])), check = owns)]
async fn beside_a_check() {}

fn main() {
    let _ = rule!(any(max_age = "1h", not(max_age = "5m")));
}
