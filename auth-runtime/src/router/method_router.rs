//! `get`, `post` and the others, for handlers that carry a policy.

use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, Route};
use tower::{Layer, Service};

use super::declared::Declaration;
use super::demands::Demands;
#[cfg(feature = "openapi")]
use super::documentation::HandlerDocs;
use super::into_guarded::{IntoGuarded, ServiceWithRule, guarded_service, into_guarded};
use super::other_methods::{AllowLayer, Allowed, NotAllowed};
use super::served_methods::ServedMethods;
use crate::gate::CarriesPolicy;
use crate::gate::{MountedHandler, MountedRoute};
use crate::policy::Rule;

/// The handlers of one path, by method: `axum::routing::MethodRouter`, where each has a policy.
///
/// The [table of axum's methods](crate::Router#methods-of-axums-method-router) says which of them are here.
#[must_use = "mount it with `Router::route`"]
pub struct MethodRouter<S = ()> {
    pub(super) inner: axum::routing::MethodRouter<S>,
    pub(super) endpoints: Vec<Endpoint>,
    /// The answer to all other methods, if there is no fallback and a router requires something.
    pub(super) not_allowed: NotAllowed<S>,
    /// What its handlers decide outside of requests.
    pub(super) declared: Vec<Declaration>,
    pub(super) hides_scopes: bool,
    /// Whether a layer is around a gate.
    pub(super) has_middleware: bool,
}

/// One handler of a method router.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) methods: ServedMethods,
    pub(super) route: Arc<MountedRoute>,
    /// What its answers name in `Allow`, if axum does not add that.
    pub(super) allowed: Option<Allowed>,
    pub(super) hides_scopes: bool,
    /// What is required of it besides its rule, as a router around it would.
    pub(super) required: Vec<Rule>,
    pub(super) demands: Demands,
    #[cfg(feature = "openapi")]
    pub(super) docs: Option<Arc<HandlerDocs>>,
}

impl Endpoint {
    pub(super) fn new(methods: ServedMethods, route: Arc<MountedRoute>) -> Self {
        Self {
            methods,
            route,
            allowed: None,
            hides_scopes: false,
            required: Vec::new(),
            demands: Demands::default(),
            #[cfg(feature = "openapi")]
            docs: None,
        }
    }
}

/// Routes requests of the methods in `filter` to a handler that has `#[auth]`.
pub fn on<H, T, S>(filter: MethodFilter, handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().on(filter, handler)
}

/// Routes requests of every method to a handler that has `#[auth]`. Methods that are added to it go to their own handlers.
pub fn any<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    let (handler, route) = mounted::<H, T, S>(handler);
    MethodRouter {
        inner: axum::routing::any(handler),
        endpoints: vec![Endpoint::new(ServedMethods::Any, route)],
        not_allowed: NotAllowed::new(),
        declared: Vec::new(),
        hides_scopes: false,
        has_middleware: false,
    }
}

