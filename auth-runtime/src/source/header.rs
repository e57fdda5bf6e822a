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
}

impl Header {
    /// Returns a source whose credential is the whole value of `header`. `name` is its name in `source = ".."`.
    ///
    /// It counts as explicit: the client adds it. For a header that a proxy adds to whatever a browser sends, such as that of an identity-aware
    /// proxy, write a [`CredentialSource`] with [`Carrier::Ambient`]: otherwise pages of other origins act as the user.
    #[must_use]
    pub fn new(name: impl Into<String>, header: HeaderName) -> Self {
        Self { name: name.into(), header, scheme: None, opens_dialog: false }
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

    /// Returns `Ambient` for the schemes and headers that a browser stores and sends automatically.
    fn carrier(&self) -> Carrier {
        let by_browser = self.scheme.as_deref().is_some_and(scheme::is_of_browsers);
        if by_browser || self.header == COOKIE { Carrier::Ambient } else { Carrier::Explicit }
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
