//! `rule!` reports what `#[auth]` does, and stays an expression of type `Rule`.
use auth_runtime::{Router, policy::Rule, rule};

const MEMBERS: Rule = rule!(roles = "member", sorce = "cookie");

fn main() {
    let _: Router = Router::new().require(rule!(scopes = [])).require(MEMBERS);
}
