//! The access token in a cookie.

use axum::http::header::COOKIE;
use axum::http::request::Parts;
use cookie::{Cookie, SameSite};
use std::borrow::Cow;

use super::{Carrier, CredentialLocation, CredentialSource, Extracted, credential};

/// The access token in a cookie, by the name `cookie`.
///
/// With its default name `__Host-access_token` a browser takes it over TLS only, for this host only and for all
/// paths (RFC 6265bis §4.1.3.2): no other subdomain can plant one.
#[derive(Clone, Debug)]
pub struct AccessCookie {
    name: Cow<'static, str>,
    secure: bool,
}

impl AccessCookie {
    /// The name of the source.
    pub(crate) const SOURCE: &str = "cookie";

    pub(crate) const DEFAULT_NAME: &'static str = "__Host-access_token";
    /// Without the prefix, which browsers take over TLS only.
    pub(crate) const DEVELOPMENT_NAME: &'static str = "access_token";

    pub(crate) fn new(name: Option<String>, secure: bool) -> Self {
        let default = if secure { Self::DEFAULT_NAME } else { Self::DEVELOPMENT_NAME };
        Self { name: name.map_or(Cow::Borrowed(default), Cow::Owned), secure }
    }

    /// The cookie's name.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.name
    }

    /// The `Set-Cookie` value that gives `token` to a browser for `max_age`: `HttpOnly`, `SameSite=Lax`, `Path=/`,
    /// and `Secure` unless the engine is for development over plain http.
    #[must_use]
    pub fn set(&self, token: &str, max_age: std::time::Duration) -> String {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        self.base(token).max_age(cookie::time::Duration::seconds(seconds)).build().to_string()
    }

    /// The `Set-Cookie` value that takes the cookie away from a browser.
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

    /// Each that was sent.
    pub(crate) fn find_all<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        all(&self.name, head)
    }
}

/// The refresh token in a cookie. It is no source: no rule takes it for a credential.
///
/// It is named `__Secure-refresh_token` and sent to the routes that take it only; or, where tokens are renewed on the way,
/// `__Host-refresh_token`, which is sent with every request.
#[derive(Clone, Debug)]
pub(crate) struct RefreshCookie {
    name: &'static str,
    secure: bool,
    for_all_paths: bool,
}

impl RefreshCookie {
    /// Over plain http, for some paths, for all.
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

    /// Whether it is sent with every request.
    pub(crate) fn is_for_all_paths(&self) -> bool {
        self.for_all_paths
    }

    pub(crate) fn find<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        all(self.name, head).fold(Extracted::Absent, Extracted::and)
    }

    /// Each that was sent: a browser may hold one of another path beside it.
    #[cfg(feature = "token-routes")]
    pub(crate) fn find_all<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        all(self.name, head)
    }

    /// The `Set-Cookie` value that gives it to a browser, for the routes below `path`.
    pub(crate) fn set(&self, token: &str, path: &str, max_age: std::time::Duration) -> String {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        self.base(token, path).max_age(cookie::time::Duration::seconds(seconds)).build().to_string()
    }

    /// The `Set-Cookie` value that takes it away again.
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

/// The cookies of this name, in all `Cookie` headers: HTTP/2 may split them (RFC 9113 §8.2.3).
fn all<'r>(name: &str, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
    head.headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| pairs(header.as_bytes()))
        .filter(move |(found, _)| *found == name.as_bytes())
        .map(|(_, value)| credential(value))
}

/// The names and values of a `Cookie` header, as bytes: another cookie of this host may hold any.
///
/// Not `cookie::Cookie::split_parse`: it trims what Unicode calls white space. A browser takes a cookie whose name begins
/// with U+2000 and goes on with `__Host-` from any subdomain, since to the browser it has no prefix.
fn pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header.split(|byte| *byte == b';').filter_map(|pair| {
        let (name, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
        Some((trimmed(name), trimmed(value.get(1..)?)))
    })
}

/// Without spaces and tabs at the ends (RFC 6265 §5.2).
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
