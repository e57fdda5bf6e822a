//! A user who renamed the dependency, whose module has no prelude, and who shadows what an expansion might use.
#![no_implicit_prelude]
#![allow(dead_code, reason = "what is shadowed is there to be in the way")]

use ::gatekeeper::routing::get;
use ::gatekeeper::{Principal, Router, auth, authenticator, check, rule};

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
#[allow(non_camel_case_types, reason = "it shadows a type of the language")]
type str = ();

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

/// Knows the caller that its state names.
#[authenticator(crate = ::gatekeeper)]
pub async fn partner(
    credential: &::core::primitive::str,
    ::axum::extract::State(name): ::axum::extract::State<&'static ::core::primitive::str>,
    #[cfg(any())] _: NoSuchType,
) -> ::std::result::Result<::std::option::Option<::gatekeeper::authenticator::Subject>, ::axum::BoxError> {
    ::std::result::Result::Ok(if credential == name {
        ::std::option::Option::Some(::gatekeeper::authenticator::Subject::new(credential))
    } else {
        ::std::option::Option::None
    })
}

#[auth(crate = ::gatekeeper, public)]
async fn open() {}

/// Two routes, guarded through the renamed crate.
pub fn routes() -> Router {
    Router::new().route("/guarded", get(guarded)).route("/open", get(open))
}
