//! The tenant of a request.

use auth_runtime::Principal;
use auth_runtime::rejection::Rejection;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// The tenant that the caller belongs to, as the token says that the gate has verified. Nothing else makes one: no path, no header
/// and no body, and no other module, since the field is private and there is no constructor.
///
/// Where the tenant is in the row of a user, and not in the token, take it from there: `User::<Account>::from_request_parts(head, state)`
/// in place of the principal. With several trusted issuers a tenant is an issuer and a name.
#[derive(Debug)]
pub struct Tenant {
    id: String,
}

impl Tenant {
    /// For the queries.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let caller = Principal::from_request_parts(head, state).await?;
        match caller.claim("tenant").and_then(|tenant| tenant.as_str()) {
            Some(id) if !id.is_empty() => Ok(Self { id: id.to_owned() }),
            _ => Err(Rejection::forbidden("the token names no tenant")),
        }
    }
}
