//! The tower layer that gives every request its [`RequestAuth`].

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::engine::{Auth, Engine};
use crate::pipeline::{AnswerTo, GuardedRoutes, Mounted, RequestAuth, begin};

/// The tower layer that connects handlers with `#[auth]` to the engine, and adds the headers that the engine sets to the response:
/// cookies, `Vary` and `Cache-Control`. It also renders the [`Rejection`](crate::rejection::Rejection)s that the application answers
/// with.
///
/// `finish` of the guarded router does the same, and needs no layer for a route that nothing else is around. On a plain
/// `axum::Router`, add it with `.layer(auth.layer())`. Of several layers around a handler, the innermost counts.
#[derive(Clone, Debug)]
pub struct AuthLayer {
    engine: Arc<Engine>,
    /// Those of the router that it is around.
    routes: Option<Arc<dyn GuardedRoutes>>,
}

impl Auth {
    /// Returns the layer that connects handlers with `#[auth]` to this engine. `finish` of the guarded router adds it where it is
    /// needed.
    #[must_use]
    pub fn layer(&self) -> AuthLayer {
        AuthLayer::new(Arc::clone(self.engine()))
    }
}

impl AuthLayer {
    fn new(engine: Arc<Engine>) -> Self {
        Self { engine, routes: None }
    }

    /// Around a router with these routes.
    pub(crate) fn around(self, routes: Arc<dyn GuardedRoutes>) -> Self {
        Self { routes: Some(routes), ..self }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { inner, engine: Arc::clone(&self.engine), routes: self.routes.clone() }
    }
}

/// The service of [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    inner: S,
    engine: Arc<Engine>,
    routes: Option<Arc<dyn GuardedRoutes>>,
}

impl<S, B, A> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    A: HttpBody<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = AuthFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let routes = self.routes.clone().map(|routes| (routes, request.extensions().get().cloned()));
        let auth = RequestAuth::of_layer(Arc::clone(&self.engine), routes);
        let answer_to = begin(&mut request, auth, Mounted::Nothing);
        AuthFuture { inner: self.inner.call(request), answer_to: Some(answer_to) }
    }
}

pin_project! {
    /// The response future of [`AuthService`].
    #[derive(Debug)]
    pub struct AuthFuture<F> {
        #[pin]
        inner: F,
        answer_to: Option<AnswerTo>,
    }
}

impl<F, A, E> Future for AuthFuture<F>
where
    F: Future<Output = Result<Response<A>, E>>,
    A: HttpBody<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(context))?.map(Body::new);
        Poll::Ready(Ok(match this.answer_to.take() {
            Some(answer_to) => answer_to.finish(answer),
            None => answer,
        }))
    }
}
