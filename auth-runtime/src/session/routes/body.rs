//! The body of a request to a token route: a short JSON document or form.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Form, FromRequest as _, Json, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use futures_util::future::BoxFuture;
use mime::Mime;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::TokenFailure;
use crate::gate::ReturnTo;

const MAX_BYTES: usize = 16 * 1024;

/// The body of a refresh or of a logout, as JSON or as a form, where tokens are sent in bodies. With cookies, no body is read.
///
/// ```
/// use auth_runtime::session::routes::RefreshTokenRequest;
/// # use serde_json::{Value, json};
///
/// #[derive(serde::Deserialize)]
/// struct Renewal {
///     refresh: Option<String>, // as `djangorestframework-simplejwt` names it
/// }
///
/// impl RefreshTokenRequest for Renewal {
///     fn into_refresh_token(self) -> Option<String> {
///         self.refresh
///     }
///
///     fn schema() -> Value {
///         json!({ "type": "object", "properties": { "refresh": { "type": "string" } } })
///     }
/// }
/// ```
pub trait RefreshTokenRequest: DeserializeOwned + Send + 'static {
    /// Returns the refresh token. `None` if the request has none: a refresh is answered 400 `invalid_request`, and a logout ends the
    /// session of the access token alone.
    fn into_refresh_token(self) -> Option<String>;

    /// Returns the JSON Schema of the body, for the OpenAPI document. Default: any object.
    #[must_use]
    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

/// The body of a refresh (RFC 6749 §6).
#[derive(Deserialize)]
pub(super) struct StandardRefresh {
    grant_type: Option<String>,
    refresh_token: String,
}

impl RefreshTokenRequest for StandardRefresh {
    fn into_refresh_token(self) -> Option<String> {
        let is_refresh = self.grant_type.is_none_or(|grant_type| grant_type == "refresh_token");
        is_refresh.then_some(self.refresh_token)
    }

    fn schema() -> Value {
        let properties = json!({
            "refresh_token": { "type": "string" },
            "grant_type": { "type": "string", "enum": ["refresh_token"] },
        });
        json!({ "type": "object", "properties": properties, "required": ["refresh_token"] })
    }
}

/// The body of a logout.
#[derive(Deserialize)]
pub(super) struct StandardLogout {
    refresh_token: Option<String>,
}

impl RefreshTokenRequest for StandardLogout {
    fn into_refresh_token(self) -> Option<String> {
        self.refresh_token
    }

    fn schema() -> Value {
        let properties = json!({ "refresh_token": { "type": "string" } });
        json!({ "type": "object", "properties": properties, "required": [] })
    }
}

type ReadRefreshToken = fn(&Parts, Body) -> BoxFuture<'_, Result<Option<String>, TokenFailure>>;

/// How a refresh token is read from a body. A value, so that the type of the body is none of the routes'.
pub(super) struct RefreshTokenBody {
    /// Returns the refresh token, if there is one.
    pub(super) read: ReadRefreshToken,
    #[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "it is for the OpenAPI document"))]
    pub(super) schema: fn() -> Value,
}

impl RefreshTokenBody {
    pub(super) fn of<T: RefreshTokenRequest>() -> Self {
        Self { read: |head, body| Box::pin(read_refresh_token::<T>(head, body)), schema: T::schema }
    }
}

async fn read_refresh_token<T: RefreshTokenRequest>(
    head: &Parts,
    body: Body,
) -> Result<Option<String>, TokenFailure> {
    let bytes = read_bytes(body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(parse::<T>(head, bytes).await?.into_refresh_token())
}

/// Parses the body as a form or as JSON. A body without one of these content types is rejected.
pub(super) async fn read<T: DeserializeOwned>(head: &Parts, body: Body) -> Result<T, TokenFailure> {
    parse(head, read_bytes(body).await?).await
}

/// The same, with the way back from the login page that a form has, also if its text is not accepted.
pub(super) async fn read_login<T: DeserializeOwned>(
    head: &Parts,
    body: Body,
) -> Result<(T, Option<ReturnTo>), TokenFailure> {
    let bytes = read_bytes(body).await?;
    let return_to = if is_form(&head.headers) { ReturnTo::among(&bytes, head) } else { None };
    Ok((parse(head, bytes).await?, return_to.map(Option::unwrap_or_default)))
}

async fn read_bytes(body: Body) -> Result<Bytes, TokenFailure> {
    to_bytes(body, MAX_BYTES).await.map_err(|_| TokenFailure::InvalidRequest)
}

async fn parse<T: DeserializeOwned>(head: &Parts, bytes: Bytes) -> Result<T, TokenFailure> {
    let is_form = is_form(&head.headers);
    let mut request = Request::new(Body::from(bytes));
    *request.method_mut() = Method::POST;
    let parsed = if is_form {
        // As axum compares it: with case, and the beginning alone.
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        Form::from_request(request, &()).await.map(|Form(body)| body).map_err(|error| error.to_string())
    } else {
        request.headers_mut().extend(head.headers.get(CONTENT_TYPE).map(|kind| (CONTENT_TYPE, kind.clone())));
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

/// Whether the content type is that of a form. Types and the names of charsets have no case (RFC 9110 §8.3.1). A form of another charset
/// than UTF-8 is none: its password would be another.
fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let Some(kind) = kind.and_then(|kind| kind.parse::<Mime>().ok()) else { return false };
    // Compared with a `&str`, a name of `mime` has no case.
    let is_utf8 = kind.get_param(mime::CHARSET).is_none_or(|charset| charset == "utf-8");
    kind.type_() == "application" && kind.subtype() == "x-www-form-urlencoded" && is_utf8
}
