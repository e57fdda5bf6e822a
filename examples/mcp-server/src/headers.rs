//! The headers that repeat what is in a message, so that proxies can route it without reading it: `Mcp-Method` and `Mcp-Name`.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// Checks that each of these headers, if it is there, appears once and says what the message says. Revision 2026-07-28 asks for it. A proxy may
/// decide by the headers whatever revision the client names, so it is checked for all of them.
///
/// # Errors
/// What differs.
pub(crate) fn check(headers: &HeaderMap, message: &Value) -> Result<(), &'static str> {
    let method = message.get("method").and_then(Value::as_str);
    let name = match method.unwrap_or_default() {
        "tools/call" | "prompts/get" => message.pointer("/params/name"),
        "resources/read" => message.pointer("/params/uri"),
        _ => None,
    };
    for (header, said, differs) in [
        ("mcp-method", method, "the header `Mcp-Method` is not the method of the message"),
        ("mcp-name", name.and_then(Value::as_str), "the header `Mcp-Name` is not the name in the message"),
    ] {
        let mut values = headers.get_all(header).iter();
        let is_equal = match (values.next(), values.next()) {
            (None, _) => true,
            (Some(value), None) => said.is_some_and(|said| is(value.as_bytes(), said)),
            (Some(_), Some(_)) => false,
        };
        if !is_equal {
            return Err(differs);
        }
    }
    Ok(())
}

/// Whether a header has this text, as it is or encoded as a name that is no text of a header.
fn is(value: &[u8], said: &str) -> bool {
    value == said.as_bytes() || value == format!("=?base64?{}?=", BASE64_STANDARD.encode(said)).as_bytes()
}
