//! The cookie of the access token, which is a source.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;

use super::super::{Carrier, CredentialLocation, CredentialSource};
#[cfg(feature = "token-routes")]
use super::all;
use super::{CookieAttributes, CookieTooLarge, Extracted, one};

/// The source `cookie`: the access token in a cookie.
///
/// The default name is `__Host-access_token`. A browser accepts a cookie with this prefix only over TLS, for this host
/// alone and for all paths (RFC 6265bis §4.1.3.2), so no other subdomain can set one. [`CookieOptions`](super::CookieOptions)
/// sets another name.
#[derive(Clone, Debug)]
pub struct AccessCookie {
    name: String,
    attributes: Arc<CookieAttributes>,
}

impl AccessCookie {
    /// The name of the source.
    pub(crate) const SOURCE: &str = "cookie";

    pub(crate) fn new(name: String, attributes: Arc<CookieAttributes>) -> Self {
        Self { name, attributes }
    }

    /// Returns the name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.name
    }

    /// Returns a `Set-Cookie` value that stores `token` in a browser for `max_age`, or with `None` until the browser is closed:
    /// `HttpOnly`, `Path=/`, `Secure` unless the engine is configured for development over plain http, and the attributes of
    /// its [`CookieOptions`](super::CookieOptions).
    ///
    /// # Errors
    /// [`CookieTooLarge`] if browsers would drop the cookie. Answer 500 then, and [`clear`](Self::clear) it: the browser may hold
    /// the token of another user.
    pub fn set(&self, token: &str, max_age: impl Into<Option<Duration>>) -> Result<String, CookieTooLarge> {
        self.attributes.set(&self.name, token, "/", max_age.into())
    }

    /// Returns the `Set-Cookie` values that remove the cookie from a browser: that of this host, that of the configured domain,
    /// and those of [`CookieOptions::clear_domains`](super::CookieOptions::clear_domains).
    #[must_use]
    pub fn clear(&self) -> Vec<String> {
        self.attributes.clear(&self.name, "/")
    }

    /// The same without the cookie that [`set`](Self::set) sets.
    #[cfg(feature = "token-routes")]
    pub(crate) fn clear_others(&self) -> Vec<String> {
        self.attributes.clear_others(&self.name, "/")
    }

    /// # Errors
    /// If browsers would drop the cookie of this token.
    pub(crate) fn check_size(&self, token: &str) -> Result<(), CookieTooLarge> {
        CookieTooLarge::check(&self.name, token)
    }

    pub(crate) fn find<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        one(&self.name, head)
    }

    /// Returns every cookie of this name in the request.
    #[cfg(feature = "token-routes")]
    pub(crate) fn find_all<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        all(&self.name, head)
    }
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

    fn clearing_cookies(&self) -> Vec<String> {
        self.clear()
    }
}
