//! The way out of a tenant.

use auth_runtime::Principal;
use auth_runtime::rejection::Rejection;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// A caller with the role `operator`: for the queries across tenants. It asks for the role itself, so that a handler without the rule
/// gets none, either.
#[derive(Debug)]
pub struct Operator(());

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let caller = Principal::from_request_parts(head, state).await?;
        if caller.has_role("operator") {
            Ok(Self(()))
        } else {
            Err(Rejection::forbidden("the caller is no operator"))
        }
    }
}
