//! How rejections are rendered, and where decisions are reported.

use std::fmt;

#[cfg(feature = "token-routes")]
use axum::http::HeaderValue;
use axum::http::request::Parts;

use crate::audit::AuditLog;
use crate::catch_panic::catch_panic;
use crate::login_page::LoginPage;
use crate::rejection::{Challenged, Rejection, RejectionForm, RejectionKind, RenderHook};

/// How rejections are rendered, and where decisions are reported.
pub(crate) struct Responses {
    pub(super) realm: String,
    pub(super) render: Option<Box<RenderHook>>,
    /// What is known of the bodies of rejections.
    #[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "it is for the OpenAPI document"))]
    pub(crate) form: RejectionForm,
    pub(crate) login_page: Option<LoginPage>,
    pub(crate) audit_log: AuditLog,
}

impl Responses {
    /// The rejection with its answer, which challenges with what `challenged` returns. `is_in_url`: a credential is, so the URL goes
    /// nowhere else. `login_can_help`: whether one at the login page can make the request succeed. If the application's code panics, it
    /// is 500 with the standard answer.
    pub(crate) fn render<'c>(
        &self,
        rejection: Rejection,
        challenged: impl FnOnce() -> Challenged<'c>,
        is_in_url: impl FnOnce() -> bool,
        login_can_help: impl FnOnce() -> bool,
        head: &Parts,
    ) -> Rejection {
        let render = || {
            let login_page = self.login_page.as_ref().filter(|_| login_can_help());
            let login_page = login_page.map(|page| (page, is_in_url()));
            rejection.render(&self.realm, &challenged(), login_page, self.render.as_deref(), head)
        };
        catch_panic(render).unwrap_or_else(|panic| {
            tracing::error!(
                %panic,
                "auth: the answer is 500, because the hook of `render_rejections` or the `challenge_scheme` of a source panicked"
            );
            Rejection::new(RejectionKind::Misconfigured).render(
                &self.realm,
                &Challenged::default(),
                None,
                None,
                head,
            )
        })
    }

    /// The challenge of this scheme without an error code.
    #[cfg(feature = "token-routes")]
    pub(crate) fn challenge(&self, scheme: &str) -> Option<HeaderValue> {
        crate::rejection::challenge_of(scheme, &self.realm)
    }

    /// Whether what is answered depends on the head of the request.
    pub(crate) fn read_head(&self) -> bool {
        self.has_render_hook() || self.login_page.is_some()
    }

    /// Whether the application renders rejections itself.
    pub(crate) fn has_render_hook(&self) -> bool {
        self.render.is_some()
    }
}

impl fmt::Debug for Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses").field("realm", &self.realm).finish_non_exhaustive()
    }
}
