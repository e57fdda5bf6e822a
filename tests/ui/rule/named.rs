use auth_runtime::{auth, policy::Rule, rule};

const OPEN: Rule = rule!(public);
const FROM_COOKIE: Rule = rule!(source = "cookie", roles = ["member"]);
const NO_RULE: u8 = 1;

#[auth(rule = OPEN)]
async fn alone_is_fine() {}

#[auth(rule = OPEN, roles = ["admin"])]
async fn public_with_more() {}

#[auth(any(rule = OPEN, roles = ["admin"]))]
async fn public_in_any() {}

#[auth(rule = FROM_COOKIE, source = "bearer")]
async fn two_sources() {}

#[auth(not(rule = FROM_COOKIE))]
async fn source_in_not() {}

#[auth(rule = NO_RULE)]
async fn no_rule() {}

fn main() {}
