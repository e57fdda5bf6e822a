//! The body of a request to one of the routes: JSON or a form, and short.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Form, FromRequest as _, Json, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use serde::de::DeserializeOwned;

use super::TokenFailure;

const MAX_BYTES: usize = 16 * 1024;

/// The body as a `T`. A form is what a page sends; everything else is taken for JSON, and refused if it does not say so.
pub(super) async fn read<T: DeserializeOwned>(head: &Parts, body: Body) -> Result<T, TokenFailure> {
    parse(head, short(body).await?).await
}

/// The same, where the body may be empty.
pub(super) async fn read_optional<T>(head: &Parts, body: Body) -> Result<T, TokenFailure>
where
    T: DeserializeOwned + Default,
{
    let bytes = short(body).await?;
    if bytes.is_empty() { Ok(T::default()) } else { parse(head, bytes).await }
}

async fn short(body: Body) -> Result<Bytes, TokenFailure> {
    to_bytes(body, MAX_BYTES).await.map_err(|_| TokenFailure::InvalidRequest)
}

async fn parse<T: DeserializeOwned>(head: &Parts, bytes: Bytes) -> Result<T, TokenFailure> {
    let mut request = Request::new(Body::from(bytes));
    *request.method_mut() = Method::POST;
    let kind = head.headers.get(CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static(""));
    let is_form = kind.as_bytes().starts_with(b"application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    let read = if is_form {
        Form::from_request(request, &()).await.map(|Form(body)| body).map_err(|why| why.to_string())
    } else {
        Json::from_request(request, &()).await.map(|Json(body)| body).map_err(|why| why.to_string())
    };
    read.map_err(|why| {
        // The error may quote the body, so it stays here, in its kind alone.
        tracing::debug!(
            bytes = why.len(),
            is_form,
            "auth: the body of a request to a token route can't be read"
        );
        TokenFailure::InvalidRequest
    })
}
