//! How rejections are rendered, and how decisions are reported.

use std::fmt;

#[cfg(feature = "token-routes")]
use axum::http::HeaderValue;
use axum::http::request::Parts;

use crate::audit::{AuditEvent, AuditHook};
use crate::catch_panic::{Panic, catch_panic};
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind, RenderHook};

/// How rejections are rendered, and how decisions are reported.
pub(crate) struct Responses {
    pub(super) realm: String,
    pub(super) render: Option<Box<RenderHook>>,
    pub(super) audit: Option<Box<AuditHook>>,
}

impl Responses {
    /// The rejection with its answer, which challenges with these schemes. If the application's code panics, it is 500 with the
    /// standard answer.
    pub(crate) fn render<'s>(
        &self,
        rejection: Rejection,
        schemes: impl FnOnce() -> Vec<&'s str>,
        head: &Parts,
    ) -> Rejection {
        let render = || rejection.render(&self.realm, &schemes(), self.render.as_deref(), head);
        catch_panic(render).unwrap_or_else(|panic| {
            tracing::error!(
                %panic,
                "auth: the answer is 500, because the hook of `render_rejections` or the `challenge_scheme` of a source panicked"
            );
            Rejection::new(RejectionKind::Misconfigured).render(&self.realm, &[], None, head)
        })
    }

    /// The challenge of this scheme without an error code.
    #[cfg(feature = "token-routes")]
    pub(crate) fn challenge(&self, scheme: &str) -> Option<HeaderValue> {
        crate::rejection::challenge_of(scheme, &self.realm)
    }

    /// Whether the application renders rejections itself.
    #[cfg(feature = "openapi")]
    pub(crate) fn are_rendered_by_hook(&self) -> bool {
        self.render.is_some()
    }

    /// One tracing event, and one call of the audit hook.
    ///
    /// # Errors
    /// If the hook panics.
    pub(crate) fn report(&self, event: &AuditEvent<'_>) -> Result<(), Panic> {
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
        let Some(hook) = &self.audit else { return Ok(()) };
        catch_panic(|| hook(event)).inspect_err(|panic| {
            tracing::error!(method, route, handler, subject, %panic, "auth: the answer is 500, because the audit hook panicked");
        })
    }
}

impl fmt::Debug for Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses").field("realm", &self.realm).finish_non_exhaustive()
    }
}
