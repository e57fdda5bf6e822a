//! Where a request may carry a credential.
//!
//! A carrier is explicit (the client added the credential to this request) or ambient (the browser adds it automatically). Explicit
//! sources are searched first. The first credential that is present decides; an invalid one is never skipped. Where a credential is
//! optional, an invalid ambient one counts as absent.

mod bearer;
mod cookie;
mod header;
mod place;
mod query;
mod scheme;
mod upgrade;
mod vary;
mod web_socket_protocol;

use std::borrow::Cow;
use std::fmt;

use axum::http::request::Parts;

pub use self::bearer::Bearer;
#[cfg(feature = "token-routes")]
pub(crate) use self::cookie::is_cookie_path;
pub use self::cookie::{AccessCookie, CookieOptions, CookieTooLarge, SameSite};
pub(crate) use self::cookie::{CookieAttributes, RefreshCookie, is_for_one_host, without_prefix};
pub use self::header::Header;
pub use self::place::CredentialPlace;
pub(crate) use self::place::WithChallenge;
pub use self::query::Query;
pub(crate) use self::upgrade::opens_web_socket;
pub(crate) use self::vary::Vary;
pub use self::web_socket_protocol::WebSocketProtocol;

/// A place in the head of a request where a credential may be.
pub trait CredentialSource: fmt::Debug + Send + Sync + 'static {
    /// Returns the name of the source, as in `source = ".."`.
    fn name(&self) -> &str;

    /// Returns who adds the credential to the request: the client or the browser.
    fn carrier(&self) -> Carrier;

    /// Extracts the credential from the request.
    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r>;

    /// Returns where in the request the credential is, for `Vary`, the challenge and the OpenAPI document. With `None`, an answer that
    /// depends on this source has `Vary: *`, and a document that describes a route with it is an error.
    fn location(&self) -> Option<CredentialLocation<'_>> {
        None
    }

    /// Returns the scheme of the challenge for a route that accepts this source (RFC 9110 §11.6.1).
    ///
    /// By default it follows from [`location`](Self::location):
    ///
    /// | the credential is | the challenge has the scheme |
    /// |---|---|
    /// | in a header, after a scheme | that scheme |
    /// | in a header, after `Basic`, `Digest`, `Negotiate` or `NTLM` | `xBasic`, `xDigest`, `xNegotiate`, `xNTLM` |
    /// | in a header, without a scheme | `ApiKey` |
    /// | in a cookie | `Cookie` |
    /// | in the query, or nowhere that is known | `Bearer` (RFC 6750 §2.3) |
    ///
    /// A 401 must have a challenge (RFC 9110 §15.5.2), and no registered scheme is for cookies or for headers of one's own: `Cookie`,
    /// `ApiKey` and those with `x` are not in the registry of IANA. For the four that are replaced, a browser would open its own
    /// dialog for a name and a password.
    fn challenge_scheme(&self) -> &str {
        scheme::of_challenge(self.location())
    }

    /// Returns the `Set-Cookie` values that remove the credential from the browser, if the source is ambient.
    fn clearing_cookies(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns whether the credential is in the URL. Such a credential is rejected for methods that change state, and the response
    /// must not be stored (RFC 6750 §2.3).
    fn is_in_url(&self) -> bool {
        false
    }

    /// Returns whether it finds a credential in the opening handshake of a WebSocket alone. The OpenAPI document lists such a source for no
    /// other operation.
    fn is_for_web_sockets(&self) -> bool {
        false
    }
}

/// Who adds a credential to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carrier {
    /// The client adds it to this request: a header, a query parameter.
    Explicit,
    /// The browser adds it automatically, whichever page caused the request: a cookie. Or a proxy does, for what the browser sends. Such a
    /// request must pass the origin check.
    Ambient,
}

/// Where in a request a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialLocation<'s> {
    /// In a header.
    Header {
        /// The header's name.
        name: &'s str,
        /// The authentication scheme before the credential.
        scheme: Option<&'s str>,
    },
    /// In a cookie.
    Cookie {
        /// The cookie's name.
        name: &'s str,
    },
    /// In a parameter of the query.
    Query {
        /// The parameter's name.
        name: &'s str,
    },
}

/// The result of [`CredentialSource::extract`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extracted<'r> {
    /// There is no credential.
    Absent,
    /// There is one credential.
    Present(Cow<'r, str>),
    /// There is a value that can't be a credential: it is empty or not visible ASCII. It counts as present and invalid.
    Unusable(&'static str),
    /// The credential appears more than once: the request is malformed (RFC 6750 §2).
    Repeated,
}

impl<'r> Extracted<'r> {
    /// Combines the results for one place: more than one that is present is a credential that was repeated.
    fn only(results: impl Iterator<Item = Self>) -> Self {
        results.fold(Self::Absent, |found, further| match (found, further) {
            (Self::Absent, found) | (found, Self::Absent) => found,
            _ => Self::Repeated,
        })
    }

    pub(crate) fn into_owned<'s>(self) -> Extracted<'s> {
        match self {
            Self::Present(text) => Extracted::Present(Cow::Owned(text.into_owned())),
            Self::Unusable(why) => Extracted::Unusable(why),
            Self::Absent => Extracted::Absent,
            Self::Repeated => Extracted::Repeated,
        }
    }
}

/// Redacts the credential.
impl fmt::Debug for Extracted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Present(_) => f.write_str("Present([redacted])"),
            Self::Unusable(reason) => write!(f, "Unusable({reason:?})"),
            Self::Repeated => f.write_str("Repeated"),
        }
    }
}

/// Returns the bytes as a credential, if they are visible ASCII and not empty. The verifier limits the length.
pub(crate) fn credential(bytes: &[u8]) -> Extracted<'_> {
    if bytes.is_empty() {
        return Extracted::Unusable("the credential is empty");
    }
    match std::str::from_utf8(bytes) {
        // Every byte is looked at, whatever the one before it was: the compiler then compares many at once.
        Ok(text) if text.bytes().fold(true, |are, byte| are & byte.is_ascii_graphic()) => {
            Extracted::Present(Cow::Borrowed(text))
        }
        _ => Extracted::Unusable("the credential has characters that are not visible ASCII"),
    }
}

/// Returns what follows `scheme` and at least one space; `None` for another scheme. Schemes are compared without case (RFC
/// 9110 §11.1).
fn after_scheme<'r>(value: &'r [u8], scheme: &str) -> Option<&'r [u8]> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    // As most clients write it.
    if head != scheme.as_bytes() && !head.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    match rest {
        [] => Some(&[]),
        [b' ' | b'\t', ..] => Some(rest.trim_ascii()),
        _ => None,
    }
}