impl<S> Default for MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// No handlers: every request is answered with 405 (Method Not Allowed).
    pub fn new() -> Self {
        Self {
            inner: axum::routing::MethodRouter::new(),
            endpoints: Vec::new(),
            not_allowed: NotAllowed::new(),
            declared: Vec::new(),
            hides_scopes: false,
            has_middleware: false,
        }
    }

    /// Routes requests of the methods in `filter` to a handler that has `#[auth]`.
    ///
    /// # Panics
    /// If one of the methods has a handler already.
    #[track_caller]
    pub fn on<H, T>(mut self, filter: MethodFilter, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        let (handler, route) = mounted::<H, T, S>(handler);
        self.inner = self.inner.on(filter, handler);
        self.listing(filter, route)
    }

    /// Apart, so that it is not compiled for each handler.
    fn listing(mut self, filter: MethodFilter, route: Arc<MountedRoute>) -> Self {
        self.endpoints.push(Endpoint::new(ServedMethods::of(filter), route));
        self
    }

    /// Routes requests of the methods in `filter` to a service that has a rule beside it: `(service, rule!(public))`.
    ///
    /// # Panics
    /// If one of the methods has a handler already.
    #[track_caller]
    pub fn on_service<T>(mut self, filter: MethodFilter, service: impl ServiceWithRule<T>) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse + 'static,
        T::Future: Send + 'static,
    {
        let (service, route) = guarded_service(service, Location::caller());
        self.inner = self.inner.on_service(filter, service);
        self.endpoints.push(Endpoint::new(ServedMethods::of(filter), route));
        self
    }

    /// The handler for requests of all other methods, as `axum::routing::MethodRouter::fallback`: the answer that it gives
    /// has the `Allow` header, and a rejection has none. It has `#[auth]` like any other handler, replaces an earlier fallback
    /// and the handler of [`any`], and is listed with the method `OTHER`.
    pub fn fallback<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        let (handler, route) = mounted::<H, T, S>(handler);
        self.with_fallback(axum::routing::any(handler), route)
    }

    /// The service for requests of all other methods, with a rule beside it: `(service, rule!(public))`. The same as
    /// [`fallback`](Self::fallback) otherwise.
    #[track_caller]
    pub fn fallback_service<T>(self, service: impl ServiceWithRule<T>) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse + 'static,
        T::Future: Send + 'static,
    {
        let (service, route) = guarded_service(service, Location::caller());
        self.with_fallback(axum::routing::any_service(service), route)
    }

    /// Adds the handlers of another method router, or what axum's method router serves with a rule beside it:
    /// `get(read).merge((axum::routing::put_service(service), rule!(roles = ["admin"])))`.
    ///
    /// # Panics
    /// As `axum::routing::MethodRouter::merge`: if both have a handler for one method, or both have a fallback.
    #[track_caller]
    pub fn merge(mut self, other: impl IntoGuarded<S>) -> Self {
        let other = into_guarded(other, Location::caller()).with_disclosure();
        self.inner = self.inner.merge(other.inner);
        self.endpoints.extend(other.endpoints);
        self.declared.extend(other.declared);
        self.has_middleware |= other.has_middleware;
        // As in axum: of two default answers that of the other.
        self.not_allowed = other.not_allowed;
        self
    }

    /// Gives the handlers their state, as `axum::routing::MethodRouter::with_state` does.
    pub fn with_state<S2>(self, state: S) -> MethodRouter<S2> {
        let Self { inner, endpoints, not_allowed, declared, hides_scopes, has_middleware } = self;
        let not_allowed = not_allowed.with_state(state.clone());
        let inner = inner.with_state(state);
        MethodRouter { inner, endpoints, not_allowed, declared, hides_scopes, has_middleware }
    }

    /// Applies a layer to the handlers so far, outside of their gates, and to the answer for other methods.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let not_allowed = self.not_allowed.layer(layer.clone());
        Self { inner: self.inner.layer(layer), not_allowed, has_middleware: true, ..self }
    }

    /// Applies a layer to the handlers so far, outside of their gates. Unlike axum's, it reaches the handler of [`any`].
    ///
    /// # Panics
    /// If there is no handler yet.
    #[track_caller]
    pub fn route_layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        // axum has the handler of `any` as the fallback, which its `route_layer` leaves out; a method router with a rule beside it may
        // have one.
        let may_have_any =
            |endpoint: &Endpoint| matches!(endpoint.methods, ServedMethods::Any | ServedMethods::Unknown);
        let has_any = self.endpoints.iter().any(may_have_any);
        let inner = if has_any { self.inner.layer(layer) } else { self.inner.route_layer(layer) };
        Self { inner, has_middleware: true, ..self }
    }

    /// Keeps the scopes of the rules here, declared ones too, from those who have no token: they are not in the metadata of the
    /// [protected resource](crate::Router::protected_resource), and not in its challenge to a caller without a valid token. A caller with one
    /// still learns which scopes it lacks (RFC 6750 §3.1).
    ///
    /// The metadata is to name what most clients need. Hide what few may have: `delete(purge).hide_scopes()`.
    pub fn hide_scopes(mut self) -> Self {
        self.hides_scopes = true;
        self
    }

    /// With what it hides marked on each of its handlers and rules.
    pub(super) fn with_disclosure(mut self) -> Self {
        if self.hides_scopes {
            self.endpoints.iter_mut().for_each(|endpoint| endpoint.hides_scopes = true);
            self.declared.iter_mut().for_each(Declaration::hide_scopes);
        }
        self
    }

    /// Adds documentation to the handlers so far.
    #[cfg(feature = "openapi")]
    pub(crate) fn with_docs(mut self, docs: &Arc<HandlerDocs>) -> Self {
        for endpoint in &mut self.endpoints {
            endpoint.docs = Some(Arc::clone(docs));
        }
        self
    }

    /// Adds what the handlers so far demand of where they are mounted, and a rule that is required besides theirs.
    #[cfg(feature = "token-routes")]
    pub(crate) fn demanding(mut self, demands: &Demands, required: Option<Rule>) -> Self {
        for endpoint in &mut self.endpoints {
            endpoint.demands = demands.clone();
            endpoint.required.extend(required);
        }
        self
    }

    /// Whether it has handlers of this library alone, and no fallback.
    pub(super) fn has_default_fallback(&self) -> bool {
        self.endpoints.iter().all(|endpoint| matches!(endpoint.methods, ServedMethods::Named(_)))
    }

    /// `fallback` is what answers every method.
    fn with_fallback(mut self, fallback: axum::routing::MethodRouter<S>, route: Arc<MountedRoute>) -> Self {
        let allowed = Allowed::default();
        let is_default = self.has_default_fallback();
        let adds_allow = is_default || self.endpoints.iter().any(|endpoint| endpoint.allowed.is_some());
        let fallback = if adds_allow { fallback.layer(AllowLayer(allowed.clone())) } else { fallback };
        // Merged with what is made by `any`, axum adds no `Allow`. After that it is replaced as any other.
        self.inner = if is_default { fallback.merge(self.inner) } else { self.inner.fallback(fallback) };
        self.endpoints.retain(|endpoint| !endpoint.methods.is_fallback());
        let endpoint = Endpoint::new(ServedMethods::Other, route);
        self.endpoints.push(Endpoint { allowed: adds_allow.then_some(allowed), ..endpoint });
        self
    }
}

impl<S> fmt::Debug for MethodRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodRouter").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// A handler that brings its route along, and the route.
pub(super) fn mounted<H, T, S>(handler: H) -> (MountedHandler<H>, Arc<MountedRoute>)
where
    H: Handler<T, S>,
    T: CarriesPolicy,
{
    let route = MountedRoute::of::<T>();
    (MountedHandler::new(handler, &route), route)
}

/// The methods that a filter can have, by their names.
pub(crate) const METHODS: [(MethodFilter, &str); 9] = [
    (MethodFilter::GET, "GET"),
    (MethodFilter::HEAD, "HEAD"),
    (MethodFilter::POST, "POST"),
    (MethodFilter::PUT, "PUT"),
    (MethodFilter::PATCH, "PATCH"),
    (MethodFilter::DELETE, "DELETE"),
    (MethodFilter::OPTIONS, "OPTIONS"),
    (MethodFilter::TRACE, "TRACE"),
    (MethodFilter::CONNECT, "CONNECT"),
];
