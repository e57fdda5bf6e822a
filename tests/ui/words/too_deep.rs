//! More parentheses than anybody reads.

use auth_runtime::auth;

#[auth(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(any(roles = ["x"], all(roles = ["admin"])))))))))))))))))))))))))))))))))))]
async fn handler() {}

fn main() {}
