//! The cookie of the refresh token.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;

#[cfg(feature = "token-routes")]
use super::all;
use super::paths::{is_within, sending_paths};
use super::{CookieAttributes, CookieTooLarge, Extracted, is_for_one_host, one};
use crate::original_uri::original_uri;

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

    /// Returns the `Set-Cookie` values that remove the cookies of this name that a browser sends with this request besides the one for
    /// `path`: those of an earlier version or an earlier service, which had another path.
    pub(crate) fn clear_other_paths(&self, head: &Parts, path: &str) -> Vec<String> {
        if is_for_one_host(&self.name) {
            // Browsers hold it with the path `/` alone.
            return Vec::new();
        }
        let path = self.path(path);
        let request_path = original_uri(head).path();
        // If a proxy has changed the path of the request, another service may have cookies for that one.
        let sent_to = if is_within(request_path, path) { request_path } else { path };
        let others = sending_paths(sent_to).filter(|other| *other != path);
        others.flat_map(|other| self.attributes.clear(&self.name, other)).collect()
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
