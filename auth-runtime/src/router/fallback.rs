//! What answers requests that no route matches, and requests whose method no route of their path has.

use std::convert::Infallible;
use std::panic::Location;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use tower::Service;

use super::declared::Declaration;
use super::guarded_router::Router;
use super::into_guarded::{ServiceWithRule, guarded_service, into_guarded};
use super::method_router::{Endpoint, MethodRouter, mounted};
use super::other_methods::{AllowLayer, Allowed, OtherMethods, alone, unchecked};
use super::resolve::{Entry, Kind};
use super::served_methods::ServedMethods;
use super::{FALLBACK, UNKNOWN};
use crate::gate::CarriesPolicy;
use crate::policy::Rule;

/// What can be the [fallback](Router::fallback) of a router: a handler that has `#[auth]`, a [`MethodRouter`] of such
/// handlers, or any `axum::routing::MethodRouter` with a [`Rule`] beside it.
///
/// ```
/// # use auth_runtime::{Router, rule};
/// # use axum::http::StatusCode;
/// let app: Router = Router::new()
///     .fallback((axum::routing::any(|| async { (StatusCode::NOT_FOUND, "no such page") }), rule!(public)));
/// ```
#[diagnostic::on_unimplemented(
    message = "this fallback has no access policy",
    label = "no policy comes with this",
    note = "write `#[auth(public)]` above the handler, or put a rule beside it: `(axum::routing::any(handler), rule!(public))`",
    note = "a service is the fallback by `fallback_service((service, rule!(public)))`"
)]
pub trait IntoFallback<T, S>: sealed::Sealed<T, S> {}

mod sealed {
    use std::panic::Location;

    pub trait Sealed<T, S> {
        /// Makes it the fallback of axum's router.
        fn apply(
            self,
            router: axum::Router<S>,
            at: &'static Location<'static>,
        ) -> (axum::Router<S>, super::Endpoints<S>);
    }
}

impl<H, T, S> sealed::Sealed<T, S> for H
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    fn apply(
        self,
        router: axum::Router<S>,
        _: &'static Location<'static>,
    ) -> (axum::Router<S>, Endpoints<S>) {
        let (handler, route) = mounted::<H, T, S>(self);
        let endpoints = vec![Endpoint::new(ServedMethods::Any, route)];
        let endpoints =
            Endpoints { endpoints, other_methods: None, declared: Vec::new(), has_middleware: false };
        (router.fallback(handler), endpoints)
    }
}

impl<H, T, S> IntoFallback<T, S> for H
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
}

// `()` as with axum's own: method routers have no arguments that their policy is read from.
impl<S> sealed::Sealed<(), S> for MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn apply(
        self,
        router: axum::Router<S>,
        _: &'static Location<'static>,
    ) -> (axum::Router<S>, Endpoints<S>) {
        let is_default = self.has_default_fallback();
        let Self { inner, endpoints, not_allowed, declared, has_middleware, .. } = self.with_disclosure();
        let other_methods = is_default.then(|| not_allowed.of_fallback());
        let inner = if is_default { not_allowed.methods.merge(inner) } else { inner };
        (router.fallback(inner), Endpoints { endpoints, other_methods, declared, has_middleware })
    }
}

impl<S> IntoFallback<(), S> for MethodRouter<S> where S: Clone + Send + Sync + 'static {}

impl<S> sealed::Sealed<(), S> for (axum::routing::MethodRouter<S>, Rule)
where
    S: Clone + Send + Sync + 'static,
{
    fn apply(
        self,
        router: axum::Router<S>,
        at: &'static Location<'static>,
    ) -> (axum::Router<S>, Endpoints<S>) {
        into_guarded(self, at).apply(router, at)
    }
}

impl<S> IntoFallback<(), S> for (axum::routing::MethodRouter<S>, Rule) where S: Clone + Send + Sync + 'static {}

