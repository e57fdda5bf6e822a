//! The paper that a caller works for.

use auth_runtime::rejection::Rejection;
use auth_runtime::users::TakesUser;
use auth_runtime::{Principal, User};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Account;

/// The tenant of the caller: that of its account, which its token must name too. Nothing else makes one: the field is private, and there is no
/// constructor. So a query that takes a tenant is never made for one that a request names.
#[derive(Debug)]
pub(crate) struct Tenant {
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
        let account = User::<Account>::from_request_parts(head, state).await?;
        let named = caller.claim("tenant_id").and_then(|id| id.as_str());
        if named == Some(&account.tenant) {
            Ok(Self { id: account.tenant.clone() })
        } else {
            Err(Rejection::forbidden("the token names no tenant, or another one than that of the account"))
        }
    }
}

/// So that a missing `UserStore` is an error of `finish`.
impl TakesUser for Tenant {
    type User = Account;
}
