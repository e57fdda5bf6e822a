//! The answers of the two routes. None is stored by a cache.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, CONTENT_LANGUAGE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::security_event::EventErrorCode;

/// When a provider may try again, in seconds, where nothing else is known.
const RETRY: u16 = 5;

/// Of a status alone.
pub(super) fn status(status: StatusCode) -> Response {
    no_store(status.into_response())
}

/// The logout request is invalid (OpenID Connect Back-Channel Logout 1.0 §2.8).
pub(super) fn invalid_logout() -> Response {
    no_store((StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request" }))).into_response())
}

/// The security event token is not accepted (RFC 8935 §2.3).
pub(super) fn event_error(status: StatusCode, code: EventErrorCode) -> Response {
    let body = Json(json!({ "err": code.as_str(), "description": code.description() }));
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    no_store(response)
}

/// What is said can't be verified or recorded now. It may be in so many seconds.
pub(super) fn unavailable(seconds: Option<u16>) -> Response {
    let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(RETRY_AFTER, seconds.unwrap_or(RETRY).into());
    response
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
