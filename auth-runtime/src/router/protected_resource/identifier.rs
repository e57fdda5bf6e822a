//! The identifier of a protected resource, and the place of its metadata (RFC 9728 §1.2, §3).

use crate::origin::Origin;

/// The registered suffix (RFC 9728 §8.3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The identifier of a protected resource: a URL without query and fragment, in the one form that clients write it in.
#[derive(Clone, Debug)]
pub(super) struct ResourceIdentifier {
    text: String,
    /// Where the path begins, or the end.
    path_at: usize,
}

impl ResourceIdentifier {
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (parsed, origin, path) = Origin::of_url(text).filter(|_| is_url(text)).ok_or(
            "it is not a URL: write scheme and host, and a path if the resource has one, as in `https://api.example.com/mcp`",
        )?;
        if path.contains(['?', '#']) {
            return Err(
                "it has a query or a fragment: leave it out (RFC 9728 §1.2, RFC 8707 §2), and distinguish resources by their paths",
            );
        }
        if origin.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(
                "its scheme or host has capital letters, and clients compare it with a URL that has none: write them in lower case",
            );
        }
        let is_plain = !parsed.is_https();
        if origin.ends_with(if is_plain { ":80" } else { ":443" }) {
            return Err("it has the default port, which clients leave out: leave it out too");
        }
        if is_plain && !is_of_server(text) {
            return Err(
                "it is not `https` (RFC 9728 §1.2): plain http is for this machine alone, such as `http://127.0.0.1:8080`",
            );
        }
        if !is_path(path) {
            return Err(
                "its path has a segment `.` or `..`, or a character that a path can't have (RFC 3986 §3.3): percent-encode it",
            );
        }
        Ok(Self { text: text.to_owned(), path_at: origin.len() })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the metadata is on this host: the suffix, and the path of the resource after it. A slash that ends the host is left out, and
    /// every other one stays (RFC 9728 §3.1).
    pub(super) fn metadata_path(&self) -> String {
        let (_, path) = self.split();
        format!("{WELL_KNOWN}{}", if path == "/" { "" } else { path })
    }

    pub(super) fn metadata_url(&self) -> String {
        let (origin, _) = self.split();
        format!("{origin}{}", self.metadata_path())
    }

    fn split(&self) -> (&str, &str) {
        self.text.split_at_checked(self.path_at).unwrap_or((&self.text, ""))
    }
}

/// Whether it is a URL of the web.
pub(super) fn is_url(text: &str) -> bool {
    let is_of_urls = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    Origin::of_url(text).is_some() && text.bytes().all(is_of_urls)
}

/// Whether it can be the issuer identifier of an authorization server: `https`, or on this machine, and without query and fragment (RFC
/// 8414 §2).
pub(super) fn is_of_server(text: &str) -> bool {
    let is_safe = Origin::of_url(text).is_some_and(|(origin, ..)| origin.is_https() || origin.is_loopback());
    is_safe && is_url(text) && !text.contains(['?', '#'])
}

/// Whether it is empty or a path as clients send it (RFC 3986 §3.3), which axum can match as it is.
fn is_path(path: &str) -> bool {
    let is_of_segments = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    let is_segment = |segment: &str| {
        // Clients resolve these, also percent-encoded.
        let decoded = segment.replace("%2e", ".").replace("%2E", ".");
        segment.bytes().all(is_of_segments) && decoded != "." && decoded != ".."
    };
    let has_digits = |rest: &str| {
        let mut digits = rest.bytes().take(2);
        digits.len() == 2 && digits.all(|digit| digit.is_ascii_hexdigit())
    };
    path.split('/').all(is_segment) && path.split('%').skip(1).all(has_digits)
}

#[cfg(test)]
mod tests {
    use super::{ResourceIdentifier, is_of_server, is_url};

    /// RFC 9728 §3.1: the suffix is put between the host and the path.
    #[test]
    fn the_metadata_is_where_clients_look_for_it() {
        for (resource, metadata) in [
            (
                "https://resource.example.com",
                "https://resource.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://resource.example.com/",
                "https://resource.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://resource.example.com/resource1",
                "https://resource.example.com/.well-known/oauth-protected-resource/resource1",
            ),
            ("https://h.example/mcp/", "https://h.example/.well-known/oauth-protected-resource/mcp/"),
            ("https://h.example:8443/a/b", "https://h.example:8443/.well-known/oauth-protected-resource/a/b"),
            ("https://h.example/a%20b", "https://h.example/.well-known/oauth-protected-resource/a%20b"),
            ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp"),
            ("http://[::1]:3000", "http://[::1]:3000/.well-known/oauth-protected-resource"),
            ("http://localhost", "http://localhost/.well-known/oauth-protected-resource"),
        ] {
            let identifier = ResourceIdentifier::parse(resource).unwrap();
            assert_eq!((identifier.as_str(), &*identifier.metadata_url()), (resource, metadata));
            assert!(metadata.ends_with(&identifier.metadata_path()));
        }
    }

    #[test]
    fn what_is_no_identifier() {
        for (text, why) in [
            ("", "not a URL"),
            ("orders", "not a URL"),
            ("api.example.com", "not a URL"),
            ("ftp://api.example.com", "not a URL"),
            ("https://", "not a URL"),
            ("https:///mcp", "not a URL"),
            ("https://user@api.example.com", "not a URL"),
            ("https://api.example.com:0", "not a URL"),
            ("https://api.example.com/a b", "not a URL"),
            ("https://api.example.com/\u{e4}", "not a URL"),
            ("https://api.example.com/{id}", "not a URL"),
            ("https://api.example.com\r\nx: y", "not a URL"),
            ("https://api.example.com/\"", "not a URL"),
            ("https://api.example.com?x=1", "a query or a fragment"),
            ("https://api.example.com/mcp?x=1", "a query or a fragment"),
            ("https://api.example.com/mcp#f", "a query or a fragment"),
            ("HTTPS://api.example.com", "capital letters"),
            ("https://API.example.com", "capital letters"),
            ("https://api.example.com:443", "default port"),
            ("https://api.example.com:443/mcp", "default port"),
            ("http://localhost:80", "default port"),
            ("http://api.example.com", "not `https`"),
            ("http://127.0.0.1.example.com", "not `https`"),
            ("http://localhost.example.com", "not `https`"),
            ("https://api.example.com/a/../b", "a segment"),
            ("https://api.example.com/.", "a segment"),
            ("https://api.example.com/%2E%2e/b", "a segment"),
            ("https://api.example.com/a%2", "a segment"),
            ("https://api.example.com/%zz", "a segment"),
            ("https://api.example.com/[a]", "a segment"),
        ] {
            let error = ResourceIdentifier::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn authorization_servers_have_a_url_that_clients_can_ask() {
        for text in [
            "https://id.example.com",
            "https://id.example.com/",
            "https://id.example.com/realms/shop",
            "http://localhost:9000",
        ] {
            assert!(is_of_server(text) && is_url(text), "{text}");
        }
        for text in [
            "id",
            "http://id.example.com",
            "https://id.example.com?x",
            "https://id.example.com#x",
            "https://a\"b",
            "urn:id",
        ] {
            assert!(!is_of_server(text), "{text}");
        }
        assert!(is_url("http://docs.example.com/api?v=1#orders") && !is_url("docs.example.com"));
    }
}
