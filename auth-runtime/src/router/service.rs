//! Services with a rule beside them, at a path or at all that is below one.

use std::any::TypeId;
use std::convert::Infallible;
use std::panic::Location;

use axum::extract::Request;
use axum::response::IntoResponse;
use tower::Service;

use super::BELOW;
use super::guarded_router::Router;
use super::into_guarded::{ServiceWithRule, guarded_service};
use super::method_router::Endpoint;
use super::panics;
use super::path::join;
use super::served_methods::ServedMethods;

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Mounts a service at a path, with the rule beside it, as `axum::Router::route_service` does. It gets every method, and the
    /// path of the request as it is.
    ///
    /// ```
    /// # use auth_runtime::{Router, rule};
    /// # use axum::extract::Request;
    /// # let serve_file = tower::service_fn(|_: Request| async { Ok::<_, std::convert::Infallible>("robots") });
    /// let app: Router = Router::new().route_service("/robots.txt", (serve_file, rule!(public)));
    /// ```
    ///
    /// # Panics
    /// If the path overlaps with another route, or is malformed; if the service is an `axum::Router`, which is nested instead.
    #[track_caller]
    pub fn route_service<T>(mut self, path: &str, service: impl ServiceWithRule<T>) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        if TypeId::of::<T>() == TypeId::of::<axum::Router<S>>() {
            panics::route_service_of_a_router(path);
        }
        let (service, route) = guarded_service(service, Location::caller());
        // axum's `route_service` panics in a line of its own; `route` and `merge` pass on the caller's.
        let checked = axum::Router::<S>::new();
        let checked = if self.has_v07_checks { checked } else { checked.without_v07_checks() };
        drop(checked.clone().route(path, axum::routing::MethodRouter::new()));
        // Merged into the new one, which has no fallback: that of this router stays, with its layers.
        let inner = std::mem::take(&mut self.inner);
        self.inner = checked.route_service(path, service).merge(inner);
        self.list(path, vec![Endpoint::new(ServedMethods::Service, route)]);
        self
    }

    /// Mounts a service below a path, with the rule beside it, as `axum::Router::nest_service` does. It gets every request to the
    /// path and to what is below it, without the path in front. It is listed with `{*}` at the end.
    ///
    /// ```
    /// # use auth_runtime::{Router, rule};
    /// # let other_service = axum::Router::new();
    /// let app: Router = Router::new().nest_service("/other", (other_service, rule!(roles = ["staff"])));
    /// ```
    ///
    /// # Panics
    /// If the path overlaps with another route, is malformed, has a wildcard, or is `/`: there use
    /// [`fallback_service`](Self::fallback_service), or [`route_service`](Self::route_service) at `/` and `/{*path}`.
    #[track_caller]
    pub fn nest_service<T>(mut self, path: &str, service: impl ServiceWithRule<T>) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        panics::unless_nestable("nest_service", path, self.has_v07_checks);
        let (service, route) = guarded_service(service, Location::caller());
        self.inner = self.inner.nest_service(path, service);
        // axum hides the parameter of what is below, so it has no name for a rule either.
        self.list(&join(path, BELOW), vec![Endpoint::new(ServedMethods::Service, route)]);
        self
    }
}
