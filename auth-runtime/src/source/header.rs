//! A header that the application chooses: `X-Token: <token>`, `Authorization: Token <token>`.

use axum::http::HeaderName;
use axum::http::header::COOKIE;
use axum::http::request::Parts;

use super::{Carrier, CredentialLocation, CredentialSource, Extracted, after_scheme, credential, scheme};

/// A credential in a header, with or without an authentication scheme.
///
/// ```
/// use auth_runtime::{Auth, source::Header};
/// use axum::http::{HeaderName, header};
///
/// let builder = Auth::builder()
///     .source(Header::new("partner", HeaderName::from_static("x-partner-token")))
///     .source(Header::new("token", header::AUTHORIZATION).with_scheme("Token"));
/// # let _ = builder;
/// ```
#[derive(Clone, Debug)]
pub struct Header {
    name: String,
    header: HeaderName,
    scheme: Option<String>,
    opens_dialog: bool,
    is_added_by_proxy: bool,
}

impl Header {
    /// Returns a source whose credential is the whole value of `header`. `name` is its name in `source = ".."`.
    ///
    /// It counts as explicit: the client adds it, and no page of another origin can. For a header that a proxy adds to whatever a browser
    /// sends, call [`added_by_proxy`](Self::added_by_proxy): otherwise such pages act as the user.
    #[must_use]
    pub fn new(name: impl Into<String>, header: HeaderName) -> Self {
        Self { name: name.into(), header, scheme: None, opens_dialog: false, is_added_by_proxy: false }
    }

    /// Sets the authentication scheme. The credential follows it and a space. A value with another scheme counts as absent.
    ///
    /// What browsers send by themselves after `Basic`, `Digest`, `Negotiate` and `NTLM` is an ambient credential. A challenge names
    /// these schemes only after [`open_dialog`](Self::open_dialog).
    #[must_use]
    pub fn with_scheme(mut self, scheme: impl Into<String>) -> Self {
        self.scheme = Some(scheme.into());
        self
    }

    /// Says that a proxy in front of this service adds the header, for whom it finds by a cookie, a client certificate or the network:
    /// `Cf-Access-Jwt-Assertion`, `X-Amzn-Oidc-Data`, `X-Goog-IAP-JWT-Assertion`, `X-Forwarded-User`, or `Authorization: Bearer` of an `oauth2-proxy`.
    ///
    /// The credential is ambient then, as a cookie is: the browser's request has it whichever page caused that, so the origin of the page
    /// is checked.
    ///
    /// ```
    /// use auth_runtime::{Auth, source::Header};
    /// use axum::http::HeaderName;
    ///
    /// let header = Header::new("access", HeaderName::from_static("cf-access-jwt-assertion"));
    /// let builder = Auth::builder().source(header.added_by_proxy());
    /// # let _ = builder;
    /// ```
    ///
    /// A header that is not signed, such as `X-Forwarded-User`, is worth as much as the way to this service: the proxy must be the only
    /// one that reaches it, and must remove the header from what clients send.
    #[must_use]
    pub fn added_by_proxy(mut self) -> Self {
        self.is_added_by_proxy = true;
        self
    }

    /// Challenges with `Basic`, `Digest`, `Negotiate` or `NTLM` where that is the scheme, in place of `xBasic` and so on: a browser then
    /// opens its own dialog for a name and a password when it gets a 401, also for a request of a script. For pages without a login
    /// form.
    #[must_use]
    pub fn open_dialog(mut self) -> Self {
        self.opens_dialog = true;
        self
    }
}

impl CredentialSource for Header {
    fn name(&self) -> &str {
        &self.name
    }

    /// Returns `Ambient` for the schemes and headers that a browser stores and sends automatically, and for what a proxy adds.
    fn carrier(&self) -> Carrier {
        let by_browser = self.scheme.as_deref().is_some_and(scheme::is_of_browsers);
        match by_browser || self.is_added_by_proxy || self.header == COOKIE {
            true => Carrier::Ambient,
            false => Carrier::Explicit,
        }
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        let name = self.header.as_str();
        Some(CredentialLocation::Header { name, scheme: self.scheme.as_deref() })
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        let mut values = head.headers.get_all(&self.header).iter();
        let Some(value) = values.next() else { return Extracted::Absent };
        if values.next().is_some() {
            return Extracted::Repeated;
        }
        match &self.scheme {
            None => credential(value.as_bytes().trim_ascii()),
            Some(scheme) => after_scheme(value.as_bytes(), scheme).map_or(Extracted::Absent, credential),
        }
    }

    fn challenge_scheme(&self) -> &str {
        match &self.scheme {
            Some(scheme) if self.opens_dialog => scheme,
            _ => scheme::of_challenge(self.location()),
        }
    }
}