/// What a fallback is listed by.
#[derive(Debug)]
pub struct Endpoints<S> {
    endpoints: Vec<Endpoint>,
    /// What answers the methods that it has no handler for.
    other_methods: Option<OtherMethods<S>>,
    declared: Vec<Declaration>,
    has_middleware: bool,
}

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// What answers requests that no route matches: a handler that has `#[auth(public)]` in most services. It can also be a method
    /// router of guarded handlers, or one of axum with a rule next to it. It is listed as `/(fallback)`. Of several the last one
    /// counts; a router that is nested and has none takes the one of the router around it.
    #[track_caller]
    pub fn fallback<T>(mut self, fallback: impl IntoFallback<T, S>) -> Self {
        let (inner, Endpoints { endpoints, other_methods, declared, has_middleware }) =
            fallback.apply(self.inner, Location::caller());
        self.needs_layer |= has_middleware;
        self.inner = inner;
        self.declared.extend(declared.into_iter().map(|declaration| declaration.at(FALLBACK)));
        self.list_fallback(endpoints);
        self.other_methods.extend(other_methods);
        self
    }

    /// The service that answers requests that no route matches, with the rule beside it: files of a single-page application, for
    /// example, `(ServeDir::new("dist").fallback(ServeFile::new("dist/index.html")), rule!(public))`. See
    /// [`fallback`](Self::fallback).
    #[track_caller]
    pub fn fallback_service<T>(mut self, service: impl ServiceWithRule<T>) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        let (service, route) = guarded_service(service, Location::caller());
        self.inner = self.inner.fallback_service(service);
        self.list_fallback(vec![Endpoint::new(ServedMethods::Service, route)]);
        self
    }

    /// The handler for requests to the paths so far whose method no route of the path has, in place of an empty 405 answer. Its
    /// answer has the `Allow` header, and a rejection has none. It has `#[auth]` like any other handler, and is listed with the
    /// method `OTHER` for each of these paths; a path whose method router has a fallback, or `any`, keeps that.
    ///
    /// Where a path has a method router of axum's with a rule beside it, this handler answers for the methods which that one
    /// lacks, by its own rule: the rule of that method router is not evaluated. There a rejection has the header too.
    #[track_caller]
    pub fn method_not_allowed_fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        let mut fallbacks = unchecked();
        // Of method routers of axum's.
        let (shared, route) = mounted::<H, T, S>(handler.clone());
        for path in self.paths_without_method_fallback() {
            if self.has_default_fallback(&path) {
                let (handler, route) = mounted::<H, T, S>(handler.clone());
                let allowed = Allowed::default();
                let methods = axum::routing::any(handler).layer(AllowLayer(allowed.clone()));
                fallbacks = fallbacks.merge(alone(&path, methods));
                let entry = Entry::new(ServedMethods::Other, &path, Kind::Guarded(route));
                // What all routes of the path are under comes before it, as before the 405 that it replaces.
                let required = self.required_at(&path);
                self.entries.push(Entry { allowed: Some(allowed), required, ..entry });
            } else {
                self.entries.push(Entry::new(ServedMethods::Other, &path, Kind::Guarded(route.clone())));
            }
        }
        if fallbacks.has_routes() {
            self.merge_fallbacks(fallbacks);
        }
        self.inner = self.inner.method_not_allowed_fallback(shared);
        self
    }

    /// Removes the fallback, and those of the routers that are nested in this one: a request that matches no route gets an
    /// empty 404 again. For merging two routers that both have a fallback, which [`merge`](Self::merge) does not allow.
    pub fn reset_fallback(mut self) -> Self {
        self.inner = self.inner.reset_fallback();
        self.entries.retain(|entry| !entry.path.ends_with(FALLBACK));
        self.other_methods.retain(|other| !other.path.ends_with(FALLBACK));
        self
    }

    fn list_fallback(&mut self, endpoints: Vec<Endpoint>) {
        // As with axum's, the last one counts.
        self.entries.retain(|entry| entry.path != FALLBACK);
        self.other_methods.retain(|other| other.path != FALLBACK);
        self.list(FALLBACK, endpoints);
    }

    /// The paths whose method routers have the default answer for other methods, in the order in which they were mounted.
    fn paths_without_method_fallback(&self) -> Vec<String> {
        let mut paths: Vec<&str> = Vec::new();
        for entry in &self.entries {
            let is_route = match &entry.kind {
                Kind::Guarded(_) | Kind::Empty => {
                    entry.methods != ServedMethods::Service && !entry.path.ends_with(FALLBACK)
                }
                // Of such routers only this is known, that the handler answers for them too.
                Kind::Unguarded(_) => entry.path.ends_with(UNKNOWN),
            };
            if is_route && !paths.contains(&&*entry.path) {
                paths.push(&entry.path);
            }
        }
        let has_fallback =
            |path: &str| self.entries.iter().any(|entry| entry.path == path && entry.methods.is_fallback());
        paths.retain(|path| !has_fallback(path));
        paths.into_iter().map(str::to_owned).collect()
    }
}
