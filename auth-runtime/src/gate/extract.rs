//! The principal as an argument of a handler.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::pipeline::RequestAuth;
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind, misconfigured};

/// The claims of the verified token, as a type of yours: `Claims(claims): Claims<MyClaims>`.
///
/// A request whose claims don't fit the type is rejected as one with an invalid token (401 `invalid_token`); which field is
/// missing goes to tracing. The audit hook was called with the gate's decision by then, and is not called again.
#[derive(Clone, Copy, Debug)]
pub struct Claims<T>(pub T);

/// The caller that the gate let in, for the extractors that run after it: no other crate can name this type.
#[derive(Clone, Debug)]
pub(super) struct Admitted(pub(super) Option<Principal>);

/// The caller, if there is one.
///
/// # Errors
/// If no gate stood before this extractor.
fn admitted(parts: &Parts) -> Result<Option<Principal>, Rejection> {
    match parts.extensions.get::<Admitted>() {
        Some(Admitted(principal)) => Ok(principal.clone()),
        None => Err(misconfigured(
            "`Principal` or `Claims` is extracted on a route that has no `#[auth(..)]`: \
             put the attribute on the handler, or a rule beside the service",
        )),
    }
}

fn required(parts: &Parts) -> Result<Principal, Rejection> {
    match admitted(parts)? {
        Some(principal) => Ok(principal),
        // Behind `optional` the answer to "who are you?" is a challenge.
        None => match RequestAuth::of(parts) {
            Some(auth) => Err(auth.reject(RejectionKind::Unauthenticated, parts)),
            None => Err(misconfigured("the layer of `Auth` is missing")),
        },
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        required(parts)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        admitted(parts)
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        typed(&required(parts)?, parts)
    }
}

impl<S: Sync, T: DeserializeOwned> OptionalFromRequestParts<S> for Claims<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        match admitted(parts)? {
            Some(principal) => typed(&principal, parts).map(Some),
            None => Ok(None),
        }
    }
}

fn typed<T: DeserializeOwned>(principal: &Principal, parts: &Parts) -> Result<Claims<T>, Rejection> {
    principal.claims().map(Claims).map_err(|error| {
        tracing::warn!(
            expected = std::any::type_name::<T>(),
            error = without_values(&error.to_string()),
            "auth: the claims of a verified token don't fit the handler's type"
        );
        match RequestAuth::of(parts) {
            Some(auth) => auth.reject(RejectionKind::InvalidToken, parts),
            None => misconfigured("the layer of `Auth` is missing"),
        }
    })
}

/// serde's text quotes the value that does not fit, which may be personal, unless it is about a field.
fn without_values(text: &str) -> &str {
    if text.starts_with("missing field") || text.starts_with("duplicate field") {
        text
    } else {
        "a claim has another type"
    }
}
