//! Names that `auth.toml` does not declare, wherever they are.

use auth_runtime::policy::Rule;
use auth_runtime::{auth, rule};

#[auth(roles = ["editor", "amdin"])]
async fn role() {}

#[auth(scopes = ["article:wirte"])]
async fn scope() {}

#[auth(permissions = ["invoices"], not(roles = ["somebody-else"]))]
async fn permission() {}

#[auth(source = ["bearer", "partnr"])]
async fn source() {}

#[auth(any(roles = ["viewer"], all(scopes = ["article:read"], not(permissions = ["invoice.raed"]))))]
async fn nested() {}

const STAFF: Rule = rule!(roles = ["staff"]);

fn main() {
    let _ = rule!(source = "cooky", any(roles = ["viewers"], scopes = ["article:read"]));
    let _ = STAFF;
}
