//! Parts that change nothing: warnings, which are errors here so that they are seen.
#![deny(deprecated)]

use auth_runtime::{auth, rule};

#[auth(roles = ["editor", "admin"])]
async fn one_of_several_roles() {}

#[auth(any(all(roles = ["admin"], scopes = ["article:write"]), roles = ["editor"]))]
async fn a_branch() {}

#[auth(roles = ["editor"], any(scopes = ["article:read"], roles = ["viewer"]))]
async fn a_requirement() {}

#[auth(scopes = ["article:read", "article:write", "article:read"])]
async fn named_twice() {}

#[auth(roles = ["admin"], permissions = ["invoice.read"])]
async fn granted() {}

#[auth(any(scopes = ["article:read"], all(roles = ["auditor"], all(roles = ["admin"]))))]
async fn an_alternative_for_nobody() {}

#[auth(scopes = ["article:read"], any(not(roles = ["auditor"]), not(roles = ["admin"])))]
async fn a_requirement_of_everybody() {}

#[auth(claims(plan = ["pro", "free", "pro"]))]
async fn a_value_twice() {}

#[auth(max_age = "5m", any(max_age = "1h", roles = ["admin"]))]
async fn fresher_than_asked() {}

#[auth(any(roles = ["viewer"], all(not(roles = ["viewer"]), scopes = ["article:read"])))]
async fn what_the_rest_has_decided() {}

macro_rules! handler {
    ($name:ident, $role:literal) => {
        #[auth(roles = ["editor", $role])]
        async fn $name() {}
    };
}

handler!(by_a_macro, "admin");

#[auth(roles = ["editor", "admin"])]
#[allow(deprecated)]
async fn allowed() {}

fn main() {
    let _ = rule!(any(roles = ["viewer"], all(scopes = ["article:write"], roles = ["billing"]), all(roles = ["admin"])));
}
