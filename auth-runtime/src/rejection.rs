//! Rejections: what a rejected caller learns, which is a status, an error code of the RFCs, and nothing else.

mod caller_error;
mod challenge;

use std::fmt;

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub use self::caller_error::{CallerError, CallerErrorKind};
use crate::policy::Remedy;

/// A rejected request: status and error code, never the reason. It is what the gate and the extractors after it answer
/// with, and what a hook that renders rejections is given.
pub struct Rejection {
    kind: RejectionKind,
    /// `scope`, `max_age` and `acr_values` of the challenge.
    remedy: Remedy,
    /// What the caller may learn besides.
    detail: Option<String>,
    /// The answer, once it is rendered.
    response: Option<Box<Response>>,
}

/// The kind of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// 400 `invalid_request`: the credential was sent twice, or in two ways (RFC 6750 §3.1).
    InvalidRequest,
    /// 401 without an error code: no credential was sent (RFC 6750 §3.1).
    Unauthenticated,
    /// 401 `invalid_token`: a credential was sent and is invalid (RFC 6750 §3.1).
    InvalidToken,
    /// 401 `insufficient_user_authentication`: the login is too old or too weak (RFC 9470 §3).
    InsufficientUserAuthentication,
    /// 403 `insufficient_scope`: the caller may not do this (RFC 6750 §3.1).
    InsufficientScope,
    /// 403: a page of another origin used the browser's cookie.
    CrossOrigin,
    /// 400 `invalid_grant`: the credentials of a login or a refresh token are invalid (RFC 6749 §5.2). Of audit events: a gate never
    /// answers with it.
    InvalidGrant,
    /// 429: there were too many attempts to log in. Of audit events: a gate never answers with it.
    TooManyAttempts,
    /// 503: the decision needs something that is out of reach.
    Unavailable,
    /// 500: the service is misconfigured, or code of the application's panicked; the log says how.
    Misconfigured,
}

impl Rejection {
    pub(crate) fn new(kind: RejectionKind) -> Self {
        Self { kind, remedy: Remedy::None, detail: None, response: None }
    }

    /// Of a caller that does not satisfy a rule.
    pub(crate) fn denied(remedy: Remedy) -> Self {
        Self { kind: RejectionKind::of_denial(&remedy), remedy, detail: None, response: None }
    }

    /// With what the caller may learn besides.
    pub(crate) fn with_detail(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// The kind of the rejection.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// The error code of the challenge (RFC 6750 §3.1, RFC 9470 §3), where there is one.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.kind.code()
    }

    /// What the caller may learn besides, for a person: which credential was sent more than once. It is `None` for every other
    /// rejection.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The answer where no hook renders rejections (RFC 9457): for a hook that has a form of its own for some kinds alone.
    #[must_use]
    pub fn problem(&self) -> Response {
        problem(self.status(), self.detail())
    }

    /// With its answer: rendered by the hook, if there is one, and then held to what the rejection is.
    pub(crate) fn render(
        mut self,
        realm: &str,
        schemes: &[&str],
        hook: Option<&RenderHook>,
        head: &Parts,
    ) -> Self {
        let mut response = match hook {
            Some(hook) => ensure_failure(hook(&self, head), self.status()),
            None => self.problem(),
        };
        let status = response.status();
        let headers = response.headers_mut();
        headers.remove(header::WWW_AUTHENTICATE);
        for value in challenge::challenges(self.kind, &self.remedy, status, realm, schemes) {
            headers.append(header::WWW_AUTHENTICATE, value);
        }
        if self.kind == RejectionKind::Unavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.response = Some(Box::new(response));
        self
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self.response {
            Some(response) => *response,
            None => self.problem(),
        }
    }
}

impl RejectionKind {
    /// Of a denial that this would remedy.
    fn of_denial(remedy: &Remedy) -> Self {
        match remedy {
            Remedy::StepUp { .. } => Self::InsufficientUserAuthentication,
            _ => Self::InsufficientScope,
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::InvalidGrant => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::InvalidToken | Self::InsufficientUserAuthentication => {
                StatusCode::UNAUTHORIZED
            }
            Self::InsufficientScope | Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error code of the challenge (RFC 6750 §3.1, RFC 9470 §3), where there is one.
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientUserAuthentication => Some("insufficient_user_authentication"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::InvalidGrant => Some("invalid_grant"),
            Self::Unauthenticated
            | Self::CrossOrigin
            | Self::TooManyAttempts
            | Self::Unavailable
            | Self::Misconfigured => None,
        }
    }
}

/// Renders a rejection in the application's own form.
pub(crate) type RenderHook = dyn Fn(&Rejection, &Parts) -> Response + Send + Sync;

/// The challenge of a scheme without an error code; `None` if the scheme is not a token.
#[cfg(feature = "token-routes")]
pub(crate) fn challenge_of(scheme: &str, realm: &str) -> Option<HeaderValue> {
    let (kind, status) = (RejectionKind::Unauthenticated, StatusCode::UNAUTHORIZED);
    challenge::challenges(kind, &Remedy::None, status, realm, &[scheme]).into_iter().next()
}

/// A hook may choose another status of failure, or redirect a browser to the login page. With any other status the answer has
/// that of the rejection.
pub(crate) fn ensure_failure(mut response: Response, status: StatusCode) -> Response {
    let chosen = response.status();
    let to_login =
        matches!(chosen, StatusCode::FOUND | StatusCode::SEE_OTHER | StatusCode::TEMPORARY_REDIRECT);
    if !(chosen.is_client_error() || chosen.is_server_error() || to_login) {
        *response.status_mut() = status;
    }
    response
}

/// The body of a status (RFC 9457), which is the same for all of its causes but for the detail.
fn problem(status: StatusCode, detail: Option<&str>) -> Response {
    let title = status.canonical_reason().unwrap_or("Rejected");
    let detail = detail.map_or_else(String::new, |text| format!(r#","detail":{}"#, Value::from(text)));
    let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{}{detail}}}"#, status.as_u16());
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// 500 for a misconfigured service. The log says what to do.
pub(crate) fn misconfigured(what: &str) -> Rejection {
    tracing::error!(what, "auth: the request is rejected because the service is misconfigured");
    Rejection::new(RejectionKind::Misconfigured)
}
