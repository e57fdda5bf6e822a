//! A guarded router is no service before `finish`. Where one is passed as if it were, the compiler says that, in place of listing
//! what implements the traits of axum and tower.

use std::convert::Infallible;
use std::future::Pending;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::Service;

use super::Router;

/// What no router is before `finish`. It is implemented for nothing, and can't be outside of this crate.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this router is not finished",
    label = "call `.finish(&auth)` on the router",
    note = "`finish` checks every route against the engine, and returns an `axum::Router`: write `axum::serve(listener, router.finish(&auth)?)`"
)]
pub trait Finished {}

/// In place of the router, so that the compiler reports `Finished` and not the trait that was asked for.
#[doc(hidden)]
#[derive(Debug)]
#[non_exhaustive]
pub struct Unfinished<S>(PhantomData<fn() -> S>);

/// What a router that is not finished answers: nothing, since there is no value of this type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum NoAnswer {}

#[doc(hidden)]
impl<S, R> Service<R> for Router<S>
where
    Unfinished<S>: Finished,
{
    type Response = NoAnswer;
    type Error = Infallible;
    type Future = Pending<Result<NoAnswer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: R) -> Self::Future {
        std::future::pending()
    }
}

#[doc(hidden)]
impl<S> Router<S>
where
    Self: Finished,
{
    pub fn into_make_service(self) -> Self {
        self
    }

    pub fn into_make_service_with_connect_info<C>(self) -> Self {
        self
    }

    pub fn into_service<B>(self) -> Self {
        self
    }
}

impl IntoResponse for NoAnswer {
    fn into_response(self) -> Response {
        match self {}
    }
}

/// `axum::serve` asks for a service that makes services.
impl Service<Request> for NoAnswer {
    type Response = Response;
    type Error = Infallible;
    type Future = Pending<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match *self {}
    }

    fn call(&mut self, _: Request) -> Self::Future {
        match *self {}
    }
}
