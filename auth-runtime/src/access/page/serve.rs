//! The page as a route of the router that it describes.

use std::panic::Location;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{SCRIPT, STYLE};
use crate::policy::HandlerInfo;
use crate::policy::Rule;
use crate::rejection::misconfigured;
use crate::router::{Router, beside};

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Serves the [access table](crate::access) of the finished router as a page, guarded by this rule: the page shows who may
    /// call what. `HEAD` and `GET` only.
    ///
    /// # Panics
    /// If the path overlaps with another route, or is malformed.
    #[track_caller]
    pub fn access_page(self, path: &str, rule: Rule) -> Self {
        let at = Location::caller();
        let handler = HandlerInfo::new("auth_runtime::access_page", at.file(), at.line());
        let page = Arc::new(OnceLock::new());
        let served = Arc::clone(&page);
        let serve = axum::routing::get(async move || response(served.get().map(String::as_str)));
        self.route(path, beside(serve, vec!["GET"], rule, handler)).on_finish(move |routes, auth| {
            let _ = page.set(routes.table(auth).to_html());
        })
    }
}

/// The page, which is there once the router is finished.
fn response(page: Option<&str>) -> Response {
    let Some(html) = page else {
        return misconfigured("the page of the access table is served by a router that was not finished: call `.finish(&auth)` on the router that has `access_page`")
            .into_response();
    };
    let source = |text: &str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        source(STYLE),
        source(SCRIPT)
    );
    let headers = [
        (CONTENT_SECURITY_POLICY, policy.as_str()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(html.to_owned())).into_response()
}
