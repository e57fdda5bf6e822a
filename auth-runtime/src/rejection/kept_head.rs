//! What is left of a request's head once its handler has taken it: what a rejection of the application's own is rendered with.

use axum::extract::OriginalUri;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::request::Parts;
use axum::http::{Method, Request, Uri, Version};

/// The headers that are kept, beside the method, the URI and the version: what decides about the form of an answer, and what
/// correlates it with other lines of a log. No credential is among them.
const KEPT: [HeaderName; 14] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::HOST,
    header::ORIGIN,
    header::UPGRADE,
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
    rest: Option<Box<Rest>>,
}

/// What the hook of `render_rejections` is given, and what the redirect to the login page is decided by.
#[derive(Debug)]
struct Rest {
    uri: Uri,
    /// That of the whole app, where the router is nested.
    original_uri: Option<OriginalUri>,
    version: Version,
    headers: HeaderMap,
}

impl KeptHead {
    /// Where answers don't depend on the head, only the method is kept: it costs nothing.
    pub(crate) fn of<B>(request: &Request<B>, is_read: bool) -> Self {
        let rest = is_read.then(|| {
            let mut headers = HeaderMap::new();
            for name in &KEPT {
                for value in request.headers().get_all(name) {
                    headers.append(name.clone(), value.clone());
                }
            }
            let original_uri: Option<OriginalUri> = request.extensions().get().cloned();
            // A router that is nested has taken the path that it is nested at from the other one.
            let uri = original_uri.as_ref().map_or(request.uri(), |uri| &uri.0).clone();
            Box::new(Rest { uri, original_uri, version: request.version(), headers })
        });
        Self { method: request.method().clone(), rest }
    }

    /// A head that has no more than what was kept.
    pub(crate) fn into_parts(self) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.method;
        if let Some(kept) = self.rest {
            let Rest { uri, original_uri, version, headers } = *kept;
            (head.uri, head.version, head.headers) = (uri, version, headers);
            original_uri.map(|uri| head.extensions.insert(uri));
        }
        head
    }
}
