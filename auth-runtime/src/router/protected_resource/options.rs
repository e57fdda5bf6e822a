//! What a service says of itself as a protected resource.

use super::identifier::{ResourceIdentifier, is_of_server, is_url};

/// A protected resource: its identifier, and what its metadata says besides what is known of the routes (RFC 9728 §2). For
/// [`Router::protected_resource`](crate::Router::protected_resource), which takes the identifier alone too.
///
/// ```
/// use auth_runtime::routing::ProtectedResource;
///
/// let resource = ProtectedResource::new("https://api.example.com/mcp")
///     .name("Notes")
///     .documentation("https://docs.example.com/mcp");
/// # let _ = resource;
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to `Router::protected_resource`"]
pub struct ProtectedResource {
    pub(super) identifier: Result<ResourceIdentifier, &'static str>,
    written: String,
    pub(super) servers: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) name: Option<String>,
    /// The names of the members, and their URLs.
    pub(super) pages: Vec<(Page, String)>,
}

/// A page for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Documentation,
    Policy,
    TermsOfService,
}

impl ProtectedResource {
    /// The resource with this identifier: the URL under which clients reach it, `https`, with the path that all of its routes are below,
    /// and without query and fragment (RFC 9728 §1.2). Plain `http` is accepted for `localhost` and loopback addresses alone.
    ///
    /// Write it as clients do: scheme and host in lower case, without the default port, and without a slash at the end of a host.
    pub fn new(identifier: impl Into<String>) -> Self {
        let written = identifier.into();
        Self {
            identifier: ResourceIdentifier::parse(&written),
            written,
            servers: Vec::new(),
            scopes: Vec::new(),
            name: None,
            pages: Vec::new(),
        }
    }

    /// Adds an authorization server that clients get tokens from (`authorization_servers`): its issuer identifier, under which it publishes
    /// its own metadata (RFC 8414 §2). The trusted issuers of the engine are there already: this is for one that issues opaque tokens, which an
    /// authenticator judges, and for this service, if it publishes such metadata itself.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.servers.push(issuer.into());
        self
    }

    /// Adds scopes to `scopes_supported`: those of routes that came by
    /// [`dangerously_merge_unguarded`](crate::Router::dangerously_merge_unguarded), and those that code compares.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Sets the name that clients show to their users (`resource_name`).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the URL of a page for developers (`resource_documentation`).
    pub fn documentation(self, url: impl Into<String>) -> Self {
        self.page(Page::Documentation, url.into())
    }

    /// Sets the URL of a page that says how clients may use the data (`resource_policy_uri`).
    pub fn policy(self, url: impl Into<String>) -> Self {
        self.page(Page::Policy, url.into())
    }

    /// Sets the URL of the terms of service (`resource_tos_uri`).
    pub fn terms_of_service(self, url: impl Into<String>) -> Self {
        self.page(Page::TermsOfService, url.into())
    }

    fn page(mut self, page: Page, url: String) -> Self {
        self.pages.retain(|(other, _)| *other != page);
        self.pages.push((page, url));
        self
    }

    pub(super) fn url_of(&self, page: Page) -> Option<&str> {
        self.pages.iter().find(|(other, _)| *other == page).map(|(_, url)| &**url)
    }

    /// The identifier, as it was written.
    pub(super) fn label(&self) -> &str {
        &self.written
    }

    /// What is wrong with it, whatever the routes are.
    pub(super) fn objections(&self) -> Vec<String> {
        let mut found: Vec<String> =
            self.identifier.as_ref().err().map(|why| (*why).to_owned()).into_iter().collect();
        found.extend(self.servers.iter().filter(|server| !is_of_server(server)).map(|server| {
            format!(
                "the authorization server {server:?} is no issuer identifier (RFC 8414 §2): write its `https` URL, without query and fragment"
            )
        }));
        // RFC 6749 §3.3.
        let is_of_scopes = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let is_scope = |scope: &&String| !scope.is_empty() && scope.bytes().all(is_of_scopes);
        found.extend(self.scopes.iter().filter(|scope| !is_scope(scope)).map(|scope| {
            format!("{scope:?} can't be a scope (RFC 6749 §3.3): write visible ASCII characters, without a quote and a backslash")
        }));
        found.extend(self.pages.iter().filter(|(_, url)| !is_url(url)).map(|(page, url)| {
            format!(
                "the URL of `{}`, {url:?}, is no URL: write it whole, as in `https://docs.example.com`",
                page.method()
            )
        }));
        found
    }
}

impl Page {
    fn method(self) -> &'static str {
        match self {
            Self::Documentation => "documentation",
            Self::Policy => "policy",
            Self::TermsOfService => "terms_of_service",
        }
    }
}

impl From<&str> for ProtectedResource {
    fn from(identifier: &str) -> Self {
        Self::new(identifier)
    }
}

impl From<String> for ProtectedResource {
    fn from(identifier: String) -> Self {
        Self::new(identifier)
    }
}
