//! The principal as an argument of a handler.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::catch_panic::catch_panic;
use crate::pipeline::{HeadState, RequestAuth};
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind, misconfigured};

/// The message where the layer is missing.
const MISSING_LAYER: &str = "the layer of `Auth` is missing: build the app with `auth_runtime::Router` and `.finish(&auth)`, or \
     add `.layer(auth.layer())` to the `axum::Router`";

/// The claims of the verified token, as a type of yours: `Claims(claims): Claims<MyClaims>`.
///
/// A request whose claims do not fit the type is rejected as one with an invalid token (401 `invalid_token`), and the
/// reason goes to tracing. The audit hook has already received the gate's decision, and is not called again.
#[derive(Clone, Copy, Debug)]
pub struct Claims<T>(pub T);

/// Returns the principal; `None` for an anonymous caller.
///
/// # Errors
/// If no gate ran before this extractor.
pub(super) fn accepted(parts: &Parts) -> Result<Option<Principal>, Rejection> {
    HeadState::accepted(parts).map(Option::<&Principal>::cloned).ok_or_else(|| {
        misconfigured(
            "`Principal`, `Claims`, `User` or `SessionData` is extracted on a route that has no `#[auth(..)]`: add the attribute to the handler, or \
             mount the service with a rule",
        )
    })
}

pub(super) fn required(parts: &Parts) -> Result<Principal, Rejection> {
    match accepted(parts)? {
        Some(principal) => Ok(principal),
        // With `#[auth(optional)]`, an anonymous caller receives a challenge from this extractor.
        None => Err(reject(RejectionKind::Unauthenticated, "the caller is anonymous", parts)),
    }
}

pub(super) fn reject(kind: RejectionKind, reason: impl Into<Box<str>>, parts: &Parts) -> Rejection {
    match RequestAuth::of(parts) {
        Some(auth) => auth.reject(kind, reason, parts),
        None => misconfigured(MISSING_LAYER),
    }
}

impl<S: Sync> FromRequestParts<S> for RequestAuth {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Self::of(parts).cloned().ok_or_else(|| misconfigured(MISSING_LAYER))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for RequestAuth {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::of(parts).cloned())
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
        accepted(parts)
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
        match accepted(parts)? {
            Some(principal) => typed(&principal, parts).map(Some),
            None => Ok(None),
        }
    }
}

fn typed<T: DeserializeOwned>(principal: &Principal, parts: &Parts) -> Result<Claims<T>, Rejection> {
    let expected = std::any::type_name::<T>();
    let claims = catch_panic(|| principal.claims()).map_err(|panic| {
        tracing::error!(expected, %panic, "auth: the answer is 500, because the type of a `Claims` argument panicked");
        reject(RejectionKind::Misconfigured, panic.to_string(), parts)
    })?;
    claims.map(Claims).map_err(|error| {
        let text = error.to_string();
        let error = without_values(&text);
        let reason = "the claims of a verified token do not fit the type of a `Claims` argument";
        tracing::warn!(expected, error, "auth: {reason}");
        reject(RejectionKind::InvalidToken, format!("{reason}: {error}"), parts)
    })
}

/// Returns the text of serde's error, if it names a field and quotes no value. A value may be personal data.
fn without_values(text: &str) -> &str {
    if text.starts_with("missing field") || text.starts_with("duplicate field") {
        text
    } else {
        "a claim has another type than the field"
    }
}
