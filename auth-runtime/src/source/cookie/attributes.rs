//! From a name and a value to `Set-Cookie`.

use std::time::Duration;

use cookie::Cookie;

use super::{CookieTooLarge, SameSite, is_for_one_host};

/// The attributes that both cookies of an engine have.
#[derive(Clone, Debug)]
pub(crate) struct CookieAttributes {
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
    /// `Domain`, with which browsers send the cookies to the subdomains too.
    pub(crate) domain: Option<String>,
    /// Other domains whose cookies of the same names are cleared too.
    pub(crate) clear_domains: Vec<String>,
}

impl CookieAttributes {
    /// A `Set-Cookie` value. Without `max_age` the cookie ends with the browser.
    ///
    /// # Errors
    /// If browsers would drop the cookie.
    pub(super) fn set(
        &self,
        name: &str,
        value: &str,
        path: &str,
        max_age: Option<Duration>,
    ) -> Result<String, CookieTooLarge> {
        CookieTooLarge::check(name, value)?;
        let mut cookie = self.cookie(name, value, path, self.domain.as_deref());
        if let Some(max_age) = max_age {
            let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(cookie::time::Duration::seconds(seconds));
        }
        Ok(cookie.to_string())
    }

    /// The `Set-Cookie` values that remove every cookie of this name that a browser may hold for this path: that of this host
    /// alone, that of the configured domain, and those of the other domains that the configuration names.
    pub(super) fn clear(&self, name: &str, path: &str) -> Vec<String> {
        self.domains(name).into_iter().map(|domain| self.removal(name, path, domain)).collect()
    }

    /// The same without the cookie that [`set`](Self::set) sets: what a browser would send besides it.
    #[cfg(feature = "token-routes")]
    pub(super) fn clear_others(&self, name: &str, path: &str) -> Vec<String> {
        let mut domains = self.domains(name);
        domains.retain(|domain| *domain != self.domain.as_deref());
        domains.into_iter().map(|domain| self.removal(name, path, domain)).collect()
    }

    /// The domains for which a browser may hold a cookie of this name; `None` is this host alone. A parent domain is never
    /// guessed: its cookie may be another service's.
    fn domains(&self, name: &str) -> Vec<Option<&str>> {
        let mut domains = vec![None];
        if !is_for_one_host(name) {
            for domain in self.domain.iter().chain(&self.clear_domains) {
                if !domains.contains(&Some(domain.as_str())) {
                    domains.push(Some(domain));
                }
            }
        }
        domains
    }

    fn removal(&self, name: &str, path: &str, domain: Option<&str>) -> String {
        let mut cookie = self.cookie(name, "", path, domain);
        cookie.set_max_age(cookie::time::Duration::ZERO);
        // Not `make_removal`, whose text changes every second: the same removal is sent once.
        cookie.set_expires(cookie::time::OffsetDateTime::UNIX_EPOCH);
        cookie.to_string()
    }

    fn cookie<'c>(
        &self,
        name: &'c str,
        value: &'c str,
        path: &'c str,
        domain: Option<&'c str>,
    ) -> Cookie<'c> {
        let mut cookie = Cookie::new(name, value);
        cookie.set_path(path);
        cookie.set_http_only(true);
        cookie.set_secure(self.secure);
        cookie.set_same_site(self.same_site.attribute());
        if let Some(domain) = domain {
            cookie.set_domain(domain);
        }
        cookie
    }
}
