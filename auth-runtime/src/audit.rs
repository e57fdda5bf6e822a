//! Audit events: one for each decision on a request. [`AuthBuilder::audit`](crate::AuthBuilder::audit) sets the hook.

use axum::http::Method;

use crate::principal::Principal;
use crate::rejection::RejectionKind;

/// One decision on a request. It contains no token, cookie or key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuditEvent<'a> {
    /// Who the caller is, where that is known: also of a rejected caller whose token was valid.
    pub principal: Option<&'a Principal>,
    /// The method of the request.
    pub method: &'a Method,
    /// The route, with its parameters' names: `/articles/{id}`. Empty where no route is known.
    pub route: &'a str,
    /// The handler: `my_service::articles::publish`.
    pub handler: &'a str,
    /// How the request was rejected; `None` if the handler was called.
    pub rejection: Option<RejectionKind>,
    /// The reason, as a text for logs. A rejected caller never receives it.
    pub reason: &'a str,
}

/// The application's hook.
pub(crate) type AuditHook = dyn Fn(&AuditEvent<'_>) + Send + Sync;
