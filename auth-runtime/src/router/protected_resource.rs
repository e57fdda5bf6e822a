//! Protected resource metadata (RFC 9728): the document that leads clients to the authorization server, and what a router must be for it.

mod check;
mod document;
mod identifier;
mod options;

use std::panic::Location;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

pub use self::options::ProtectedResource;
#[cfg(feature = "openapi")]
use super::documentation::HandlerDocs;
use super::guarded_router::Router;
use super::into_guarded::beside;
use super::path::join;
use crate::policy::{HandlerInfo, Rule};
use crate::rejection::misconfigured;

/// A protected resource as a router declares it.
#[derive(Debug)]
pub(super) struct DeclaredResource {
    resource: ProtectedResource,
    /// Where its metadata is served, from the outermost router on.
    path: String,
    place: &'static Location<'static>,
}

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Declares that the routes are a protected resource (RFC 9728), so that clients that know nothing but its URL find the authorization
    /// server: those of the Model Context Protocol, for one. `resource` is its identifier, such as `"https://api.example.com"`, or a
    /// [`ProtectedResource`] that says more. It is called on the outermost router, and is about all of its routes.
    ///
    /// - The metadata is served at `/.well-known/oauth-protected-resource`; for a resource with a path, that path follows (RFC 9728 §3.1).
    ///   The route is public and `GET`, pages of every origin can read the answer, and caches keep it for five minutes. It names:
    ///
    ///   | member | from |
    ///   |---|---|
    ///   | `resource` | the identifier |
    ///   | `authorization_servers` | the [trusted issuers](crate::verify::TrustedIssuer), with keys or introspected, whose name is a URL and whose audience is the identifier; not the engine's own token issuer, which has no metadata |
    ///   | `scopes_supported` | the rules of the routes that take bearer tokens, and the [declared](crate::routing::MethodRouter::declares) rules; not of those that [hide](crate::routing::MethodRouter::hide_scopes) them |
    ///   | `bearer_methods_supported` | `header` |
    ///
    /// - A `Bearer` challenge has `resource_metadata`, the URL of that document (RFC 9728 §5.1). On a 401 it also has `scope`: what a token
    ///   needs on this route (RFC 6750 §3). On a 403 that another token would remedy, `scope` has all that the request needs.
    ///
    /// [`finish`](Self::finish) fails if no trusted issuer has the identifier as its audience, or if one accepts tokens without regard to
    /// their audience, or without any (RFC 8707 §2); if a route takes a credential from the URL, or none a bearer token from the header `Authorization`; and
    /// if the document would not be public, or not at its place.
    ///
    /// ```
    /// # use auth_runtime::verify::{Algorithm, Key};
    /// use auth_runtime::{Auth, Principal, Router, auth, routing::get, verify::TrustedIssuer};
    ///
    /// #[auth(scopes = ["orders:read"])]
    /// async fn orders(user: Principal) {}
    ///
    /// # let key = Key::secret(Algorithm::HS256, [7; 32]);
    /// let issuer = TrustedIssuer::new("https://id.example.com").audience("https://api.example.com").key(key);
    /// let auth = Auth::builder().issuer(issuer).build()?;
    /// let app: axum::Router = Router::new()
    ///     .route("/orders", get(orders))
    ///     .protected_resource("https://api.example.com")
    ///     .finish(&auth)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If the path of the document overlaps with another route.
    #[track_caller]
    pub fn protected_resource(mut self, resource: impl Into<ProtectedResource>) -> Self {
        let place = Location::caller();
        let resource: ProtectedResource = resource.into();
        let path =
            resource.identifier.as_ref().map(|identifier| identifier.metadata_path()).unwrap_or_default();
        if !path.is_empty() {
            let document = Arc::new(OnceLock::new());
            let served = Arc::clone(&document);
            let handler = HandlerInfo::new("auth_runtime::protected_resource", place.file(), place.line());
            let serve = axum::routing::get(async move || response(served.get()));
            let route = beside(serve, vec!["GET"], Rule::public(), handler);
            #[cfg(feature = "openapi")]
            let route = route.with_docs(&Arc::new(HandlerDocs::one("get", document::operation())));
            let described = resource.clone();
            self = self.route(&path, route).on_finish(move |routes, auth| {
                let _ = document.set(Bytes::from(described.document(routes, auth.engine())));
            });
        }
        self.resources.push(DeclaredResource { resource, path, place });
        self
    }

    /// The URL of the metadata, if the router is a protected resource.
    pub(super) fn metadata_url(&self) -> Option<Box<str>> {
        let identifier = self.resources.first()?.resource.identifier.as_ref().ok()?;
        Some(identifier.metadata_url().into())
    }
}

impl DeclaredResource {
    /// With the path of a router around it in front of its own.
    pub(super) fn below(self, prefix: &str) -> Self {
        Self { path: join(prefix, &self.path), ..self }
    }
}

/// The document, which is there once the router is finished. It is the same for everyone, so that every page may read it.
fn response(document: Option<&Bytes>) -> Response {
    let Some(document) = document else {
        return misconfigured("the metadata of the protected resource is served by a router that was not finished: call `.finish(&auth)` on the router that has `protected_resource`")
            .into_response();
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, document.clone()).into_response()
}
