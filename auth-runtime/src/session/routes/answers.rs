//! What the routes answer: the RFCs' form, unless the application has one of its own.

use std::time::Duration;

use axum::Json;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::rejection::ensure_failure;
use crate::session::IssuedTokens;

/// How tokens get to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// In the answer's body.
    Json,
    /// In cookies that no script can read.
    Cookies,
}

/// What was asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenRequest<'r> {
    /// Which of the routes was called.
    pub route: TokenRoute,
    /// How tokens get to the client.
    pub delivery: Delivery,
    /// The head of the request: its query, say, where a page wants the user to go on.
    pub head: &'r Parts,
}

/// One of the routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenRoute {
    /// `/login`
    Login,
    /// `/refresh`
    Refresh,
    /// `/logout`
    Logout,
    /// `/logout-everywhere`
    LogoutEverywhere,
    /// `/revoke`
    Revoke,
    /// `/introspect`
    Introspect,
}

/// Why a route gave out no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFailure {
    /// 400 `invalid_request`: the request can't be read, or lacks something.
    InvalidRequest,
    /// 400 `invalid_grant`: wrong credentials, or a refresh token that is not good.
    InvalidGrant,
    /// 403 `access_denied`: a page of another origin sent it.
    CrossOrigin,
    /// 429 `temporarily_unavailable`: too many attempts; good again after this time.
    TooManyAttempts(Duration),
    /// 503 `temporarily_unavailable`: the store, or what tells of users, can't be reached.
    Unavailable,
    /// 500 `server_error`: the service is put together wrongly; the log says how.
    Misconfigured,
}

impl TokenFailure {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::InvalidGrant => StatusCode::BAD_REQUEST,
            Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error code (RFC 6749 §4.1.2.1 and §5.2).
    #[must_use]
    pub fn error(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidGrant => "invalid_grant",
            Self::CrossOrigin => "access_denied",
            Self::TooManyAttempts(_) | Self::Unavailable => "temporarily_unavailable",
            Self::Misconfigured => "server_error",
        }
    }

    /// The answer: the application's, held to what the failure is.
    pub(super) fn render(self, answers: &dyn TokenAnswers, request: &TokenRequest<'_>) -> Response {
        let mut response = ensure_failure(answers.failed(self, request), self.status());
        let wait = match self {
            Self::TooManyAttempts(wait) => Some(wait.as_secs().max(1)),
            Self::Unavailable => Some(5),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        no_store(response)
    }
}

/// What the ready routes answer. Cookies, `Cache-Control` and `Retry-After` are put onto whatever these say.
pub trait TokenAnswers: Send + Sync + 'static {
    /// The user logged in, or the tokens were renewed. Default: the answer of RFC 6749 §5.1; without the tokens where cookies
    /// hold them.
    fn tokens(&self, tokens: &IssuedTokens, request: &TokenRequest<'_>) -> Response {
        let mut body = json!({ "token_type": "Bearer", "expires_in": tokens.expires_in.as_secs() });
        if request.delivery == Delivery::Json
            && let Some(body) = body.as_object_mut()
        {
            body.insert("access_token".into(), tokens.access_token.as_str().into());
            body.insert("refresh_token".into(), tokens.refresh_token.as_str().into());
        }
        if !tokens.scope.is_empty()
            && let Some(body) = body.as_object_mut()
        {
            body.insert("scope".into(), tokens.scope.as_str().into());
        }
        Json(body).into_response()
    }

    /// No tokens were given out. Default: the answer of RFC 6749 §5.2. It may choose another failure (4xx, 5xx) or send a
    /// browser to a page (302, 303, 307); any other status becomes the failure's own.
    fn failed(&self, failure: TokenFailure, request: &TokenRequest<'_>) -> Response {
        let _ = request;
        (failure.status(), Json(json!({ "error": failure.error() }))).into_response()
    }

    /// The user is logged out. Default: 204.
    fn logged_out(&self, request: &TokenRequest<'_>) -> Response {
        let _ = request;
        StatusCode::NO_CONTENT.into_response()
    }
}

/// The answers of the RFCs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StandardAnswers;

impl TokenAnswers for StandardAnswers {}

/// RFC 6749 §5.1: what holds tokens is kept nowhere.
pub(super) fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
