//! Rules that no caller can satisfy.
#![deny(deprecated)]

use auth_runtime::policy::Rule;
use auth_runtime::{auth, rule};

#[auth(roles = ["admin"], not(roles = ["editor"]))]
async fn implied() {}

#[auth(scopes = ["article:read"], not(any(roles = ["viewer"], scopes = ["article:write"])), all(roles = ["admin"]))]
async fn among_others() {}

#[auth(all(roles = ["auditor"]), all(roles = ["admin"]))]
async fn excluded() {}

#[auth(roles = ["billing"], not(permissions = ["invoice.read"]))]
async fn granted() {}

#[auth(acr = ["mfa"], all(acr = ["password"]))]
async fn two_classes() {}

#[auth(max_age = "5m", not(max_age = "1h"))]
async fn fresh_and_old() {}

#[auth(claims(plan = "pro"), not(claims(plan = ["free", "pro"])))]
async fn claim() {}

#[auth(any(all(roles = ["admin"], not(roles = ["viewer"])), all(scopes = ["article:read"], not(scopes = ["article:read"]))))]
async fn no_alternative() {}

const STAFF: Rule = rule!(roles = ["viewer"]);

#[auth(rule = STAFF, not(rule = STAFF))]
async fn named() {}

fn main() {
    let _ = rule!(roles = ["auditor"], all(roles = ["admin"]));
}
