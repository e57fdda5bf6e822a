//! `?access_token=<token>` (RFC 6750 §2.3).

use std::borrow::Cow;

use axum::http::HeaderName;
use axum::http::request::Parts;

use super::upgrade::opens_web_socket;
use super::{Carrier, CredentialLocation, CredentialSource, Extracted, credential};
use crate::method::is_safe;

/// The source `query`: a token in a parameter of the URL's query.
///
/// URLs appear in logs, in the history of browsers and in `Referer`. The source is off until
/// [`AuthBuilder::dangerously_allow_query_tokens`](crate::AuthBuilder::dangerously_allow_query_tokens) is called. Its token
/// is rejected for methods that change state, and responses to it carry `Cache-Control: no-store`.
///
/// It takes a token for the opening handshake of a WebSocket alone, since a page can set no header there, and for more only if it is
/// configured so. Elsewhere a token in the URL is an invalid credential: 401.
///
/// | | WebSocket | navigation, link, image, media, download | `fetch`, `EventSource` |
/// |---|---|---|---|
/// | [`new`](Self::new) | yes | no | no |
/// | [`for_downloads`](Self::for_downloads) | yes | yes | no |
/// | [`for_every_read`](Self::for_every_read) | yes | yes | yes |
///
/// ```
/// use auth_runtime::{Auth, source::Query};
///
/// // `wss://panel.example/socket?authorization=..`
/// let builder = Auth::builder().dangerously_allow_query_tokens(Query::new().parameter("authorization"));
/// # let _ = builder;
/// ```
#[derive(Clone, Debug)]
pub struct Query {
    parameter: Cow<'static, str>,
    requests: Requests,
}

/// The requests that it takes a token of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Requests {
    WebSockets,
    Downloads,
    Reads,
}

impl Query {
    /// Returns the source for WebSockets, with the parameter `access_token`.
    #[must_use]
    pub fn new() -> Self {
        Self { parameter: Cow::Borrowed("access_token"), requests: Requests::WebSockets }
    }

    /// Sets the name of the parameter.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.parameter = name.into();
        self
    }

    /// Also takes tokens of `GET` and `HEAD` requests that a browser sends for a link, an image, a video or a download, where no header can
    /// be set. A browser says in `Sec-Fetch-Mode` that it is one (`navigate` or `no-cors`); a request without this header counts too, for
    /// programs that download what they are given as a URL.
    #[must_use]
    pub fn for_downloads(mut self) -> Self {
        self.requests = Requests::Downloads;
        self
    }

    /// Also takes tokens of every other `GET`, `HEAD`, `OPTIONS` and `TRACE` request: for an `EventSource` of a browser, which can set no
    /// header. A `fetch` can: it needs no token in the URL.
    #[must_use]
    pub fn for_every_read(mut self) -> Self {
        self.requests = Requests::Reads;
        self
    }

    /// Whether a token in the URL of this request can be one. Of a method that changes state the pipeline rejects it.
    fn takes(&self, head: &Parts) -> bool {
        match self.requests {
            _ if opens_web_socket(head) || !is_safe(&head.method) => true,
            Requests::WebSockets => false,
            Requests::Downloads => is_download(head),
            Requests::Reads => true,
        }
    }
}

impl Default for Query {
    fn default() -> Self {
        Self::new()
    }
}

impl CredentialSource for Query {
    fn name(&self) -> &'static str {
        "query"
    }

    fn carrier(&self) -> Carrier {
        Carrier::Explicit
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Query { name: &self.parameter })
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        match find(&self.parameter, head) {
            Extracted::Present(_) if !self.takes(head) => Extracted::Unusable(
                "the credential is in the URL of a request that is neither a WebSocket nor what the source `query` is configured to take",
            ),
            found => found,
        }
    }

    fn is_in_url(&self) -> bool {
        true
    }

    fn is_for_web_sockets(&self) -> bool {
        self.requests == Requests::WebSockets
    }
}

/// The value of the query parameter of this name.
pub(super) fn find<'r>(name: &str, head: &'r Parts) -> Extracted<'r> {
    let query = head.uri.query().unwrap_or_default();
    let values = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found == name);
    Extracted::only(values.map(|(_, value)| match value {
        Cow::Borrowed(text) => credential(text.as_bytes()),
        Cow::Owned(text) => credential(text.as_bytes()).into_owned(),
    }))
}

/// Whether a browser sends it for a link, an image, media or a download, or it is not from a browser (Fetch Metadata §2.2).
fn is_download(head: &Parts) -> bool {
    const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
    let mut modes = head.headers.get_all(SEC_FETCH_MODE).iter().map(|mode| mode.as_bytes());
    modes.all(|mode| mode == b"navigate" || mode == b"no-cors")
}
