//! The router itself.

use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
#[cfg(feature = "openapi")]
use std::sync::Arc;

use axum::extract::Request;
#[cfg(feature = "openapi")]
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower::{Layer, Service};

use super::declared::DeclaredRule;
#[cfg(feature = "openapi")]
use super::documentation::HandlerDocs;
use super::finish::Hook;
use super::into_guarded::{IntoGuarded, into_guarded};
#[cfg(feature = "openapi")]
use super::method_router::on;
use super::method_router::{Endpoint, MethodRouter};
use super::other_methods::OtherMethods;
use super::panics;
use super::path::join;
use super::protected_resource::DeclaredResource;
use super::resolve::{Entry, Kind};
use super::served_methods::ServedMethods;
use super::{FALLBACK, UNKNOWN};
#[cfg(feature = "openapi")]
use crate::gate::CarriesPolicy;
use crate::policy::Rule;

/// `axum::Router`, where every route has a policy. [`finish`](Self::finish) makes an `axum::Router` of it.
///
/// ```
/// use auth_runtime::{Auth, Principal, Router, auth, routing::get, rule};
/// # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
///
/// #[auth(roles = ["admin"])]
/// async fn purge(user: Principal) -> String {
///     format!("purged by {}", user.subject())
/// }
///
/// # let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
/// let auth = Auth::builder().issuer(issuer).build()?;
/// let app: axum::Router = Router::new()
///     .route("/purge", get(purge))
///     .route("/ping", (axum::routing::get(|| async { "pong" }), rule!(public)))
///     .finish(&auth)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is not `Clone`: a route that was in two places would have two policies. Build a router twice instead.
///
#[doc = include_str!("axum.md")]
#[must_use = "call `finish`"]
pub struct Router<S = ()> {
    pub(super) inner: axum::Router<S>,
    pub(super) entries: Vec<Entry>,
    pub(super) required: Vec<Rule>,
    pub(super) mounted_at: String,
    pub(super) hooks: Vec<Hook>,
    /// What is decided outside of requests.
    pub(super) declared: Vec<DeclaredRule>,
    /// What it says of itself as a protected resource: at most one, which `finish` checks.
    pub(super) resources: Vec<DeclaredResource>,
    /// What answers the methods that paths have no route for, if a router requires something.
    pub(super) other_methods: Vec<OtherMethods<S>>,
    /// Whether the layer of `Auth` must be around it: a middleware is between the router and a route, or a route is unknown.
    pub(super) needs_layer: bool,
    /// Whether axum rejects path segments that start with `:` or `*`.
    pub(super) has_v07_checks: bool,
}

