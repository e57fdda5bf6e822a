//! The cookie of the refresh token.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;

#[cfg(feature = "token-routes")]
use super::all;
use super::{CookieAttributes, CookieTooLarge, Extracted, one};

/// The refresh token in a cookie. It is not a source: no rule accepts it as a credential.
///
/// The browser sends `__Secure-refresh_token` to the token routes alone. Where the engine renews tokens transparently, the
/// cookie is `__Host-refresh_token`, and the browser sends it with every request.
#[derive(Clone, Debug)]
pub(crate) struct RefreshCookie {
    name: String,
    attributes: Arc<CookieAttributes>,
    for_all_paths: bool,
}

impl RefreshCookie {
    pub(crate) fn new(name: String, attributes: Arc<CookieAttributes>, for_all_paths: bool) -> Self {
        Self { name, attributes, for_all_paths }
    }

    #[cfg(any(feature = "openapi", feature = "token-routes"))]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the browser sends the cookie with every request.
    pub(crate) fn is_for_all_paths(&self) -> bool {
        self.for_all_paths
    }

    pub(crate) fn find<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        one(&self.name, head)
    }

    /// Returns every cookie of this name in the request: a browser may hold several with different paths.
    #[cfg(feature = "token-routes")]
    pub(crate) fn find_all<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        all(&self.name, head)
    }

    /// Returns a `Set-Cookie` value that stores the token in a browser, for the routes below `path`. Without `max_age` the
    /// cookie ends with the browser.
    ///
    /// # Errors
    /// If browsers would drop the cookie.
    pub(crate) fn set(
        &self,
        token: &str,
        path: &str,
        max_age: Option<Duration>,
    ) -> Result<String, CookieTooLarge> {
        self.attributes.set(&self.name, token, self.path(path), max_age)
    }

    /// Returns the `Set-Cookie` values that remove the cookie from a browser.
    pub(crate) fn clear(&self, path: &str) -> Vec<String> {
        self.attributes.clear(&self.name, self.path(path))
    }

    /// The same without the cookie that [`set`](Self::set) sets.
    #[cfg(feature = "token-routes")]
    pub(crate) fn clear_others(&self, path: &str) -> Vec<String> {
        self.attributes.clear_others(&self.name, self.path(path))
    }

    /// # Errors
    /// If browsers would drop the cookie of this token.
    pub(crate) fn check_size(&self, token: &str) -> Result<(), CookieTooLarge> {
        CookieTooLarge::check(&self.name, token)
    }

    fn path<'p>(&self, path: &'p str) -> &'p str {
        if self.for_all_paths { "/" } else { path }
    }
}
