//! The body of a request to a token route: a short JSON document or form.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Form, FromRequest as _, Json, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use serde::de::DeserializeOwned;

use super::TokenFailure;

const MAX_BYTES: usize = 16 * 1024;

/// Parses the body as a form or as JSON. A body without one of these content types is rejected.
pub(super) async fn read<T: DeserializeOwned>(head: &Parts, body: Body) -> Result<T, TokenFailure> {
    parse(head, read_bytes(body).await?).await
}

/// Parses the body, which may be empty.
pub(super) async fn read_optional<T>(head: &Parts, body: Body) -> Result<T, TokenFailure>
where
    T: DeserializeOwned + Default,
{
    let bytes = read_bytes(body).await?;
    if bytes.is_empty() { Ok(T::default()) } else { parse(head, bytes).await }
}

async fn read_bytes(body: Body) -> Result<Bytes, TokenFailure> {
    to_bytes(body, MAX_BYTES).await.map_err(|_| TokenFailure::InvalidRequest)
}

async fn parse<T: DeserializeOwned>(head: &Parts, bytes: Bytes) -> Result<T, TokenFailure> {
    let mut request = Request::new(Body::from(bytes));
    *request.method_mut() = Method::POST;
    let kind = head.headers.get(CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static(""));
    let is_form = kind.as_bytes().starts_with(b"application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    let parsed = if is_form {
        Form::from_request(request, &()).await.map(|Form(body)| body).map_err(|error| error.to_string())
    } else {
        Json::from_request(request, &()).await.map(|Json(body)| body).map_err(|error| error.to_string())
    };
    parsed.map_err(|error| {
        // The text of the error may quote the body, so only its kind is logged.
        tracing::debug!(
            bytes = error.len(),
            is_form,
            "auth: the body of a request to a token route can't be parsed"
        );
        TokenFailure::InvalidRequest
    })
}
