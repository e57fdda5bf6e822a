//! What the body of a request is, by its content type. Types and the names of charsets have no case (RFC 9110 §8.3.1).

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use mime::Mime;

/// Whether the content type is that of a form. A form of another charset than UTF-8 is none: its password would be another.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let Some(kind) = content_type(headers) else { return false };
    // Compared with a `&str`, a name of `mime` has no case.
    let is_utf8 = kind.get_param(mime::CHARSET).is_none_or(|charset| charset == "utf-8");
    kind.type_() == "application" && kind.subtype() == "x-www-form-urlencoded" && is_utf8
}

/// Whether the content type is that of a security event token (RFC 8417 §7.2).
#[cfg(feature = "provider-logout")]
pub(crate) fn is_security_event_token(headers: &HeaderMap) -> bool {
    content_type(headers)
        .is_some_and(|kind| kind.essence_str().eq_ignore_ascii_case("application/secevent+jwt"))
}

fn content_type(headers: &HeaderMap) -> Option<Mime> {
    headers.get(CONTENT_TYPE)?.to_str().ok()?.parse().ok()
}
