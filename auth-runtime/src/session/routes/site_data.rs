//! `Clear-Site-Data` (<https://www.w3.org/TR/clear-site-data/>).

use axum::http::HeaderValue;

/// What a browser forgets at a logout: see [`TokenRoutes::clear_site_data`](super::TokenRoutes::clear_site_data).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SiteData {
    /// What the browser has cached of this origin, and with some browsers also the pages that the back button shows. It may take
    /// seconds.
    Cache,
    /// What scripts have stored in the browser for this origin: `localStorage`, IndexedDB, service workers.
    Storage,
    /// All cookies of the registrable domain: with a logout at `shop.example.com`, those of `example.com` and of every subdomain.
    /// Users are thereby logged out of every other application there. A logout clears the cookies of this service in any case.
    Cookies,
}

impl SiteData {
    /// The value of the header; `None` without data.
    pub(super) fn header(data: impl IntoIterator<Item = Self>) -> Option<HeaderValue> {
        let mut directives: Vec<&str> = Vec::new();
        for directive in data.into_iter().map(Self::directive) {
            if !directives.contains(&directive) {
                directives.push(directive);
            }
        }
        HeaderValue::try_from(directives.join(", ")).ok().filter(|value| !value.is_empty())
    }

    /// A quoted string: without the quotes, browsers ignore it.
    fn directive(self) -> &'static str {
        match self {
            Self::Cache => "\"cache\"",
            Self::Storage => "\"storage\"",
            Self::Cookies => "\"cookies\"",
        }
    }
}
