//! Whether a request opens a WebSocket.

use axum::http::header::UPGRADE;
use axum::http::request::Parts;
use axum::http::{Method, Version};

/// Whether it is the opening handshake of a WebSocket: `GET` with `Upgrade: websocket` (RFC 6455 §4.1), or `CONNECT` with HTTP/2
/// (RFC 8441 §4). Which protocol such a `CONNECT` asks for is for the handler to see, as axum's `WebSocketUpgrade` does: no page can send
/// one for anything else.
pub(crate) fn opens_web_socket(head: &Parts) -> bool {
    let names_it = |value: &[u8]| {
        value.split(|byte| *byte == b',').any(|name| name.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    };
    match head.method {
        Method::GET => head.headers.get_all(UPGRADE).iter().any(|value| names_it(value.as_bytes())),
        Method::CONNECT => head.version >= Version::HTTP_2,
        _ => false,
    }
}
