//! What the expansions of the macros call. It is not part of the public API, and changes without notice.

#[cfg(feature = "openapi")]
pub use auth_macros::documented;
pub use axum::extract::FromRequestParts;
pub use axum::http::request::Parts;
pub use axum::response::Response;
pub use std::string::String;
pub use std::vec::Vec;

pub use crate::authenticator::attribute::{
    AuthenticatorAnswer, AuthenticatorFunction, WithState, answer, not_compiled, not_extracted,
};
pub use crate::gate::{Argument, Authorized, BeforeTheCaller};
pub use crate::pipeline::{
    Check, CheckOutcome, DeclaredCheck, FunctionWithoutCheck, Gives, NamedCheck, NamesCheck, NoCheck,
};
pub use crate::policy::{HandlerInfo, KnownArgument, NamedRule, Policy, Rule};
pub use crate::principal::Principal;
pub use crate::vocabulary::{
    DeclaredPermission, DeclaredRole, DeclaredScope, DeclaredSource, DeclaredSourceKind, Name, NameKind,
    ParseNameError, Vocabulary, deserialize_name, parse_name,
};
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is known of these arguments.
#[must_use]
pub fn known_arguments(found: &[Option<KnownArgument>]) -> Vec<KnownArgument> {
    found.iter().copied().flatten().collect()
}

/// Compiles if `T` can be an argument of an authenticator. `A` is the kind of the argument.
pub fn before_the_caller<T, A: BeforeTheCaller<T>>(_: A) {}

/// Compiles if the check gives its handler a `T`.
pub const fn takes_checked<C: Gives<T>, T>() {}

/// The body of a handler whose attribute has an error. Its gate rejects every request, and it does not compile anyway.
pub fn never_reached() -> Response {
    axum::response::IntoResponse::into_response(crate::rejection::misconfigured(
        "a handler whose `#[auth]` has an error was called",
    ))
}
