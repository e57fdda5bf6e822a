//! Where a credential may come from.
//!
//! Carriers are explicit (the client put the credential there for this request) or ambient (a browser adds it by
//! itself). Explicit ones come first; the first that is present decides, and a bad one is never skipped.

mod bearer;
mod cookie;
mod header;
mod query;

use std::borrow::Cow;
use std::fmt;

use axum::http::request::Parts;

pub use self::bearer::Bearer;
pub use self::cookie::AccessCookie;
pub(crate) use self::cookie::RefreshCookie;
pub use self::header::Header;
pub use self::query::Query;

/// A place in the request's head where a credential may stand.
pub trait CredentialSource: fmt::Debug + Send + Sync + 'static {
    /// The name that `source = ".."` calls it by.
    fn name(&self) -> &str;

    /// Who puts the credential into the request.
    fn carrier(&self) -> Carrier;

    /// Looks for the credential.
    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r>;

    /// Where in the request the credential stands, for documents that describe the service. `None`: that is not told, and a
    /// document that would need it is an error.
    fn location(&self) -> Option<CredentialLocation<'_>> {
        None
    }

    /// The scheme of the challenge for a route that takes this source (RFC 9110 §11.6.1).
    fn challenge_scheme(&self) -> &str {
        "Bearer"
    }

    /// A `Set-Cookie` value that takes the credential away from the browser, for an ambient source.
    fn clearing_cookie(&self) -> Option<String> {
        None
    }

    /// Whether the credential stands in the URL: then it is refused for methods that change state, and the answer
    /// must not be stored (RFC 6750 §2.3).
    fn is_in_url(&self) -> bool {
        false
    }
}

/// Who puts a credential into the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carrier {
    /// The client, for this request: a header, a query parameter.
    Explicit,
    /// The browser, whatever page caused the request: a cookie. Such requests must pass the origin check.
    Ambient,
}

/// Where in a request a credential stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialLocation<'s> {
    /// In a header.
    Header {
        /// The header's name.
        name: &'s str,
        /// The word in front of the credential.
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

/// What a source found.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extracted<'r> {
    /// Nothing.
    Absent,
    /// One credential.
    Present(Cow<'r, str>),
    /// Something that can't be a credential: empty, not ASCII. It counts as present, and as bad.
    Unusable(&'static str),
    /// The same carrier more than once: a malformed request (RFC 6750 §2).
    Repeated,
}

impl<'r> Extracted<'r> {
    /// What was found, together with what the same carrier holds further on.
    fn and(self, further: Self) -> Self {
        match (self, further) {
            (Self::Absent, found) | (found, Self::Absent) => found,
            _ => Self::Repeated,
        }
    }

    fn into_owned<'s>(self) -> Extracted<'s> {
        match self {
            Self::Present(text) => Extracted::Present(Cow::Owned(text.into_owned())),
            Self::Unusable(why) => Extracted::Unusable(why),
            Self::Absent => Extracted::Absent,
            Self::Repeated => Extracted::Repeated,
        }
    }
}

/// Redacted.
impl fmt::Debug for Extracted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Present(_) => f.write_str("Present([redacted])"),
            Self::Unusable(why) => write!(f, "Unusable({why:?})"),
            Self::Repeated => f.write_str("Repeated"),
        }
    }
}

/// The bytes of a credential as text, if they can be one: visible ASCII, and not empty. How long it may be, the verifier
/// knows.
fn credential(bytes: &[u8]) -> Extracted<'_> {
    if bytes.is_empty() {
        return Extracted::Unusable("the credential is empty");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Extracted::Present(Cow::Borrowed(text))
        }
        _ => Extracted::Unusable("the credential has characters that are not visible ASCII"),
    }
}

/// What stands behind `scheme` and at least one space, compared without case (RFC 9110 §11.1); `None` for another
/// scheme.
fn after_scheme<'r>(value: &'r [u8], scheme: &str) -> Option<&'r [u8]> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    if !head.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    match rest {
        [] => Some(&[]),
        [b' ' | b'\t', ..] => Some(rest.trim_ascii()),
        _ => None,
    }
}
