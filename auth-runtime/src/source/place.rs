//! Places where a credential may be, for schemes that have a name of their own.

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderName;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::cookie::one;
use super::header::Header;
use super::{Carrier, CredentialLocation, CredentialSource, Extracted, query};

/// Where the credential of an authenticator is: a header, a cookie, a query parameter, or a [`CredentialSource`] of the
/// application's own.
#[derive(Clone, Debug)]
pub struct CredentialPlace {
    place: Place,
    is_added_by_proxy: bool,
}

#[derive(Clone, Debug)]
enum Place {
    Header { name: String, scheme: Option<String> },
    Cookie(String),
    Query(String),
    Own(Arc<dyn CredentialSource>),
}

impl CredentialPlace {
    /// The whole value of this header, which the client adds. For one that a proxy adds to whatever a browser sends, call
    /// [`added_by_proxy`](Self::added_by_proxy).
    #[must_use]
    pub fn header(name: impl Into<String>) -> Self {
        Self::new(Place::Header { name: name.into(), scheme: None })
    }

    /// What follows this scheme and a space in the header `Authorization`. A value with another scheme counts as absent.
    #[must_use]
    pub fn authorization(scheme: impl Into<String>) -> Self {
        Self::new(Place::Header { name: AUTHORIZATION.as_str().to_owned(), scheme: Some(scheme.into()) })
    }

    /// The cookie of this name. A browser sends it by itself, so a request that changes state must pass the origin check.
    ///
    /// Give it a name with `__Host-`, such as `__Host-session`, and set it with `Secure`, `HttpOnly` and `Path=/`: browsers then take it over TLS
    /// and from this host alone (RFC 6265bis §4.1.3.2). One of another name can be set by every other subdomain, also next to the real
    /// one, and a request with two is rejected.
    #[must_use]
    pub fn cookie(name: impl Into<String>) -> Self {
        Self::new(Place::Cookie(name.into()))
    }

    /// The query parameter of this name. It is rejected for methods that change state, and the answer is not stored.
    ///
    /// What is lost: URLs are written to logs, histories and `Referer` headers, and the credential with them (RFC 6750 §2.3). It is
    /// right for clients that can set neither a header nor a cookie.
    #[must_use]
    pub fn dangerously_in_query(name: impl Into<String>) -> Self {
        Self::new(Place::Query(name.into()))
    }

    /// Says that a proxy in front of this service adds the header: see [`Header::added_by_proxy`]. The origin of the page is then checked, as
    /// for a cookie. For other places than headers, it is an error of [`build`](crate::AuthBuilder::build): a cookie is ambient anyway, and
    /// a source of your own says so itself.
    ///
    /// ```
    /// use auth_runtime::authenticator::CredentialPlace;
    ///
    /// let place = CredentialPlace::header("X-Forwarded-User").added_by_proxy();
    /// # let _ = place;
    /// ```
    #[must_use]
    pub fn added_by_proxy(self) -> Self {
        Self { is_added_by_proxy: true, ..self }
    }

    fn new(place: Place) -> Self {
        Self { place, is_added_by_proxy: false }
    }

    /// The source of this place, under the name of its scheme.
    ///
    /// # Errors
    /// What is wrong with the name of the header, the cookie or the parameter, or that a proxy adds no such place.
    pub(crate) fn into_source(self, name: &str) -> Result<Arc<dyn CredentialSource>, String> {
        let Self { place, is_added_by_proxy } = self;
        if is_added_by_proxy && !matches!(place, Place::Header { .. }) {
            return Err("`added_by_proxy` is for headers: remove it. A cookie is checked as that anyway, and a source of yours returns \
                        `Carrier::Ambient` from `CredentialSource::carrier`"
                .to_owned());
        }
        match place {
            Place::Header { name: header, scheme } => {
                let Ok(parsed) = HeaderName::from_bytes(header.as_bytes()) else {
                    return Err(format!("{header:?} can't be the name of a header (RFC 9110 §5.1)"));
                };
                let mut source = Header::new(name, parsed);
                if let Some(scheme) = scheme {
                    source = source.with_scheme(scheme);
                }
                Ok(Arc::new(if is_added_by_proxy { source.added_by_proxy() } else { source }))
            }
            // RFC 6265 §4.1.1: the name is a token.
            Place::Cookie(cookie) if HeaderName::from_bytes(cookie.as_bytes()).is_err() => {
                Err(format!("{cookie:?} can't be the name of a cookie (RFC 6265 §4.1.1)"))
            }
            Place::Cookie(cookie) => Ok(Arc::new(PlacedCookie { name: name.to_owned(), cookie })),
            Place::Query(parameter) if parameter.is_empty() => {
                Err("the name of the query parameter is empty".to_owned())
            }
            Place::Query(parameter) => Ok(Arc::new(PlacedQuery { name: name.to_owned(), parameter })),
            Place::Own(source) if source.name() == name => Ok(source),
            Place::Own(source) => Err(format!(
                "its source has the name `{}`: let `CredentialSource::name` return `{name}`",
                source.name()
            )),
        }
    }
}

/// A source of the application's own. Its name must be that of the scheme.
impl<S: CredentialSource> From<S> for CredentialPlace {
    fn from(source: S) -> Self {
        Self::new(Place::Own(Arc::new(source)))
    }
}

/// A cookie of this name.
#[derive(Debug)]
struct PlacedCookie {
    name: String,
    cookie: String,
}

impl CredentialSource for PlacedCookie {
    fn name(&self) -> &str {
        &self.name
    }

    fn carrier(&self) -> Carrier {
        Carrier::Ambient
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Cookie { name: &self.cookie })
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        one(&self.cookie, head)
    }
}

/// A query parameter of this name.
#[derive(Debug)]
struct PlacedQuery {
    name: String,
    parameter: String,
}

impl CredentialSource for PlacedQuery {
    fn name(&self) -> &str {
        &self.name
    }

    fn carrier(&self) -> Carrier {
        Carrier::Explicit
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Query { name: &self.parameter })
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        query::find(&self.parameter, head)
    }

    fn is_in_url(&self) -> bool {
        true
    }
}

/// The source of an authenticator, with the scheme of its challenge.
pub(crate) struct WithChallenge {
    pub(crate) source: Arc<dyn CredentialSource>,
    pub(crate) scheme: String,
}

impl fmt::Debug for WithChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl CredentialSource for WithChallenge {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn carrier(&self) -> Carrier {
        self.source.carrier()
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        self.source.extract(head)
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        self.source.location()
    }

    fn challenge_scheme(&self) -> &str {
        &self.scheme
    }

    fn clearing_cookies(&self) -> Vec<String> {
        self.source.clearing_cookies()
    }

    fn is_in_url(&self) -> bool {
        self.source.is_in_url()
    }

    fn is_for_web_sockets(&self) -> bool {
        self.source.is_for_web_sockets()
    }
}
