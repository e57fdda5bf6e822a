//! The sources of an engine, each known by its index.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::Scheme;
use crate::source::{AccessCookie, Bearer, Carrier, CredentialLocation, CredentialSource, Extracted, Vary};

/// The name of the refresh cookie among sources, where tokens are renewed transparently: no rule can name it.
pub(crate) const RENEWAL: &str = "refresh_cookie";

/// A source, and what judges its credentials; `None`: they are tokens.
pub(super) type SourceWithScheme = (Arc<dyn CredentialSource>, Option<Arc<Scheme>>);

/// The sources of an engine, each known by its index.
#[derive(Debug)]
pub(crate) struct Sources {
    list: Vec<Arc<dyn CredentialSource>>,
    /// What judges the credentials of each source; `None`: they are tokens of the issuers.
    schemes: Vec<Option<Arc<Scheme>>>,
    default: Vec<usize>,
    /// Whether the answer to a request with a credential of each source must say that it is for its caller alone.
    private: Vec<bool>,
}

impl Sources {
    /// Without a default: [`set_default`](Self::set_default) names it.
    pub(super) fn new(schemes: Vec<SourceWithScheme>) -> Self {
        let (list, schemes): (Vec<Arc<dyn CredentialSource>>, _) = schemes.into_iter().unzip();
        let private = list.iter().map(|source| !is_known_to_shared_caches(&**source)).collect();
        Self { list, schemes, default: Vec::new(), private }
    }

    pub(super) fn set_default(&mut self, default: Vec<usize>) {
        self.default = default;
    }

    pub(crate) fn get(&self, index: usize) -> Option<&dyn CredentialSource> {
        self.list.get(index).map(|source| &**source)
    }

    /// Whether the answer to a request with a credential of this source must say that it is for its caller alone.
    pub(crate) fn is_private(&self, index: usize) -> bool {
        self.private.get(index).copied().unwrap_or(true)
    }

    /// Whether it is where this library looks for tokens by itself, in a header or a cookie. No other source has these names.
    pub(crate) fn is_built_in(&self, index: usize) -> bool {
        self.get(index).is_some_and(|source| source.name() == Bearer::SOURCE || is_access_cookie(source))
    }

    /// What judges the credentials of this source; `None`: they are tokens of the issuers.
    pub(crate) fn scheme(&self, index: usize) -> Option<&Scheme> {
        self.schemes.get(index)?.as_deref()
    }

    /// The names of the sources that an authenticator judges, each with it.
    pub(crate) fn authenticators(&self) -> impl Iterator<Item = (&str, &Scheme)> {
        let schemes = self.list.iter().zip(&self.schemes);
        schemes.filter_map(|(source, scheme)| Some((source.name(), &**scheme.as_ref()?)))
    }

    /// All authenticators, with what is remembered of their answers.
    pub(super) fn schemes(&self) -> impl Iterator<Item = &Arc<Scheme>> {
        self.schemes.iter().flatten()
    }

    /// Whether any credential is judged by an authenticator.
    #[cfg(feature = "openapi")]
    pub(crate) fn have_authenticators(&self) -> bool {
        self.schemes.iter().any(Option::is_some)
    }

    /// Whether a source whose credential is in the URL finds one, or what is none.
    pub(crate) fn find_in_url(&self, head: &Parts) -> bool {
        self.list.iter().any(|source| source.is_in_url() && source.extract(head) != Extracted::Absent)
    }

    /// The name of the only source, if there is one alone.
    pub(super) fn only(&self) -> Option<&str> {
        match self.list.as_slice() {
            [only] => Some(only.name()),
            _ => None,
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|source| source.name())
    }

    /// The sources of a rule that names none.
    pub(crate) fn default_indices(&self) -> &[usize] {
        &self.default
    }

    /// The sources of these names, explicit ones first and else in order; the unknown name, if one is.
    pub(crate) fn resolve<'n>(&self, names: &[&'n str]) -> Result<Vec<usize>, &'n str> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            let index = self.list.iter().position(|source| source.name() == *name).ok_or(*name)?;
            if !found.contains(&index) {
                found.push(index);
            }
        }
        found
            .sort_by_key(|&index| self.get(index).is_some_and(|source| source.carrier() == Carrier::Ambient));
        Ok(found)
    }

    /// The cookie of access tokens, if it is among these sources.
    pub(crate) fn access_cookie_among(&self, indices: &[usize]) -> Option<usize> {
        indices.iter().copied().find(|&index| self.get(index).is_some_and(is_access_cookie))
    }

    /// Whether the cookie of access tokens is among these sources.
    pub(crate) fn take_access_cookie(&self, indices: &[usize]) -> bool {
        self.access_cookie_among(indices).is_some()
    }

    /// These sources as those of a route, on which a token needs these scopes.
    pub(crate) fn of_route(&self, indices: Vec<usize>, scopes: Vec<String>) -> Arc<RouteSources> {
        let vary = Vary::of(indices.iter().filter_map(|&index| self.get(index)));
        Arc::new(RouteSources { indices, vary, scopes })
    }

    /// Whether a login at a page can give a browser a credential of one of these sources: a cookie, or what a source of the application's own
    /// finds. No login changes what a browser or a proxy adds to a header. Without a source the handler itself asks for a login.
    pub(crate) fn login_can_help(&self, indices: &[usize]) -> bool {
        let mut sources = indices.iter().filter_map(|&index| self.get(index));
        indices.is_empty()
            || sources.any(|source| {
                source.carrier() == Carrier::Ambient
                    && !matches!(source.location(), Some(CredentialLocation::Header { .. }))
            })
    }

    /// The schemes that a rejection on a route with these sources challenges with, each once.
    pub(crate) fn challenge_schemes(&self, indices: &[usize]) -> Vec<&str> {
        let mut schemes: Vec<&str> = Vec::new();
        let sources = indices.iter().filter_map(|&index| self.get(index));
        for scheme in sources.map(CredentialSource::challenge_scheme) {
            if !schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
                schemes.push(scheme);
            }
        }
        if schemes.is_empty() {
            schemes.push("Bearer");
        }
        schemes
    }
}

/// The sources of a route. It looks at all of them, whichever has the credential.
#[derive(Debug, Default)]
pub(crate) struct RouteSources {
    /// Explicit ones first.
    pub(crate) indices: Vec<usize>,
    /// The headers that the answers of the route depend on.
    pub(crate) vary: Vary,
    /// The scopes that the challenge of a protected resource asks for.
    pub(crate) scopes: Vec<String>,
}

/// A shared cache leaves out the answer to a request with `Authorization` by itself (RFC 9111 §3.5). For all other credentials,
/// and for what a browser sends by itself, the answer must say so.
fn is_known_to_shared_caches(source: &dyn CredentialSource) -> bool {
    source.carrier() == Carrier::Explicit
        && matches!(source.location(), Some(CredentialLocation::Header { name, .. })
            if name.eq_ignore_ascii_case(AUTHORIZATION.as_str()))
}

/// Whether a credential of this source is in the header `Authorization`, after `Bearer` (RFC 6750 §2.1).
pub(crate) fn is_bearer(source: &dyn CredentialSource) -> bool {
    matches!(source.location(), Some(CredentialLocation::Header { name, scheme: Some(scheme) })
        if name.eq_ignore_ascii_case(AUTHORIZATION.as_str()) && scheme.eq_ignore_ascii_case("Bearer"))
}

pub(crate) fn is_access_cookie(source: &dyn CredentialSource) -> bool {
    source.name() == AccessCookie::SOURCE
}
