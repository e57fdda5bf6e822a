//! A gate around a service, whose rule is beside it and not in its type.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::MountedRoute;
use super::enter::Gate;
use crate::pipeline::{AnswerTo, let_in};
use crate::rejection::Rejection;

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
    type Future = GuardedFuture<T::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.polled.get_or_insert_with(|| T::clone(&self.template)).poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut inner = self.polled.take().unwrap_or_else(|| T::clone(&self.template));
        let answer_to = self.route.begin(&mut request);
        let (mut head, body) = request.into_parts();
        if let_in(&mut head, None) {
            let state = Answering::Service { answer: inner.call(Request::from_parts(head, body)) };
            return GuardedFuture { state, answer_to };
        }
        let gate = match Gate::of_service(&mut head) {
            Ok(gate) => gate,
            Err(rejection) => return GuardedFuture::rejected(rejection, answer_to),
        };
        let state = match gate.decide_at_once(&mut head, false) {
            Some(decided) => match gate.conclude(&mut head, decided) {
                Ok(_) => Answering::Service { answer: inner.call(Request::from_parts(head, body)) },
                Err(rejection) => return GuardedFuture::rejected(rejection, answer_to),
            },
            None => {
                let answer = async move {
                    let decided = gate.decide(&mut head).await;
                    match gate.conclude(&mut head, decided) {
                        Ok(_) => {
                            inner.call(Request::from_parts(head, body)).await.map(IntoResponse::into_response)
                        }
                        Err(rejection) => Ok(rejection.into_response()),
                    }
                };
                Answering::Waiting { answer: Box::pin(answer) }
            }
        };
        GuardedFuture { state, answer_to }
    }
}

type BoxAnswer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

pin_project! {
    /// The response future of a guarded service.
    pub(crate) struct GuardedFuture<F> {
        #[pin]
        state: Answering<F>,
        answer_to: Option<AnswerTo>,
    }
}

pin_project! {
    #[project = AnsweringProjected]
    enum Answering<F> {
        Rejected { rejection: Option<Box<Rejection>> },
        Service { #[pin] answer: F },
        /// The gate waits for something.
        Waiting { answer: BoxAnswer },
    }
}

impl<F> GuardedFuture<F> {
    fn rejected(rejection: Rejection, answer_to: Option<AnswerTo>) -> Self {
        Self { state: Answering::Rejected { rejection: Some(Box::new(rejection)) }, answer_to }
    }
}

impl<F, A> Future for GuardedFuture<F>
where
    F: Future<Output = Result<A, Infallible>>,
    A: IntoResponse,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.state.project() {
            AnsweringProjected::Rejected { rejection } => match rejection.take() {
                Some(rejection) => rejection.into_response(),
                None => return Poll::Pending,
            },
            AnsweringProjected::Service { answer } => ready!(answer.poll(context))?.into_response(),
            AnsweringProjected::Waiting { answer } => ready!(answer.as_mut().poll(context))?,
        };
        Poll::Ready(Ok(match this.answer_to.take() {
            Some(answer_to) => answer_to.finish(answer),
            None => answer,
        }))
    }
}
