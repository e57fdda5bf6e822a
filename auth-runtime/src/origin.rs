//! The origin check for ambient credentials.
//!
//! A browser sends a cookie with every request to its host, whichever page caused the request. So a request with an ambient
//! credential that changes state must come from a page of this service, or of an origin that it trusts.

mod authority;

use axum::http::header::{HOST, HeaderName, ORIGIN, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use self::authority::Authority;
use crate::method::is_safe;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which origins may send requests with ambient credentials.
#[derive(Clone, Debug, Default)]
pub(crate) struct OriginPolicy {
    /// The origin of this service as browsers see it. It is needed where a proxy changes the host.
    pub(crate) public: Option<Origin>,
    pub(crate) trusted: Vec<Origin>,
}

/// An origin in its serialized form: `https://example.com`, `http://localhost:3000` (RFC 6454 §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    is_https: bool,
    authority: Authority,
}

impl Origin {
    /// Parses an origin: scheme and host, and a port unless it is the default. Nothing may follow, not even a `/`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let authority = Authority::parse(authority, if is_https { 443 } else { 80 })?;
        Some(Self { is_https, authority })
    }

    /// Splits a URL of the web: its origin, as it is written there, and what follows.
    pub(crate) fn of_url(url: &str) -> Option<(Self, &str, &str)> {
        let host_at = url.find("://")? + "://".len();
        let length = url.get(host_at..)?.find(['/', '?', '#']);
        let (origin, rest) = url.split_at_checked(length.map_or(url.len(), |length| host_at + length))?;
        Some((Self::parse(origin)?, origin, rest))
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether it is of this machine alone: `localhost`, `127.0.0.0/8` and `[::1]`.
    pub(crate) fn is_loopback(&self) -> bool {
        self.authority.is_loopback()
    }

    fn default_port(&self) -> u16 {
        if self.is_https { 443 } else { 80 }
    }
}

impl OriginPolicy {
    /// Returns whether the page that caused this request may use an ambient credential. The order of the conditions matters.
    pub(crate) fn admits(&self, head: &Parts) -> bool {
        if is_safe(&head.method) && !head.headers.contains_key(UPGRADE) {
            return true;
        }
        let Ok(origin) = single(&head.headers, &ORIGIN) else { return false };
        let Ok(site) = single(&head.headers, &SEC_FETCH_SITE) else { return false };
        let parsed = origin.and_then(|origin| origin.to_str().ok()).and_then(Origin::parse);

        if parsed.as_ref().is_some_and(|origin| self.trusted.contains(origin)) {
            return true;
        }
        // The browser sets this header and no page can change it. It decides alone, so a proxy that changes `Host` has no effect.
        if let Some(site) = site {
            return site == "same-origin" || site == "none";
        }
        match (origin, parsed) {
            (None, _) => true,
            // `null`, or a value that no browser sends.
            (Some(_), None) => false,
            (Some(_), Some(origin)) => self.public.as_ref() == Some(&origin) || self.is_host(&origin, head),
        }
    }

    /// Returns whether `origin` has the host that the request was sent to. Behind a proxy that terminates TLS the scheme is
    /// unknown. If the public origin is https, an http origin is rejected: an attacker on the network can forge its pages.
    fn is_host(&self, origin: &Origin, head: &Parts) -> bool {
        let scheme_matches = origin.is_https() || !self.public.as_ref().is_some_and(Origin::is_https);
        scheme_matches && is_host(origin, head)
    }
}

/// Returns whether `origin` has the host that the request was sent to.
fn is_host(origin: &Origin, head: &Parts) -> bool {
    let host = match (head.uri.authority(), single(&head.headers, &HOST)) {
        (Some(authority), _) => authority.as_str(),
        (None, Ok(Some(host))) => host.to_str().unwrap_or_default(),
        _ => return false,
    };
    Authority::parse(host, origin.default_port()).is_some_and(|host| host == origin.authority)
}

