//! Which methods are safe. The one list of them.

use axum::http::Method;

/// The safe methods of RFC 9110 §9.2.1.
///
/// It is not the list of `http::Method::is_safe`, which grows with that crate (`QUERY` in 1.5): the update of a dependency must not
/// change for which requests the origin is checked.
const SAFE: [Method; 4] = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE];

/// Whether a request of this method changes nothing. Methods are case-sensitive (RFC 9110 §9.1): `get` is not `GET`.
pub(crate) fn is_safe(method: &Method) -> bool {
    SAFE.contains(method)
}

/// The same, of a method as a list of routes or a document writes it, whatever the case of its letters.
pub(crate) fn is_safe_name(name: &str) -> bool {
    SAFE.iter().any(|method| method.as_str().eq_ignore_ascii_case(name))
}

/// Whether a credential in the URL may count for this method, of a list of routes: it changes nothing (RFC 6750 §2.3), or it opens a
/// WebSocket over HTTP/2, which is `CONNECT` (RFC 8441 §4).
pub(crate) fn takes_credentials_in_url(name: &str) -> bool {
    is_safe_name(name) || name.eq_ignore_ascii_case("CONNECT")
}

#[cfg(test)]
mod tests {
    use super::{is_safe, is_safe_name, takes_credentials_in_url};
    use axum::http::Method;

    #[test]
    fn four_methods_are_safe() {
        let cases = [
            ("GET", true),
            ("HEAD", true),
            ("OPTIONS", true),
            ("TRACE", true),
            ("QUERY", false),
            ("POST", false),
            ("PUT", false),
            ("PATCH", false),
            ("DELETE", false),
            ("CONNECT", false),
            ("PROPFIND", false),
            ("ANY", false),
            ("OTHER", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_safe(&Method::from_bytes(name.as_bytes()).unwrap()), expected, "{name}");
            assert_eq!(is_safe_name(name), expected, "{name}");
            assert_eq!(is_safe_name(&name.to_ascii_lowercase()), expected, "{name} in a document");
            assert_eq!(takes_credentials_in_url(name), expected || name == "CONNECT", "{name}");
        }
        assert!(!is_safe(&Method::from_bytes(b"get").unwrap()), "`get` is another method than `GET`");
    }
}