impl<S> Default for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// No routes.
    pub fn new() -> Self {
        Self {
            inner: axum::Router::new(),
            entries: Vec::new(),
            required: Vec::new(),
            mounted_at: String::new(),
            hooks: Vec::new(),
            declared: Vec::new(),
            resources: Vec::new(),
            other_methods: Vec::new(),
            needs_layer: false,
            has_v07_checks: true,
        }
    }

    /// Allows path segments that start with `:` or `*`, as `axum::Router::without_v07_checks` does: they
    /// are then matched literally.
    pub fn without_v07_checks(mut self) -> Self {
        self.inner = self.inner.without_v07_checks();
        self.has_v07_checks = false;
        self
    }

    /// Returns whether there is a route, as `axum::Router::has_routes` does. A fallback is not a route.
    #[must_use]
    pub fn has_routes(&self) -> bool {
        self.inner.has_routes()
    }

    /// Adds a route, as `axum::Router::route` does.
    ///
    /// # Panics
    /// If the path overlaps with another route, or is malformed.
    #[track_caller]
    pub fn route(mut self, path: &str, route: impl IntoGuarded<S>) -> Self {
        let route = into_guarded(route, Location::caller()).with_disclosure();
        let MethodRouter { inner, endpoints, not_allowed, declared, has_middleware, .. } = route;
        self.needs_layer |= has_middleware;
        self.inner = self.inner.route(path, inner);
        self.declared.extend(declared.into_iter().map(|declaration| declaration.at(path)));
        self.list(path, endpoints);
        self.add_other_methods(vec![not_allowed.at(path)]);
        self
    }

    /// Adds the routes of another router below a path, as `axum::Router::nest` does. What that router requires goes
    /// with them.
    ///
    /// # Panics
    /// As `axum::Router::nest`.
    #[track_caller]
    pub fn nest(mut self, path: &str, router: Self) -> Self {
        panics::unless_nestable("nest", path, self.has_v07_checks);
        let router = router.with_requirements();
        let Self { inner, mut entries, hooks, mut other_methods, declared, resources, needs_layer, .. } =
            router;
        self.needs_layer |= needs_layer;
        let has_fallback = |entry: &Entry| [FALLBACK, UNKNOWN].contains(&&*entry.path);
        if !entries.iter().any(has_fallback) {
            // axum forgets the fallbacks inside of a router that has none itself.
            entries.retain(|entry| !entry.path.ends_with(FALLBACK));
            other_methods.retain(|other| !other.path.ends_with(FALLBACK));
        }
        self.inner = self.inner.nest(path, inner);
        self.add_other_methods(other_methods.into_iter().map(|other| other.nest(path)).collect());
        self.hooks.extend(hooks);
        self.declared.extend(declared.into_iter().map(|declared| declared.below(path)));
        self.resources.extend(resources.into_iter().map(|resource| resource.below(path)));
        self.entries
            .extend(entries.into_iter().map(|entry| Entry { path: join(path, &entry.path), ..entry }));
        self
    }

    /// Adds the routes of another router, as `axum::Router::merge` does. What that router requires goes with them.
    ///
    /// # Panics
    /// As `axum::Router::merge`.
    #[track_caller]
    pub fn merge(mut self, router: Self) -> Self {
        let Self {
            inner,
            entries,
            hooks,
            other_methods,
            declared,
            resources,
            needs_layer,
            has_v07_checks,
            ..
        } = router.with_requirements();
        self.needs_layer |= needs_layer;
        self.inner = self.inner.merge(inner);
        self.add_other_methods(other_methods);
        self.has_v07_checks |= has_v07_checks;
        self.hooks.extend(hooks);
        self.declared.extend(declared);
        self.resources.extend(resources);
        self.entries.extend(entries);
        self
    }

    /// Mounts a handler where the document of it alone says. For the expansion of [`documented!`](crate::documented).
    ///
    /// # Panics
    /// As [`route`](Self::route).
    #[cfg(feature = "openapi")]
    #[doc(hidden)]
    #[track_caller]
    pub fn documented<H, T>(self, document: &impl serde::Serialize, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        let mut router = self;
        // No closure, which would be the place that a panic names.
        for (path, methods, docs) in HandlerDocs::of(document) {
            router = router.route(&path, on(methods, handler.clone()).with_docs(&Arc::new(docs)));
        }
        router
    }

    /// Adds the routes of a router of axum, which have no policy unless their handlers have `#[auth]`.
    ///
    /// What is lost: every request reaches these routes, with or without a credential, and the access table can't list their
    /// paths. It says that this was called, and where. It is right for routes that check their callers themselves.
    ///
    /// # Panics
    /// As `axum::Router::merge`. If such a router has a fallback for the methods of a path that also has guarded routes, then
    /// [`finish`](Self::finish) panics where a router requires a rule, and
    /// [`method_not_allowed_fallback`](Self::method_not_allowed_fallback) does.
    #[track_caller]
    pub fn dangerously_merge_unguarded(mut self, router: axum::Router<S>) -> Self {
        self.inner = self.inner.merge(router);
        self.needs_layer = true;
        self.entries.push(Entry::new(ServedMethods::Unknown, UNKNOWN, Kind::Unguarded(Location::caller())));
        self
    }

    /// Adds a rule to every route of this router, also to routes that are added later. A request must satisfy it and the
    /// route's own rule. A route that is public or optional by itself is so no longer.
    ///
    /// Where the rule names sources, a route takes only those of its own that are among them.
    ///
    /// A request with a method that its path has no route for must satisfy it too, before it is answered 405 with `Allow`: what is
    /// required of every route of the path is required of it. Where the path has a method router of axum's with a rule beside it, axum
    /// answers: with the rule or without it, by the order in which the two were added.
    pub fn require(mut self, rule: Rule) -> Self {
        self.required.push(rule);
        self
    }

    /// Sets the path at which the finished router will be nested in an `axum::Router`, so that its rules can name the
    /// parameters of that path and its table shows it whole.
    pub fn mounted_at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.mounted_at);
        self
    }

    /// Applies a layer to the routes so far, outside of their gates, as `axum::Router::layer` does.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let others = self.other_methods.into_iter();
        let other_methods = others.map(|other| other.map(|router| router.layer(layer.clone()))).collect();
        Self { inner: self.inner.layer(layer), other_methods, needs_layer: true, ..self }
    }

    /// Applies a layer to the routes so far, for requests that match one, as `axum::Router::route_layer` does.
    ///
    /// # Panics
    /// If there is no route yet.
    #[track_caller]
    pub fn route_layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let inner = self.inner.route_layer(layer.clone());
        let others = self.other_methods.into_iter();
        let other_methods =
            others.map(|other| other.map(|router| router.route_layer(layer.clone()))).collect();
        Self { inner, other_methods, needs_layer: true, ..self }
    }

    /// Gives the handlers their state, as `axum::Router::with_state` does.
    pub fn with_state<S2>(self, state: S) -> Router<S2> {
        let others = self.other_methods.into_iter();
        let other_methods =
            others.map(|other| other.map(|router| router.with_state(state.clone()))).collect();
        Router {
            inner: self.inner.with_state(state),
            other_methods,
            entries: self.entries,
            required: self.required,
            mounted_at: self.mounted_at,
            hooks: self.hooks,
            declared: self.declared,
            resources: self.resources,
            needs_layer: self.needs_layer,
            has_v07_checks: self.has_v07_checks,
        }
    }

    /// Lists what is served at a path.
    pub(super) fn list(&mut self, path: &str, endpoints: Vec<Endpoint>) {
        if endpoints.is_empty() {
            self.entries.push(Entry::new(ServedMethods::Named(Vec::new()), path, Kind::Empty));
        }
        for endpoint in endpoints {
            let Endpoint { methods, route, allowed, hides_scopes, required, demands, .. } = endpoint;
            let entry = Entry::new(methods, path, Kind::Guarded(route));
            let entry = Entry { allowed, hides_scopes, required, demands, ..entry };
            #[cfg(feature = "openapi")]
            let entry = Entry { docs: endpoint.docs, ..entry };
            self.entries.push(entry);
        }
    }
}

impl<S> fmt::Debug for Router<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("entries", &self.entries)
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}
