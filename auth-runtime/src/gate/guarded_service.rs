//! A gate around a service. Its rule is a value, because the type of the service carries none.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::{Layer, Service};

use super::mounted::MountedRoute;
use crate::gate::enter;
use crate::pipeline::NoCheck;

/// Wraps a service in a gate.
#[derive(Clone, Debug)]
pub(crate) struct GateLayer(pub(crate) Arc<MountedRoute>);

impl<T> Layer<T> for GateLayer {
    type Service = GuardedService<T>;

    fn layer(&self, inner: T) -> GuardedService<T> {
        GuardedService { inner, route: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct GuardedService<T> {
    inner: T,
    route: Arc<MountedRoute>,
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
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The service that was polled until ready must be the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let route = Arc::clone(&self.route);
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match enter::<(), NoCheck>(&mut head, &(), |engine, _| route.policy(engine)).await {
                Ok(()) => inner.call(Request::from_parts(head, body)).await.map(IntoResponse::into_response),
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}
