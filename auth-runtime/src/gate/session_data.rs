//! What the application keeps with the caller's session, as an argument of a handler.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use super::extract::{accepted, reject, required};
use crate::engine::{SessionData, TokenService};
use crate::issue::{NoTokenIssuer, SessionDataError};
use crate::pipeline::RequestAuth;
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind};

impl<S: Sync> FromRequestParts<S> for SessionData {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let caller = required(parts)?;
        of(&caller, parts)?.ok_or_else(|| {
            let reason = SessionDataError::NoSession.to_string();
            tracing::debug!(scheme = caller.scheme(), reason, "auth: the answer is 403");
            reject(SessionDataError::NoSession.rejection_kind(), reason, parts)
        })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SessionData {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        match accepted(parts)? {
            Some(caller) => of(&caller, parts),
            None => Ok(None),
        }
    }
}

/// The data of the caller's session; `None` if it has none of this service.
fn of(caller: &Principal, parts: &Parts) -> Result<Option<SessionData>, Rejection> {
    let tokens = RequestAuth::of(parts).and_then(|auth| TokenService::of(Arc::clone(auth.engine())));
    match tokens {
        Some(tokens) => Ok(tokens.session_data(caller).ok()),
        None => {
            let what = format!("`SessionData` is extracted, and {NoTokenIssuer}");
            tracing::error!(what, "auth: the answer is 500, because no session is of this service");
            Err(reject(RejectionKind::Misconfigured, what, parts))
        }
    }
}
