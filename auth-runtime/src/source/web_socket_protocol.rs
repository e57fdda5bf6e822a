//! `Sec-WebSocket-Protocol: chat, bearer.<token>`: the one header of a WebSocket that a page can set.

use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::request::Parts;

use super::upgrade::opens_web_socket;
use super::{Carrier, CredentialLocation, CredentialSource, Extracted, credential};

/// The source `ws_protocol`: a token among the subprotocols that a WebSocket offers, after `bearer.`. It is for browsers, whose
/// `WebSocket` sets no other header, and for the opening handshake of a WebSocket alone.
///
/// ```js
/// new WebSocket("wss://chat.example/socket", ["chat", "bearer." + token]);
/// ```
///
/// The page offers a subprotocol of the service too, and the service selects that one: a browser closes a socket for which none was
/// selected. With axum, `upgrade.protocols(["chat"])` selects from the names that it is given, so the token is never sent back. Do not
/// select what was offered without looking at it.
///
/// A subprotocol is a token of RFC 9110 §5.6.2, as every JWT is; other credentials are encoded as base64url without padding by the
/// client, and are judged as they were sent. Servers and proxies that log headers may not redact this one: see
/// [the limits](mod@crate::guide::limits).
///
/// ```
/// use auth_runtime::{Auth, Principal, auth, source::WebSocketProtocol};
/// use axum::extract::ws::WebSocketUpgrade;
/// use axum::response::Response;
///
/// #[auth(source = ["bearer", "ws_protocol"])]
/// async fn chat(user: Principal, upgrade: WebSocketUpgrade) -> Response {
///     upgrade.protocols(["chat"]).on_upgrade(async move |socket| drop((socket, user)))
/// }
///
/// let builder = Auth::builder().source(WebSocketProtocol::new());
/// # let _ = (builder, chat);
/// ```
#[derive(Clone, Debug)]
pub struct WebSocketProtocol {
    prefix: String,
}

impl WebSocketProtocol {
    /// Returns the source, with the prefix `bearer.`.
    #[must_use]
    pub fn new() -> Self {
        Self { prefix: "bearer.".into() }
    }

    /// Sets what is before the credential. Names are compared with case. An empty prefix is not used: every name would be a credential.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        if !prefix.is_empty() {
            self.prefix = prefix;
        }
        self
    }
}

impl Default for WebSocketProtocol {
    fn default() -> Self {
        Self::new()
    }
}

impl CredentialSource for WebSocketProtocol {
    fn name(&self) -> &'static str {
        "ws_protocol"
    }

    fn carrier(&self) -> Carrier {
        Carrier::Explicit
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Header { name: "Sec-WebSocket-Protocol", scheme: None })
    }

    /// Extracts the credential. The header is a list, and may be sent in several lines (RFC 6455 §11.3.4).
    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        if !opens_web_socket(head) {
            return Extracted::Absent;
        }
        let lines = head.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
        let found = names.filter_map(|name| name.trim_ascii().strip_prefix(self.prefix.as_bytes()));
        Extracted::only(found.map(credential))
    }

    fn challenge_scheme(&self) -> &str {
        "Bearer"
    }

    fn is_for_web_sockets(&self) -> bool {
        true
    }
}
