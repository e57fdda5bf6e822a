//! One function and one method a request method, written out: the compiler's messages would show a macro.

use axum::handler::Handler;
use axum::routing::MethodFilter;

use super::method_router::{MethodRouter, on};
use crate::gate::CarriesPolicy;

/// Routes `GET` requests to a handler that has `#[auth]`. `HEAD` requests too, without the body.
pub fn get<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::GET, handler)
}

/// Routes `POST` requests to a handler that has `#[auth]`.
pub fn post<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::POST, handler)
}

/// Routes `PUT` requests to a handler that has `#[auth]`.
pub fn put<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::PUT, handler)
}

/// Routes `PATCH` requests to a handler that has `#[auth]`.
pub fn patch<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::PATCH, handler)
}

/// Routes `DELETE` requests to a handler that has `#[auth]`.
pub fn delete<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::DELETE, handler)
}

/// Routes `HEAD` requests to a handler that has `#[auth]`.
pub fn head<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::HEAD, handler)
}

/// Routes `OPTIONS` requests to a handler that has `#[auth]`.
pub fn options<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::OPTIONS, handler)
}

/// Routes `TRACE` requests to a handler that has `#[auth]`.
pub fn trace<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::TRACE, handler)
}

/// Routes `CONNECT` requests to a handler that has `#[auth]`: HTTP/2's, for WebSockets (RFC 8441).
pub fn connect<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: CarriesPolicy + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(MethodFilter::CONNECT, handler)
}

/// Each panics if the method has a handler already.
impl<S> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Routes `GET` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn get<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::GET, handler)
    }

    /// Routes `POST` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn post<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::POST, handler)
    }

    /// Routes `PUT` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn put<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::PUT, handler)
    }

    /// Routes `PATCH` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn patch<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::PATCH, handler)
    }

    /// Routes `DELETE` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn delete<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::DELETE, handler)
    }

    /// Routes `HEAD` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn head<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::HEAD, handler)
    }

    /// Routes `OPTIONS` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn options<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::OPTIONS, handler)
    }

    /// Routes `TRACE` requests to a handler that has `#[auth]`.
    #[track_caller]
    pub fn trace<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::TRACE, handler)
    }

    /// Routes `CONNECT` requests to a handler that has `#[auth]`: HTTP/2's, for WebSockets (RFC 8441).
    #[track_caller]
    pub fn connect<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: CarriesPolicy + 'static,
    {
        self.on(MethodFilter::CONNECT, handler)
    }
}
