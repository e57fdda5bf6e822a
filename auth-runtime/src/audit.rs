//! What happened at the gate, told to the application: one event a decision.

use axum::http::{Method, StatusCode};

use crate::principal::Principal;

/// One decision of the gate. It holds no token, cookie or key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuditEvent<'a> {
    /// Who, where that is known: also of a refused caller whose token was good.
    pub principal: Option<&'a Principal>,
    /// The method of the request.
    pub method: &'a Method,
    /// The route, with its parameters' names: `/articles/{id}`. Empty where no route is known.
    pub route: &'a str,
    /// The handler: `my_service::articles::publish`.
    pub handler: &'a str,
    /// What was decided.
    pub decision: AuditDecision,
    /// Why, in words; for a refusal more than the caller learns.
    pub reason: &'a str,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditDecision {
    /// The handler was called.
    Allowed,
    /// The request was refused.
    Refused {
        /// The status of the refusal.
        status: StatusCode,
        /// The error code of the challenge, where there is one.
        code: Option<&'static str>,
    },
}

/// The application's hook.
pub(crate) type AuditHook = dyn Fn(&AuditEvent<'_>) + Send + Sync;
