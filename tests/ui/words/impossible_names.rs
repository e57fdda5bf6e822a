//! Names that no token has, or that a reader takes for others.
use auth_runtime::{auth, policy::Rule, rule};

#[auth(roles = ["admin "])]
async fn space_at_the_end() {}

#[auth(scopes = ["a b"])]
async fn two_scopes_in_one() {}

#[auth(permissions = ["invoice\u{200b}.read"])]
async fn invisible() {}

#[auth(roles = ["аdmin", "editor"])]
async fn cyrillic_letter() {}

#[auth(roles = ["ａｄｍｉｎ"])]
async fn wide_letters() {}

#[auth(roles = ["re\u{301}dacteur"])]
async fn decomposed() {}

#[auth(acr = ["phr phrh"])]
async fn two_classes_in_one() {}

#[auth(source = "cookie ")]
async fn source() {}

#[auth(claims(exp = 1, "nbf" = 1, iat = 1, jti = "a", "tenant " = "a"))]
async fn claims() {}

#[auth(claims(sub = path("user"), iss = "https://id.example", aud = "shop"))]
async fn claims_that_can_be() {}

const WITHIN: Rule = rule!(any(roles = ["\tadmin"], not(claims(exp = 1))));

fn main() {}
