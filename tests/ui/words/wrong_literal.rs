use auth_runtime::auth;

#[auth(roles = "admin")]
async fn a_string_for_a_list() {}

#[auth(scopes = [1, "b", true])]
async fn numbers_in_a_list() {}

#[auth(source = 5)]
async fn a_number_for_a_source() {}

#[auth(roles)]
async fn nothing() {}

#[auth(roles("admin"))]
async fn parentheses() {}

#[auth(claims(age = 1.5, name = 'c', id = 99999999999999999999, nested = [[1]]))]
async fn claims() {}

#[auth(claims(tenant = path(tenant), other = path("{id}")))]
async fn path() {}

#[auth(rule = "MEMBERS")]
async fn a_string_for_a_rule() {}

fn main() {}
