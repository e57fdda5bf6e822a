//! What is written elsewhere, or by who guesses.
use auth_runtime::{auth, policy::Rule, rule};

#[auth(jwt)]
async fn jwt() {}

#[auth(authenticated)]
async fn authenticated() {}

#[auth(required)]
async fn required() {}

#[auth(required = true, roles = ["admin"])]
async fn required_with_more() {}

#[auth(role("admin"))]
async fn role_in_parentheses() {}

#[auth(role = ["admin"])]
async fn role_list() {}

#[auth(roles("admin", "editor"))]
async fn roles_in_parentheses() {}

#[auth("admin")]
async fn a_name_alone() {}

#[auth(any("admin", scopes = ["a"]))]
async fn a_name_alone_within_any() {}

#[auth(bearer)]
async fn a_source_alone() {}

#[auth(anonymous)]
async fn anonymous() {}

#[auth(Role::Admin)]
async fn a_variant() {}

#[auth(admin)]
async fn a_name_without_quotes() {}

#[auth(public = true)]
async fn public_with_value() {}

const MEMBERS: Rule = rule!(authenticated);

fn main() {}
