//! What is left of a request's head once its handler has taken it: what a rejection of the application's own is rendered with.

use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::request::Parts;
use axum::http::{Method, Request, Uri, Version};

/// The headers that are kept, beside the method, the URI and the version: what decides about the form of an answer, and what
/// correlates it with other lines of a log. No credential is among them.
const KEPT: [HeaderName; 13] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::HOST,
    header::ORIGIN,
    HeaderName::from_static("hx-request"),
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-fetch-user"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-requested-with"),
];

/// What is kept of the head of a request.
#[derive(Debug)]
pub(crate) struct KeptHead {
    method: Method,
    for_hook: Option<Box<ForHook>>,
}

/// What the hook of `render_rejections` is given.
#[derive(Debug)]
struct ForHook {
    uri: Uri,
    version: Version,
    headers: HeaderMap,
}

impl KeptHead {
    /// Without a hook, only the method is kept: it costs nothing.
    pub(crate) fn of<B>(request: &Request<B>, has_hook: bool) -> Self {
        let for_hook = has_hook.then(|| {
            let mut headers = HeaderMap::new();
            for name in &KEPT {
                for value in request.headers().get_all(name) {
                    headers.append(name.clone(), value.clone());
                }
            }
            Box::new(ForHook { uri: request.uri().clone(), version: request.version(), headers })
        });
        Self { method: request.method().clone(), for_hook }
    }

    /// A head that has no more than what was kept.
    pub(crate) fn into_parts(self) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.method;
        if let Some(kept) = self.for_hook {
            let ForHook { uri, version, headers } = *kept;
            (head.uri, head.version, head.headers) = (uri, version, headers);
        }
        head
    }
}
