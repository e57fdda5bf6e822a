//! What the router takes: what carries its policy, and what has a rule beside it.

use std::panic::Location;
use std::sync::Arc;

use super::method_router::{Endpoint, MethodRouter};
use super::other_methods::NotAllowed;
use super::served_methods::ServedMethods;
use crate::gate::MountedRoute;
use crate::gate::{GateLayer, GuardedService};
use crate::policy::HandlerInfo;
use crate::policy::Rule;

/// What can be mounted as a route: a [`MethodRouter`], whose handlers carry their policies, or any
/// `axum::routing::MethodRouter` with a [`Rule`] beside it.
///
/// Which methods the latter has is not known here. It is listed as `ANY`, takes no token from the URL, and answers a method
/// that it lacks (405) only to callers that satisfy the rule. axum adds `Allow` to the rejection of such a request too.
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

/// A service with a [`Rule`] beside it, as a pair: `(ServeDir::new("assets"), rule!(public))`.
#[diagnostic::on_unimplemented(
    message = "this service has no access policy",
    label = "no rule comes with this",
    note = "put a rule beside the service, as a pair: `(service, rule!(roles = [\"admin\"]))`, or `(service, rule!(public))` for everyone"
)]
pub trait ServiceWithRule<T>: sealed::SealedService<T> {}

mod sealed {
    use crate::policy::Rule;

    pub trait Sealed<S> {
        fn into_guarded(self, at: &'static std::panic::Location<'static>) -> super::MethodRouter<S>;
    }

    // Of the service as a parameter: where it is an associated type, the compiler reports a pair that is missing twice.
    pub trait SealedService<T> {
        fn into_parts(self) -> (T, Rule);
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
        guarded(
            inner,
            ServedMethods::Unknown,
            rule,
            HandlerInfo::new("[rule beside it]", at.file(), at.line()),
        )
    }
}

impl<S> IntoGuarded<S> for (axum::routing::MethodRouter<S>, Rule) where S: Clone + Send + Sync + 'static {}

impl<T> sealed::SealedService<T> for (T, Rule) {
    fn into_parts(self) -> (T, Rule) {
        self
    }
}

impl<T> ServiceWithRule<T> for (T, Rule) {}

/// Turns what a router was given into a method router.
pub(super) fn into_guarded<S>(route: impl IntoGuarded<S>, at: &'static Location<'static>) -> MethodRouter<S> {
    route.into_guarded(at)
}

/// What `inner` serves for these methods, guarded by a rule that is beside it.
pub(crate) fn beside<S>(
    inner: axum::routing::MethodRouter<S>,
    methods: Vec<&'static str>,
    rule: Rule,
    handler: HandlerInfo,
) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    guarded(inner, ServedMethods::Named(methods), rule, handler)
}

fn guarded<S>(
    inner: axum::routing::MethodRouter<S>,
    methods: ServedMethods,
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
        not_allowed: NotAllowed::new(),
        declared: Vec::new(),
        hides_scopes: false,
        has_middleware: false,
    }
}

/// A service behind the gate of the rule beside it, and its route.
pub(super) fn guarded_service<T>(
    pair: impl ServiceWithRule<T>,
    at: &'static Location<'static>,
) -> (GuardedService<T>, Arc<MountedRoute>) {
    let (service, rule) = pair.into_parts();
    let route = MountedRoute::beside(rule, HandlerInfo::new("[service]", at.file(), at.line()));
    (GuardedService::new(service, Arc::clone(&route)), route)
}
