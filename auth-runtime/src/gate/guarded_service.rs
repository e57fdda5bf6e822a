//! A gate around a service, whose rule is beside it and not in its type.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::{Layer, Service};

use crate::gate::MountedRoute;
use crate::gate::enter;
use crate::pipeline::NoCheck;

/// Wraps a service in a gate.
#[derive(Clone, Debug)]
pub(crate) struct GateLayer(pub(crate) Arc<MountedRoute>);

impl<T> Layer<T> for GateLayer {
    type Service = GuardedService<T>;

    fn layer(&self, inner: T) -> GuardedService<T> {
        GuardedService::new(inner, Arc::clone(&self.0))
    }
}

/// A service with a gate in front of it.
///
/// Cloning it does not clone the service: axum clones every layer for each request, and a handler that is cloned clones
/// the state of its router. The service is cloned once a request, when that one is asked whether it is ready.
#[derive(Debug)]
pub(crate) struct GuardedService<T> {
    template: Arc<T>,
    /// The one that was asked whether it is ready, and is called next.
    polled: Option<T>,
    route: Arc<MountedRoute>,
}

impl<T> GuardedService<T> {
    pub(crate) fn new(service: T, route: Arc<MountedRoute>) -> Self {
        Self { template: Arc::new(service), polled: None, route }
    }
}

impl<T> Clone for GuardedService<T> {
    fn clone(&self) -> Self {
        Self { template: Arc::clone(&self.template), polled: None, route: Arc::clone(&self.route) }
    }
}

impl<T> Service<Request> for GuardedService<T>
where
    T: Service<Request, Error = Infallible> + Clone + Send + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.polled.get_or_insert_with(|| T::clone(&self.template)).poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut inner = self.polled.take().unwrap_or_else(|| T::clone(&self.template));
        let route = Arc::clone(&self.route);
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match enter::<(), NoCheck>(&mut head, &(), |engine, head| route.policy(engine, head)).await {
                Ok(_) => inner.call(Request::from_parts(head, body)).await.map(IntoResponse::into_response),
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}
