//! The cookies that hold the access token and the refresh token.
//!
//! | file | what |
//! |---|---|
//! | `options` | [`CookieOptions`]: the names and the attributes of both |
//! | `attributes` | from a name and a value to `Set-Cookie` |
//! | `access` | [`AccessCookie`], a source |
//! | `paths` | with which paths a browser sends a cookie |
//! | `refresh` | the refresh cookie, which is none |
//! | `size` | the size above which browsers drop a cookie |

mod access;
mod attributes;
mod options;
mod paths;
mod refresh;
mod size;

use axum::http::header::COOKIE;
use axum::http::request::Parts;

pub use self::access::AccessCookie;
pub(crate) use self::attributes::CookieAttributes;
pub use self::options::{CookieOptions, SameSite};
pub(crate) use self::options::{is_for_one_host, without_prefix};
#[cfg(feature = "token-routes")]
pub(crate) use self::paths::is_cookie_path;
pub(crate) use self::refresh::RefreshCookie;
pub use self::size::CookieTooLarge;
use super::{Extracted, credential};

/// Returns the values of the cookies of this name, in all `Cookie` headers: HTTP/2 may split them (RFC 9113 §8.2.3).
fn all<'r>(name: &str, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
    head.headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| pairs(header.as_bytes()))
        .filter(move |(found, _)| *found == name.as_bytes())
        .map(|(_, value)| credential(value))
}

/// Returns the value of the only cookie of this name.
pub(super) fn one<'r>(name: &str, head: &'r Parts) -> Extracted<'r> {
    Extracted::only(all(name, head))
}

/// Returns the names and values of a `Cookie` header as bytes, because another cookie of this host may hold any bytes.
///
/// `cookie::Cookie::split_parse` is not used, because it trims Unicode white space. A browser accepts a cookie whose name is U+2000
/// followed by `__Host-..` from any subdomain, because to the browser that name has no prefix.
fn pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let ends = memchr::memchr_iter(b';', header).chain([header.len()]);
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b';', header).map(|end| end + 1));
    starts.zip(ends).filter_map(|(start, end)| {
        let pair = header.get(start..end)?;
        let (name, value) = pair.split_at_checked(memchr::memchr(b'=', pair)?)?;
        Some((trimmed(name), trimmed(value.get(1..)?)))
    })
}

/// Removes spaces and tabs at both ends (RFC 6265 §5.2).
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
