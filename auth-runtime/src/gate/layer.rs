//! The tower layer that gives every request its [`RequestAuth`].

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::engine::{Auth, Engine};
use crate::pipeline::{AnswerHeaders, GuardedRoutes, RequestAuth, answer_after_gate};
use crate::rejection::{KeptHead, take_marked};

/// The tower layer that connects handlers with `#[auth]` to the engine, and adds the headers that the engine sets to the response:
/// cookies, `Vary` and `Cache-Control`. It also renders the [`Rejection`](crate::rejection::Rejection)s that the application answers
/// with.
///
/// `finish` of the guarded router adds it. On a plain `axum::Router`, add it with `.layer(auth.layer())`. Of several layers
/// around a handler, the innermost counts.
#[derive(Clone, Debug)]
pub struct AuthLayer {
    engine: Arc<Engine>,
    /// Those of the router that it is around.
    routes: Option<Arc<dyn GuardedRoutes>>,
}

impl Auth {
    /// Returns the layer that connects handlers with `#[auth]` to this engine. `finish` of the guarded router adds it.
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
        let auth = RequestAuth::new(Arc::clone(&self.engine), routes);
        let head = KeptHead::of(&request, self.engine.responses.read_head());
        request.extensions_mut().insert(auth.clone());
        AuthFuture { inner: self.inner.call(request), request: Some((auth, head)) }
    }
}

pin_project! {
    /// The response future of [`AuthService`].
    #[derive(Debug)]
    pub struct AuthFuture<F> {
        #[pin]
        inner: F,
        request: Option<(RequestAuth, KeptHead)>,
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
        let mut answer = ready!(this.inner.poll(context))?.map(Body::new);
        if let Some((auth, head)) = this.request.take() {
            if let Some(rejection) = take_marked(answer.extensions_mut()) {
                answer = answer_after_gate(&auth, rejection, answer, head);
            }
            add(answer.headers_mut(), auth.take_answer_headers());
            // The innermost layer has inserted its own, and it is the one that decided.
            if answer.extensions().get::<RequestAuth>().is_none() {
                answer.extensions_mut().insert(auth);
            }
        }
        Poll::Ready(Ok(answer))
    }
}

/// Adds headers. `Cache-Control` replaces the handler's, because it protects the response. A cookie that the handler set is
/// kept: the gate clears an expired cookie, and must not clear the new cookie of a login.
///
/// `Vary` names the headers that decided, in addition to those that the handler named. `Cache-Control: private` is only for an answer
/// of which the handler says nothing.
fn add(headers: &mut HeaderMap, more: AnswerHeaders) {
    // Compared by name with those of the handler alone: the gate's own may have one name, and different domains.
    let has_cookies = more.headers.contains_key(SET_COOKIE);
    let of_handler: Vec<_> = headers.get_all(SET_COOKIE).iter().filter(|_| has_cookies).cloned().collect();
    for (name, value) in &more.headers {
        if name == CACHE_CONTROL {
            headers.insert(name, value.clone());
            continue;
        }
        let is_superfluous = name == SET_COOKIE
            && (of_handler.iter().any(|set| same_cookie(set, value))
                || headers.get_all(SET_COOKIE).iter().any(|set| set == value));
        if !is_superfluous {
            headers.append(name, value.clone());
        }
    }
    let (innermost, outer) = more.sources;
    innermost.iter().chain(&outer).for_each(|sources| sources.vary.add_to(headers));
    if more.is_private && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

fn same_cookie(one: &HeaderValue, other: &HeaderValue) -> bool {
    fn name(value: &HeaderValue) -> Option<&[u8]> {
        value.as_bytes().split(|byte| *byte == b'=').next()
    }
    name(one) == name(other)
}
