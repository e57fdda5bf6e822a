//! The cookies that hold the access token and the refresh token.

use axum::http::header::COOKIE;
use axum::http::request::Parts;
use cookie::{Cookie, SameSite};
use std::borrow::Cow;

use super::{Carrier, CredentialLocation, CredentialSource, Extracted, credential};

/// The source `cookie`: the access token in a cookie.
///
/// The default name is `__Host-access_token`. A browser accepts a cookie with this prefix only over TLS, for this host
/// alone and for all paths (RFC 6265bis §4.1.3.2), so no other subdomain can set one.
#[derive(Clone, Debug)]
pub struct AccessCookie {
    name: Cow<'static, str>,
    secure: bool,
}

impl AccessCookie {
    /// The name of the source.
    pub(crate) const SOURCE: &str = "cookie";

    pub(crate) const DEFAULT_NAME: &'static str = "__Host-access_token";
    /// The name without the prefix, which browsers accept only over TLS.
    pub(crate) const DEVELOPMENT_NAME: &'static str = "access_token";

    pub(crate) fn new(name: Option<String>, secure: bool) -> Self {
        let default = if secure { Self::DEFAULT_NAME } else { Self::DEVELOPMENT_NAME };
        Self { name: name.map_or(Cow::Borrowed(default), Cow::Owned), secure }
    }

    /// Returns the name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.name
    }

    /// Returns a `Set-Cookie` value that stores `token` in a browser for `max_age`: `HttpOnly`, `SameSite=Lax`, `Path=/`, and
    /// `Secure` unless the engine is configured for development over plain http.
    #[must_use]
    pub fn set(&self, token: &str, max_age: std::time::Duration) -> String {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        self.base(token).max_age(cookie::time::Duration::seconds(seconds)).build().to_string()
    }

    /// Returns a `Set-Cookie` value that removes the cookie from a browser.
    #[must_use]
    pub fn clear(&self) -> String {
        let mut cookie = self.base("").build();
        cookie.make_removal();
        cookie.to_string()
    }

    fn base<'c>(&'c self, value: &'c str) -> cookie::CookieBuilder<'c> {
        build(&self.name, value, "/", self.secure)
    }

    pub(crate) fn find<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        self.find_all(head).fold(Extracted::Absent, Extracted::and)
    }

    /// Returns every cookie of this name in the request.
    pub(crate) fn find_all<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        all(&self.name, head)
    }
}

/// The refresh token in a cookie. It is not a source: no rule accepts it as a credential.
///
/// The browser sends `__Secure-refresh_token` to the token routes alone. Where the engine renews tokens transparently, the
/// cookie is `__Host-refresh_token`, and the browser sends it with every request.
#[derive(Clone, Debug)]
pub(crate) struct RefreshCookie {
    name: &'static str,
    secure: bool,
    for_all_paths: bool,
}

impl RefreshCookie {
    /// The names over plain http, for some paths, and for all paths.
    pub(crate) const NAMES: [&str; 3] = ["refresh_token", "__Secure-refresh_token", "__Host-refresh_token"];

    pub(crate) fn new(secure: bool, for_all_paths: bool) -> Self {
        let [plain, for_some, for_all] = Self::NAMES;
        let name = match (secure, for_all_paths) {
            (false, _) => plain,
            (true, false) => for_some,
            (true, true) => for_all,
        };
        Self { name, secure, for_all_paths }
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns whether the browser sends the cookie with every request.
    pub(crate) fn is_for_all_paths(&self) -> bool {
        self.for_all_paths
    }

    pub(crate) fn find<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        all(self.name, head).fold(Extracted::Absent, Extracted::and)
    }

    /// Returns every cookie of this name in the request: a browser may hold several with different paths.
    #[cfg(feature = "token-routes")]
    pub(crate) fn find_all<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        all(self.name, head)
    }

    /// Returns a `Set-Cookie` value that stores the token in a browser, for the routes below `path`.
    pub(crate) fn set(&self, token: &str, path: &str, max_age: std::time::Duration) -> String {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        self.base(token, path).max_age(cookie::time::Duration::seconds(seconds)).build().to_string()
    }

    /// Returns a `Set-Cookie` value that removes the cookie from a browser.
    pub(crate) fn clear(&self, path: &str) -> String {
        let mut cookie = self.base("", path).build();
        cookie.make_removal();
        cookie.to_string()
    }

    fn base<'c>(&'c self, value: &'c str, path: &'c str) -> cookie::CookieBuilder<'c> {
        build(self.name, value, if self.for_all_paths { "/" } else { path }, self.secure)
    }
}

fn build<'c>(name: &'c str, value: &'c str, path: &'c str, secure: bool) -> cookie::CookieBuilder<'c> {
    Cookie::build((name, value)).path(path).http_only(true).secure(secure).same_site(SameSite::Lax)
}

impl CredentialSource for AccessCookie {
    fn name(&self) -> &'static str {
        Self::SOURCE
    }

    fn carrier(&self) -> Carrier {
        Carrier::Ambient
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Cookie { name: &self.name })
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        self.find(head)
    }

    fn clearing_cookie(&self) -> Option<String> {
        Some(self.clear())
    }
}

/// Returns the values of the cookies of this name, in all `Cookie` headers: HTTP/2 may split them (RFC 9113 §8.2.3).
fn all<'r>(name: &str, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
    head.headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| pairs(header.as_bytes()))
        .filter(move |(found, _)| *found == name.as_bytes())
        .map(|(_, value)| credential(value))
}

/// Returns the names and values of a `Cookie` header as bytes, because another cookie of this host may hold any bytes.
///
/// `cookie::Cookie::split_parse` is not used, because it trims Unicode white space. A browser accepts a cookie whose name is U+2000
/// followed by `__Host-..` from any subdomain, because to the browser that name has no prefix.
fn pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header.split(|byte| *byte == b';').filter_map(|pair| {
        let (name, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
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
