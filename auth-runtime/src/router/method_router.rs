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

use crate::gate::CarriesPolicy;
use crate::gate::GateLayer;
use crate::gate::{MountedHandler, MountedRoute};
#[cfg(feature = "openapi")]
use crate::openapi::WrittenOperations;
use crate::policy::HandlerInfo;
use crate::policy::Rule;

/// The handlers of one path, by method: `axum::routing::MethodRouter`, where each has a policy.
pub struct MethodRouter<S = ()> {
    pub(super) inner: axum::routing::MethodRouter<S>,
    pub(super) endpoints: Vec<Endpoint>,
}

/// One handler of a method router.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Empty: any.
    pub(super) methods: Vec<&'static str>,
    pub(super) route: Arc<MountedRoute>,
    /// What whoever wrote the handler says of it.
    #[cfg(feature = "openapi")]
    pub(super) written: Option<Arc<WrittenOperations>>,
}

impl Endpoint {
    fn new(methods: Vec<&'static str>, route: Arc<MountedRoute>) -> Self {
        Self {
            methods,
            route,
            #[cfg(feature = "openapi")]
            written: None,
        }
    }
}

/// What can be mounted as a route: a [`MethodRouter`], whose handlers carry their policies, or any
/// `axum::routing::MethodRouter` with a [`Rule`] beside it.
///
/// Which methods the latter has is not known here. It is listed as `ANY`, takes no token from the URL, and answers a method
/// that it lacks (405) to those alone whom the rule lets in.
///
/// ```
/// # use auth_runtime::{Router, rule};
/// let app: Router = Router::new()
///     .route("/ping", (axum::routing::get(|| async { "pong" }), rule!(public)));
/// ```
#[diagnostic::on_unimplemented(
    message = "this route has no access policy",
    label = "no policy comes with this",
    note = "use `auth_runtime::routing::{{get, post, ..}}` with handlers that have `#[auth]`, in place of `axum::routing`",
    note = "where the handler can't have the attribute, put a rule beside it: `(axum::routing::get(handler), rule!(roles = [\"admin\"]))`"
)]
pub trait IntoGuarded<S>: sealed::Sealed<S> {}

mod sealed {
    pub trait Sealed<S> {
        fn into_guarded(self, at: &'static std::panic::Location<'static>) -> super::MethodRouter<S>;
    }
}

impl<S> sealed::Sealed<S> for MethodRouter<S> {
    fn into_guarded(self, _: &'static Location<'static>) -> MethodRouter<S> {
        self
    }
}

impl<S> IntoGuarded<S> for MethodRouter<S> {}

impl<S> sealed::Sealed<S> for (axum::routing::MethodRouter<S>, Rule)
where
    S: Clone + Send + Sync + 'static,
{
    fn into_guarded(self, at: &'static Location<'static>) -> MethodRouter<S> {
        let (inner, rule) = self;
        beside(inner, Vec::new(), rule, HandlerInfo::new("[rule beside it]", at.file(), at.line()))
    }
}

/// What `inner` serves, guarded by a rule that stands beside it.
pub(crate) fn beside<S>(
    inner: axum::routing::MethodRouter<S>,
    methods: Vec<&'static str>,
    rule: Rule,
    handler: HandlerInfo,
) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let route = MountedRoute::beside(rule, handler);
    MethodRouter {
        // Not `route_layer`, which leaves the fallback open, and `any` is one.
        inner: inner.layer(GateLayer(Arc::clone(&route))),
        endpoints: vec![Endpoint::new(methods, route)],
    }
}

impl<S> IntoGuarded<S> for (axum::routing::MethodRouter<S>, Rule) where S: Clone + Send + Sync + 'static {}

/// Turns what a router was given into a method router.
pub(super) fn into_guarded<S>(route: impl IntoGuarded<S>, at: &'static Location<'static>) -> MethodRouter<S> {
    route.into_guarded(at)
}

/// Routes requests of the methods in `filter` to a handler that has `#[auth]`.
pub fn on<H, T, S>(filter: MethodFilter, handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter { inner: axum::routing::MethodRouter::new(), endpoints: Vec::new() }.on(filter, handler)
}

/// Routes requests of every method to a handler that has `#[auth]`.
pub fn any<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    let (handler, route) = mounted::<H, T, S>(handler);
    MethodRouter { inner: axum::routing::any(handler), endpoints: vec![Endpoint::new(Vec::new(), route)] }
}

impl<S> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Routes requests of the methods in `filter` to a handler that has `#[auth]`.
    ///
    /// # Panics
    /// If one of the methods has a handler already.
    #[must_use]
    #[track_caller]
    pub fn on<H, T>(mut self, filter: MethodFilter, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        let (handler, route) = mounted::<H, T, S>(handler);
        self.inner = self.inner.on(filter, handler);
        self.endpoints.push(Endpoint::new(names(filter), route));
        self
    }

    /// Says of the handlers so far what is written of them.
    #[cfg(feature = "openapi")]
    pub(crate) fn written(mut self, written: &Arc<WrittenOperations>) -> Self {
        for endpoint in &mut self.endpoints {
            endpoint.written = Some(Arc::clone(written));
        }
        self
    }

    /// Applies a layer to the handlers so far, outside of their gates, and to the answer for other methods.
    #[must_use]
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self { inner: self.inner.layer(layer), endpoints: self.endpoints }
    }

    /// Applies a layer to the handlers so far, outside of their gates.
    ///
    /// # Panics
    /// If there is no handler yet.
    #[must_use]
    #[track_caller]
    pub fn route_layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        // axum keeps the handler of `any` as the fallback, which its `route_layer` passes over.
        let has_any = self.endpoints.iter().any(|endpoint| endpoint.methods.is_empty());
        let inner = if has_any { self.inner.layer(layer) } else { self.inner.route_layer(layer) };
        Self { inner, endpoints: self.endpoints }
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
    (MountedHandler { handler, route: Arc::clone(&route) }, route)
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

/// The names of the methods in a filter.
fn names(filter: MethodFilter) -> Vec<&'static str> {
    METHODS.into_iter().filter(|&(method, _)| filter.or(method) == filter).map(|(_, name)| name).collect()
}

/// Whether a method changes nothing (RFC 9110 §9.2.1), whatever the case of its letters.
pub(crate) fn is_safe(method: &str) -> bool {
    ["GET", "HEAD", "OPTIONS", "TRACE"].iter().any(|safe| safe.eq_ignore_ascii_case(method))
}