/// Returns the only value of the header; an error if the header appears more than once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, OriginPolicy};
    use axum::http::Request;

    #[test]
    fn origins_have_one_form() {
        for (text, same) in [
            ("https://Example.com", "https://example.com"),
            ("HTTPS://example.com:443", "https://example.com"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap(), Origin::parse(same).unwrap(), "{text}");
        }
        for (one, other) in [
            ("https://example.com", "http://example.com"),
            ("https://example.com:80", "http://example.com"),
            ("http://localhost:3000", "http://localhost"),
            ("https://example.com", "https://example.com."),
            ("https://example.com", "https://www.example.com"),
        ] {
            assert_ne!(Origin::parse(one).unwrap(), Origin::parse(other).unwrap(), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_origin() {
        for text in [
            "https://example.com/",
            "https://example.com/path",
            "https://example.com?query",
            "https://example.com#fragment",
            "https://a@example.com",
            "https://a:b@example.com",
            "https:/example.com",
            "https://",
            "://example.com",
            "example.com",
            "ftp://example.com",
            "https://https://example.com",
            " https://example.com",
            "https://example.com ",
            "null",
            "",
        ] {
            assert_eq!(Origin::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_conditions_in_order() {
        let policy = OriginPolicy {
            public: Origin::parse("https://shop.example"),
            trusted: vec![Origin::parse("https://partner.example").unwrap()],
        };
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);
        let table: &[Row<'_>] = &[
            ("GET", &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], true),
            ("HEAD", &[("origin", "https://evil.example")], true),
            ("GET", &[("upgrade", "websocket"), ("origin", "https://evil.example")], false),
            ("GET", &[("upgrade", "websocket"), ("sec-fetch-site", "cross-site")], false),
            ("CONNECT", &[("origin", "https://evil.example")], false),
            ("QUERY", &[("origin", "https://evil.example")], false),
            ("QUERY", &[("sec-fetch-site", "cross-site")], false),
            ("QUERY", &[("origin", "https://shop.example")], true),
            ("get", &[("origin", "https://evil.example")], false),
            ("POST", &[("origin", "https://partner.example"), ("sec-fetch-site", "cross-site")], true),
            ("POST", &[("sec-fetch-site", "same-origin")], true),
            ("POST", &[("sec-fetch-site", "none")], true),
            ("POST", &[("sec-fetch-site", "same-site")], false),
            ("POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://shop.example")], false),
            ("POST", &[("sec-fetch-site", "")], false),
            ("POST", &[], true),
            ("POST", &[("origin", "https://shop.example")], true),
            ("POST", &[("origin", "http://shop.example")], false),
            ("POST", &[("origin", "https://internal:8080")], true),
            ("POST", &[("origin", "https://internal:8081")], false),
            // The public origin is https, so an http page is of another origin.
            ("POST", &[("origin", "http://internal:8080")], false),
            ("POST", &[("origin", "null")], false),
            ("POST", &[("origin", "")], false),
            ("POST", &[("origin", "https://shop.example:443")], true),
            ("POST", &[("origin", "https://shop.example:0")], false),
            ("POST", &[("origin", "https://shop.example:99999")], false),
            ("POST", &[("origin", "https://shop.example:")], false),
            ("POST", &[("origin", "https://shop.example:+443")], false),
            ("POST", &[("origin", "https://shop.example:00443")], false),
            ("POST", &[("origin", "https://partner.example:65979")], false),
            ("POST", &[("origin", "https://shop.example"), ("origin", "https://shop.example")], false),
        ];
        for (method, headers, expected) in table {
            let mut request = Request::builder().method(*method).uri("/x").header("host", "internal:8080");
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(policy.admits(&head), *expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn without_a_public_origin_the_host_is_compared_and_the_scheme_is_not_known() {
        for (host, origin, expected) in [
            ("internal:8080", "http://internal:8080", true),
            ("internal:8080", "https://internal:8080", true),
            ("Internal:8080", "http://internal:8080", true),
            ("internal", "http://internal:80", true),
            ("internal:443", "https://internal", true),
            ("internal", "http://internal:8080", false),
            ("internal:8080", "http://internal", false),
            ("internal:8080", "http://internal:8080.evil.example", false),
            ("internal:8080", "http://x@internal:8080", false),
            // What is no port is no default port, neither in `Origin` nor in `Host`.
            ("internal", "http://internal:0", false),
            ("internal", "http://internal:99999", false),
            ("internal", "http://internal:", false),
            ("internal:0", "http://internal", false),
            ("internal:99999", "http://internal", false),
            ("internal:", "http://internal", false),
            ("internal:080", "http://internal", false),
            ("internal:65616", "http://internal", false),
            ("x@internal", "http://internal", false),
            ("internal/", "http://internal", false),
            ("", "http://internal", false),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("[::1]", "http://[::1]:80", true),
            ("[0:0::1]", "http://[::1]", true),
        ] {
            let request = Request::post("/").header("host", host).header("origin", origin).body(()).unwrap();
            let (head, ()) = request.into_parts();
            assert_eq!(OriginPolicy::default().admits(&head), expected, "{origin} on {host}");
        }
    }
}
