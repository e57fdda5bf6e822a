//! The names and the attributes of the cookies.

/// The names and the attributes of the cookies that tokens are in, for [`AuthBuilder::cookies`](crate::AuthBuilder::cookies).
///
/// ```
/// use auth_runtime::source::{CookieOptions, SameSite};
///
/// // Two services on one host name: each needs a name of its own.
/// let shop = CookieOptions::new().name("__Host-shop").same_site(SameSite::Strict);
/// ```
///
/// How long a browser keeps the cookies is set elsewhere: `Max-Age` is the lifetime of the token
/// ([`TokenIssuer`](crate::session::TokenIssuer)), and a user that does not want to be remembered gets cookies that end with
/// the browser ([`Subject::remember`](crate::session::Subject::remember)).
#[derive(Clone, Debug, Default)]
#[must_use = "pass it to `AuthBuilder::cookies`"]
pub struct CookieOptions {
    pub(crate) name: Option<String>,
    pub(crate) refresh_name: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) domain: Option<String>,
    pub(crate) clear_domains: Vec<String>,
}

/// With which requests that a page of another site causes a browser sends the cookies (RFC 6265bis §5.5). A site is a
/// registrable domain with all of its subdomains: `shop.example.com` and `app.example.com` are one site.
///
/// The [origin check](crate::AuthBuilder::trust_origin) applies whatever is set here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// With links that a user follows to this service, and with nothing else. This is the default.
    #[default]
    Lax,
    /// With none: a user that follows a link from another site to this service is logged out on the page that it opens.
    Strict,
    /// With all of them, for a page of another site that calls this service, or has it in a frame. It needs `Secure`, and the
    /// page's origin in [`trust_origin`](crate::AuthBuilder::trust_origin). Browsers that block cookies of third parties send
    /// none all the same.
    None,
}

/// The prefixes that make a browser accept a cookie under conditions alone (RFC 6265bis §4.1.3), in lower case, the longest first:
/// browsers compare them without case.
const PREFIXES: [&str; 4] = ["__host-http-", "__secure-", "__host-", "__http-"];

impl CookieOptions {
    /// Returns the default options: the names in the table of [`name`](Self::name), and `SameSite=Lax`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the access cookie, exactly as it is written here, and with it that of the refresh cookie, unless
    /// [`refresh_name`](Self::refresh_name) sets another.
    ///
    /// | | access cookie | refresh cookie | with `renew_transparently` |
    /// |---|---|---|---|
    /// | default | `__Host-access_token` | `__Secure-refresh_token` | `__Host-refresh_token` |
    /// | default, with a [domain](Self::domain) | `__Secure-access_token` | `__Secure-refresh_token` | `__Secure-refresh_token` |
    /// | `.name("__Host-shop")` | `__Host-shop` | `__Secure-shop_refresh` | `__Host-shop_refresh` |
    /// | `.name("shop")` | `shop` | `__Secure-shop_refresh` | `__Host-shop_refresh` |
    /// | `.refresh_name("__Secure-renewal")` | `__Host-access_token` | `__Secure-renewal` | `__Secure-renewal` |
    ///
    /// With insecure cookies, for development, all prefixes are removed.
    ///
    /// Write the prefix `__Host-` unless the name is given. Without it, any other subdomain and a page over plain http can set a
    /// cookie of this name, and so can another application on the parent domain. A browser then sends both, and every request to a
    /// route that requires a credential is answered 400.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the name of the refresh cookie, exactly as it is written here. Default: it follows from that of the access cookie, as the
    /// table of [`name`](Self::name) says.
    ///
    /// ```
    /// use auth_runtime::source::CookieOptions;
    ///
    /// // The names of an earlier service, which this one replaces and whose tokens it accepts: browsers send its cookies here, too. A
    /// // service that runs beside it on one host needs other names, since each would replace the cookies of the other.
    /// let cookies = CookieOptions::new().name("session").refresh_name("session_renewal");
    /// ```
    ///
    /// Write the prefix `__Secure-` unless the name is given, or `__Host-` with
    /// [`renew_transparently`](crate::AuthBuilder::renew_transparently): without it, a page over plain http can set a cookie of this
    /// name, as it can for `name`.
    ///
    /// Without `renew_transparently`, a name `__Host-..` is an error of `build`. The cookie has the path of the token routes then, with which
    /// browsers drop it. Where [`TokenRoutes::endpoints`](crate::session::routes::TokenRoutes::endpoints) give it the path `/`, they would keep
    /// it, but `build` does not know which routes there will be: write `__Secure-` there, too.
    pub fn refresh_name(mut self, name: impl Into<String>) -> Self {
        self.refresh_name = Some(name.into());
        self
    }

