//! The router itself.

use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower::{Layer, Service};

#[cfg(feature = "openapi")]
use super::method_router::on;
use super::method_router::{IntoGuarded, beside, into_guarded, mounted};
use super::path::join;
use super::resolve::{Entry, Kind};
use super::routes::{RouteInfo, Routes};
use super::{BELOW, FALLBACK, UNKNOWN};
use crate::access::AccessPage;
use crate::engine::Auth;
use crate::error::{ConfigErrors, RoutesError};
use crate::gate::CarriesPolicy;
use crate::gate::GateLayer;
use crate::gate::MountedRoute;
#[cfg(feature = "openapi")]
use crate::openapi::WrittenOperations;
use crate::policy::HandlerInfo;
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
/// It is not `Clone`: a route that stood in two places would have two policies. Build a router twice instead.
#[must_use = "call `finish`"]
pub struct Router<S = ()> {
    inner: axum::Router<S>,
    entries: Vec<Entry>,
    required: Vec<Rule>,
    mounted_at: String,
    pages: Vec<AccessPage>,
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
            pages: Vec::new(),
        }
    }

    /// Adds a route, as `axum::Router::route` does.
    ///
    /// # Panics
    /// If the path overlaps with another route, or is malformed.
    #[track_caller]
    pub fn route(mut self, path: &str, route: impl IntoGuarded<S>) -> Self {
        let route = into_guarded(route, Location::caller());
        self.inner = self.inner.route(path, route.inner);
        for endpoint in route.endpoints {
            let entry = Entry::new(endpoint.methods, path, Kind::Guarded(endpoint.route));
            #[cfg(feature = "openapi")]
            let entry = Entry { written: endpoint.written, ..entry };
            self.entries.push(entry);
        }
        self
    }

    /// Mounts a service under a path, with the rule beside it. The service gets every request below the path, without
    /// the prefix, as with `axum::Router::nest_service`; a path that ends in a wildcard is one route, whose
    /// requests keep their path, as with `route_service`.
    ///
    /// # Panics
    /// If the path overlaps with another route, or is malformed.
    #[track_caller]
    pub fn service<T>(mut self, path: &str, service: T, rule: Rule) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        let at = Location::caller();
        let route = MountedRoute::beside(rule, HandlerInfo::new("[service]", at.file(), at.line()));
        let guarded = GateLayer(Arc::clone(&route)).layer(service);
        if path.ends_with('}') && path.contains("{*") {
            self.inner = self.inner.route_service(path, guarded);
            self.add(Vec::new(), path, route);
        } else {
            self.inner = self.inner.nest_service(path, guarded);
            // axum hides the parameter of what is below, so it has no name for a rule either.
            self.add(Vec::new(), &join(path, BELOW), route);
        }
        self
    }

    /// The handler for requests that no route matches. It has a policy like any other: `#[auth(public)]`, mostly.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        let (handler, route) = mounted::<H, T, S>(handler);
        self.inner = self.inner.fallback(handler);
        // As with axum's, the last one counts.
        self.entries.retain(|entry| entry.path != FALLBACK);
        self.add(Vec::new(), FALLBACK, route);
        self
    }

    /// Adds the routes of another router below a path, as `axum::Router::nest` does. What that router requires goes
    /// with them.
    ///
    /// # Panics
    /// As `axum::Router::nest`.
    #[track_caller]
    pub fn nest(mut self, path: &str, router: Self) -> Self {
        let Self { inner, mut entries, pages, .. } = router.with_requirements();
        let has_fallback = |entry: &Entry| [FALLBACK, UNKNOWN].contains(&&*entry.path);
        if !entries.iter().any(has_fallback) {
            // axum forgets the fallbacks inside of a router that has none itself.
            entries.retain(|entry| !entry.path.ends_with(FALLBACK));
        }
        self.inner = self.inner.nest(path, inner);
        self.pages.extend(pages);
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
        let Self { inner, entries, pages, .. } = router.with_requirements();
        self.inner = self.inner.merge(inner);
        self.pages.extend(pages);
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
        for (path, methods, written) in WrittenOperations::of(document) {
            router = router.route(&path, on(methods, handler.clone()).written(&Arc::new(written)));
        }
        router
    }

    /// Serves the [access table](crate::access) of the finished router as a page, guarded by this rule: it tells who could be
    /// asked for what. `HEAD` and `GET` only.
    ///
    /// # Panics
    /// If the path overlaps with another route, or is malformed.
    #[track_caller]
    pub fn access_page(mut self, path: &str, rule: Rule) -> Self {
        let page = AccessPage::default();
        self.pages.push(page.clone());
        let at = Location::caller();
        let handler = HandlerInfo::new("auth_runtime::access_page", at.file(), at.line());
        let serve = axum::routing::get(async move || page.serve());
        self.route(path, beside(serve, vec!["GET"], rule, handler))
    }

    /// Adds routes that have no policy: nothing of this library stands before them, unless their handlers have
    /// `#[auth]`. The table lists that this was done, and where.
    ///
    /// # Panics
    /// As `axum::Router::merge`.
    #[track_caller]
    pub fn merge_unguarded(mut self, router: axum::Router<S>) -> Self {
        self.inner = self.inner.merge(router);
        self.entries.push(Entry::new(Vec::new(), UNKNOWN, Kind::Unguarded(Location::caller())));
        self
    }

    /// A rule that every route of this router must keep beside its own, wherever in the chain this is called: also
    /// the routes that are added later. A route that is public or optional by itself is so no longer.
    ///
    /// Where the rule names sources, a route takes only those of its own that are among them.
    pub fn require(mut self, rule: Rule) -> Self {
        self.required.push(rule);
        self
    }

    /// Says where a router that is finished before it is nested will stand, so that its rules can name the
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
        Self { inner: self.inner.layer(layer), ..self }
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
        Self { inner: self.inner.route_layer(layer), ..self }
    }

    /// Gives the handlers their state, as `axum::Router::with_state` does.
    pub fn with_state<S2>(self, state: S) -> Router<S2> {
        Router {
            inner: self.inner.with_state(state),
            entries: self.entries,
            required: self.required,
            mounted_at: self.mounted_at,
            pages: self.pages,
        }
    }

    /// All routes, with what they ask for.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let routes = self.entries.iter().flat_map(|entry| {
            let (handler, check, unguarded) = match &entry.kind {
                Kind::Guarded(route) => (route.handler.name, route.check, false),
                Kind::Unguarded(_) => ("[merge_unguarded]", None, true),
            };
            let methods = if entry.methods.is_empty() { vec!["ANY"] } else { entry.methods.clone() };
            let rules: Vec<Rule> = self.required.iter().copied().chain(entry.rules()).collect();
            methods.into_iter().map(move |method| RouteInfo {
                method,
                path: join(&self.mounted_at, &entry.path),
                handler,
                rules: rules.clone(),
                check,
                unguarded,
                #[cfg(feature = "openapi")]
                written: entry.written.clone(),
            })
        });
        Routes { routes: routes.collect() }
    }

    /// Checks every route against the engine and makes an `axum::Router` of them, with the engine's layer in place.
    ///
    /// # Errors
    /// [`RoutesError`], which lists every route that the engine can't serve: one that names a source the engine
    /// lacks, compares a claim with a parameter its path lacks, or takes a token from the URL for a method that
    /// changes state.
    pub fn finish(self, auth: &Auth) -> Result<axum::Router<S>, RoutesError> {
        let finished = self.with_requirements();
        let mut errors = ConfigErrors::default();
        for entry in &finished.entries {
            entry.resolve(auth.engine(), &finished.mounted_at, &mut errors);
        }
        errors.check::<RoutesError>()?;
        if !finished.pages.is_empty() {
            let table = finished.routes().table(auth);
            finished.pages.iter().for_each(|page| page.fill(&table));
        }
        Ok(finished.inner.layer(auth.layer()))
    }

    fn add(&mut self, methods: Vec<&'static str>, path: &str, route: Arc<MountedRoute>) {
        self.entries.push(Entry::new(methods, path, Kind::Guarded(route)));
    }

    /// The same, with what this router requires put in front of what is required of each route already.
    fn with_requirements(mut self) -> Self {
        for entry in &mut self.entries {
            entry.required.splice(0..0, self.required.iter().copied());
        }
        self.required.clear();
        self
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
