//! What expansions call. Not part of the public API: it changes without notice.

#[cfg(feature = "openapi")]
pub use auth_macros::documented;
pub use axum::extract::FromRequestParts;
pub use axum::http::request::Parts;
pub use axum::response::Response;
pub use std::string::String;

pub use crate::gate::{Authorized, Check, CheckOutcome, HandlerInfo, NamedCheck, NoCheck, Policy};
pub use crate::policy::{NamedRule, Rule};
pub use crate::principal::Principal;
pub use crate::vocabulary::{
    DeclaredPermission, DeclaredRole, DeclaredScope, DeclaredSource, DeclaredSourceKind, Name, NameKind,
    Vocabulary,
};

/// The body of a handler whose attribute has a mistake. Its gate refuses everyone, and it does not compile anyway.
pub fn never_reached() -> Response {
    axum::response::IntoResponse::into_response(crate::rejection::misconfigured(
        "a handler whose `#[auth]` has a mistake was called",
    ))
}

/// For this repository's benches: the verifier alone.
pub fn verifier(auth: &crate::Auth) -> &dyn crate::verify::Verifier {
    auth.engine().verifier()
}
