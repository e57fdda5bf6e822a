//! How rejections are rendered, and how decisions are reported.

use std::fmt;

use axum::http::request::Parts;

use crate::audit::{AuditEvent, AuditHook};
use crate::principal::Principal;
use crate::rejection::{Rejection, RenderHook};

/// How rejections are rendered, and how decisions are reported.
pub(crate) struct Responses {
    pub(super) realm: String,
    pub(super) render: Option<Box<RenderHook>>,
    pub(super) audit: Option<Box<AuditHook>>,
}

impl Responses {
    /// The rejection with its answer, which challenges with these schemes.
    pub(crate) fn render(&self, rejection: Rejection, schemes: &[&str], head: &Parts) -> Rejection {
        rejection.render(&self.realm, schemes, self.render.as_deref(), head)
    }

    /// Whether the application renders rejections itself.
    #[cfg(feature = "openapi")]
    pub(crate) fn are_rendered_by_hook(&self) -> bool {
        self.render.is_some()
    }

    /// One tracing event, and one call of the audit hook.
    pub(crate) fn report(&self, event: &AuditEvent<'_>) {
        let subject = event.principal.map(Principal::subject);
        let AuditEvent { method, route, handler, reason, .. } = *event;
        let method = method.as_str();
        match event.rejection {
            None => tracing::debug!(method, route, handler, subject, reason, "auth: allowed"),
            Some(kind) => {
                let (status, code) = (kind.status().as_u16(), kind.code());
                if kind.status().is_server_error() {
                    tracing::error!(method, route, handler, subject, status, code, reason, "auth: rejected");
                } else {
                    tracing::info!(method, route, handler, subject, status, code, reason, "auth: rejected");
                }
            }
        }
        if let Some(hook) = &self.audit {
            hook(event);
        }
    }
}

impl fmt::Debug for Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses").field("realm", &self.realm).finish_non_exhaustive()
    }
}
