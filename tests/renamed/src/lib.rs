//! A user who renamed the dependency, whose module has no prelude, and who shadows what an expansion might use.
#![no_implicit_prelude]
#![allow(dead_code, reason = "what is shadowed is there to be in the way")]

use ::gatekeeper::routing::get;
use ::gatekeeper::{Principal, Router, auth, check, rule};

mod core {}
mod std {}
mod auth_runtime {}
struct Option;
struct Some;
struct Result;
struct Ok;
struct Err;
struct NamesCheck;
struct FunctionWithoutCheck;
struct Send;
struct Sync;
struct String;

const STAFF: ::gatekeeper::policy::Rule = rule!(crate = ::gatekeeper, roles = ["staff"]);

#[auth(crate = ::gatekeeper, rule = STAFF, check = not_eve)]
async fn guarded(user: Principal) -> ::std::string::String {
    ::std::borrow::ToOwned::to_owned(user.subject())
}

#[check(crate = ::gatekeeper)]
async fn not_eve(
    user: &Principal,
    method: ::axum::http::Method,
    #[cfg(any())] _: NoSuchType,
) -> ::std::result::Result<bool, ::std::string::String> {
    ::std::result::Result::Ok(user.subject() != "eve" && method == ::axum::http::Method::GET)
}

#[auth(crate = ::gatekeeper, public)]
async fn open() {}

/// Two routes, guarded through the renamed crate.
pub fn routes() -> Router {
    Router::new().route("/guarded", get(guarded)).route("/open", get(open))
}