    /// Sets `SameSite`. Default: [`SameSite::Lax`].
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Sets `Domain`, such as `example.com`: browsers send the cookies to this domain and to all of its subdomains. Default: to
    /// the host of the service alone.
    ///
    /// Then every service on these hosts receives the tokens, and can set cookies of the same names. So the names have no prefix
    /// `__Host-`, which forbids the attribute. A domain under which everyone can register, such as `co.uk`, can't be
    /// recognized here: browsers drop such a cookie.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into().to_ascii_lowercase());
        self
    }

    /// Names further domains whose cookies are cleared wherever the cookies of this service are: at a logout, at a login, and
    /// when a browser sends a cookie twice. It is for a domain that this service had before, and for another application's
    /// cookie of the same name.
    ///
    /// Users are thereby logged out of an application that has the cookie of that domain. The cookie of this service's own host
    /// and that of its [`domain`](Self::domain) are always cleared, and a parent domain is never guessed.
    pub fn clear_domains(mut self, domains: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.clear_domains.extend(domains.into_iter().map(|domain| domain.into().to_ascii_lowercase()));
        self
    }

    /// Returns the names of the access cookie and of the refresh cookie.
    pub(crate) fn names(&self, secure: bool, for_all_paths: bool) -> [String; 2] {
        let prefix = |for_one_host: bool| match (secure, for_one_host && self.domain.is_none()) {
            (false, _) => "",
            (true, false) => "__Secure-",
            (true, true) => "__Host-",
        };
        let derived = |base: &str| format!("{}{base}", prefix(for_all_paths));
        let given = |name: &str| if secure { name } else { without_prefix(name) }.to_owned();
        let [access, refresh] = match &self.name {
            None => [format!("{}access_token", prefix(true)), derived("refresh_token")],
            Some(name) => [given(name), derived(&format!("{}_refresh", without_prefix(name)))],
        };
        [access, self.refresh_name.as_deref().map_or(refresh, given)]
    }
}

impl SameSite {
    pub(super) fn attribute(self) -> cookie::SameSite {
        match self {
            Self::Lax => cookie::SameSite::Lax,
            Self::Strict => cookie::SameSite::Strict,
            Self::None => cookie::SameSite::None,
        }
    }
}

/// Returns whether a browser accepts a cookie of this name for one host alone, without `Domain` (RFC 6265bis §4.1.3.2).
pub(crate) fn is_for_one_host(name: &str) -> bool {
    starts_with(name, "__host-")
}

/// Returns the name without the prefix that makes a browser accept it under conditions alone.
pub(crate) fn without_prefix(name: &str) -> &str {
    let prefix = PREFIXES.iter().find(|prefix| starts_with(name, prefix));
    prefix.and_then(|prefix| name.get(prefix.len()..)).unwrap_or(name)
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::{CookieOptions, without_prefix};

    #[test]
    fn the_names_are_those_of_the_table() {
        let new = CookieOptions::new;
        for (options, secure, access, refresh, for_all_paths) in [
            (new(), true, "__Host-access_token", "__Secure-refresh_token", "__Host-refresh_token"),
            (new(), false, "access_token", "refresh_token", "refresh_token"),
            (
                new().domain("a.example"),
                true,
                "__Secure-access_token",
                "__Secure-refresh_token",
                "__Secure-refresh_token",
            ),
            (new().name("__Host-shop"), true, "__Host-shop", "__Secure-shop_refresh", "__Host-shop_refresh"),
            (new().name("shop"), true, "shop", "__Secure-shop_refresh", "__Host-shop_refresh"),
            (new().name("__Host-shop"), false, "shop", "shop_refresh", "shop_refresh"),
            (
                new().name("__Secure-shop").domain("a.example"),
                true,
                "__Secure-shop",
                "__Secure-shop_refresh",
                "__Secure-shop_refresh",
            ),
            (
                new().refresh_name("__Secure-renewal"),
                true,
                "__Host-access_token",
                "__Secure-renewal",
                "__Secure-renewal",
            ),
            (new().name("one").refresh_name("two"), true, "one", "two", "two"),
            (
                new().name("__Host-one").refresh_name("__host-two"),
                true,
                "__Host-one",
                "__host-two",
                "__host-two",
            ),
            (new().name("__Host-one").refresh_name("__Host-Http-two"), false, "one", "two", "two"),
        ] {
            assert_eq!(options.names(secure, false), [access, refresh], "{options:?}");
            assert_eq!(options.names(secure, true), [access, for_all_paths], "{options:?}");
        }
    }

    #[test]
    fn prefixes_are_compared_without_case() {
        for name in ["__Host-x", "__host-x", "__SECURE-x", "__Http-x", "__Host-Http-x", "x"] {
            assert_eq!(without_prefix(name), "x", "{name}");
        }
        for name in ["", "__Host", "Host-x", "ü__Host-x"] {
            assert_eq!(without_prefix(name), name);
        }
    }
}
