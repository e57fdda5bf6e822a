//! Refusals: what the caller learns, which is a status and a code of the RFCs and nothing else.

mod challenge;

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::policy::Remedy;

/// A refusal, as a hook sees it that renders it: status and code, not the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    code: RejectionKind,
    /// `scope`, `max_age` and `acr_values` of the challenge.
    remedy: Remedy,
}

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// 400 `invalid_request`: the credential was sent twice, or in two ways (RFC 6750 §3.1).
    InvalidRequest,
    /// 401 without an error code: no credential was sent (RFC 6750 §3.1).
    Unauthenticated,
    /// 401 `invalid_token`: a credential was sent and is not good (RFC 6750 §3.1).
    InvalidToken,
    /// 401 `insufficient_user_authentication`: the login is too old or too weak (RFC 9470 §3).
    InsufficientUserAuthentication,
    /// 403 `insufficient_scope`: the caller may not do this (RFC 6750 §3.1).
    InsufficientScope,
    /// 403: a page of another origin used the browser's cookie.
    CrossOrigin,
    /// 503: what the decision needs can't be reached.
    Unavailable,
    /// 500: the service is put together wrongly; the log says how.
    Misconfigured,
}

impl Refusal {
    pub(crate) fn new(code: RejectionKind) -> Self {
        Self { code, remedy: Remedy::None }
    }

    pub(crate) fn denied(remedy: Remedy) -> Self {
        let code = match remedy {
            Remedy::StepUp { .. } => RejectionKind::InsufficientUserAuthentication,
            _ => RejectionKind::InsufficientScope,
        };
        Self { code, remedy }
    }

    /// What kind of refusal it is.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.code
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The error code of the challenge (RFC 6750 §3.1, RFC 9470 §3), where there is one.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.code.error()
    }

    /// The answer that is given where no hook renders refusals (RFC 9457): for a hook that has a form of its own for some.
    #[must_use]
    pub fn problem(&self) -> Response {
        problem(self.status())
    }

    /// The answer: rendered by the hook, if there is one, and then held to what the refusal is.
    pub(crate) fn render(
        self,
        realm: &str,
        schemes: &[&str],
        hook: Option<&RenderHook>,
        head: &Parts,
    ) -> Rejection {
        let mut response = match hook {
            Some(hook) => kept_refused(hook(&self, head), self.status()),
            None => problem(self.status()),
        };
        let headers = response.headers_mut();
        headers.remove(header::WWW_AUTHENTICATE);
        for value in challenge::challenges(&self, realm, schemes) {
            headers.append(header::WWW_AUTHENTICATE, value);
        }
        if self.code == RejectionKind::Unavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Rejection::new(response)
    }
}

impl RejectionKind {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::InvalidToken | Self::InsufficientUserAuthentication => {
                StatusCode::UNAUTHORIZED
            }
            Self::InsufficientScope | Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error code of the challenge.
    fn error(self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientUserAuthentication => Some("insufficient_user_authentication"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::Unauthenticated | Self::CrossOrigin | Self::Unavailable | Self::Misconfigured => None,
        }
    }
}

/// Renders a refusal in the application's own form.
pub(crate) type RenderHook = dyn Fn(&Refusal, &Parts) -> Response + Send + Sync;

/// A hook may choose another failure, or send a browser to the login page. Whatever else it says stays a refusal.
pub(crate) fn kept_refused(mut response: Response, status: StatusCode) -> Response {
    let chosen = response.status();
    let to_login =
        matches!(chosen, StatusCode::FOUND | StatusCode::SEE_OTHER | StatusCode::TEMPORARY_REDIRECT);
    if !(chosen.is_client_error() || chosen.is_server_error() || to_login) {
        *response.status_mut() = status;
    }
    response
}

/// The fixed body of a status (RFC 9457).
fn problem(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or("Refused");
    let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{}}}"#, status.as_u16());
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// A refusal, rendered: the rejection of the gate and of the extractors behind it.
#[derive(Debug)]
pub struct Rejection(Box<Response>);

impl Rejection {
    pub(crate) fn new(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// 500 for a service that is put together wrongly: refuses, and tells the log what to do.
pub(crate) fn misconfigured(what: &str) -> Rejection {
    tracing::error!(what, "auth: the request is refused because the service is put together wrongly");
    Rejection::new(problem(StatusCode::INTERNAL_SERVER_ERROR))
}
