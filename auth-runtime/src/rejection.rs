//! Rejections: what a rejected caller learns, which is a status, an error code of the RFCs, and nothing else.

mod caller_error;
mod challenge;
mod form;
mod kept_head;
mod marked;

use std::error::Error;
use std::fmt;
use std::num::NonZeroU16;
use std::sync::{Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub use self::caller_error::{CallerError, CallerErrorKind};
pub(crate) use self::challenge::{Challenged, ChallengedResource};
pub(crate) use self::form::RejectionForm;
pub(crate) use self::kept_head::KeptHead;
pub(crate) use self::marked::{is_marked, merge, take_marked};
use crate::login_page::{self, LoginPage};
use crate::policy::Remedy;
use crate::store::StoreError;

/// A rejected request: status and error code, never the reason. It is what the gate and the extractors after it answer
/// with, what a hook that renders rejections is given, and what the application's own code can answer with:
///
/// ```
/// use auth_runtime::rejection::Rejection;
/// use auth_runtime::{Principal, auth};
/// use axum::extract::Path;
///
/// #[auth]
/// async fn draft(user: Principal, Path(id): Path<u64>) -> Result<String, Rejection> {
///     if id == 0 {
///         return Err(Rejection::hidden());
///     }
///     if !user.has_scope("drafts:read") {
///         return Err(Rejection::forbidden("the token is not for drafts"));
///     }
///     Ok(format!("draft {id}"))
/// }
/// ```
///
/// A handler, an extractor, a `#[check]`, a middleware of a guarded router or inside of the layer of [`Auth`](crate::Auth), and what they call may
/// return [`unauthenticated`](Self::unauthenticated), [`forbidden`](Self::forbidden) and [`hidden`](Self::hidden). Also on a public
/// route, they are answered as the gate's own: with the challenge of the route's schemes, in the form of
/// [`render_rejections`](crate::AuthBuilder::render_rejections), with `Cache-Control: no-store`, and with an audit event. The
/// route or the layer does that to the answer that this converts to. What a middleware adds to the headers of that answer stays, and the rest is
/// replaced; a middleware that makes a new answer of it has the last word. Outside of both, the answer is the
/// [problem document](Self::problem) alone.
///
/// `Display` and `Debug` are for logs. `Display` does not say the reason, because texts of errors are often sent to callers.
pub struct Rejection {
    cause: Cause,
    /// The answer, once it is rendered. In a mutex that is never locked, so that a rejection is `Sync`, as errors are.
    response: Option<Box<Mutex<Response>>>,
}

/// What a rejection is, without its answer.
#[derive(Clone)]
struct Cause {
    kind: RejectionKind,
    /// `scope`, `max_age` and `acr_values` of the challenge.
    remedy: Remedy,
    /// What the caller may learn besides.
    detail: Option<Box<str>>,
    /// For tracing and audit, which have yet to be informed. `None`: they were.
    reason: Option<Box<str>>,
    /// In how many seconds an unavailable decision may be made; `None`: that is not known.
    retry_after: Option<NonZeroU16>,
    /// Whether everyone can cause it, with a credential that is made up.
    is_provoked: bool,
    /// Whether data of the caller's are the cause: then it is a warning where another of the same status is an error of the service.
    is_of_data: bool,
}

/// The kind of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// 400 `invalid_request`: the credential was sent twice, or in two ways (RFC 6750 §3.1), or what was sent is nothing that a function of
    /// the library takes, whose error a handler returns.
    InvalidRequest,
    /// 401 without an error code: no credential was sent (RFC 6750 §3.1), or the application wants another one
    /// ([`Rejection::unauthenticated`]).
    Unauthenticated,
    /// 401 `invalid_token`: a credential was sent and is invalid (RFC 6750 §3.1).
    InvalidToken,
    /// 401 `insufficient_user_authentication`: the login is too old or too weak (RFC 9470 §3).
    InsufficientUserAuthentication,
    /// 403 `insufficient_scope`: the caller may not do this (RFC 6750 §3.1), as the rule, a check or the application says
    /// ([`Rejection::forbidden`]).
    InsufficientScope,
    /// 403: a page of another origin used the browser's cookie.
    CrossOrigin,
    /// 404 without a challenge: the caller may not learn that this exists ([`Rejection::hidden`]), or there is none.
    Hidden,
    /// 400 `invalid_grant`: the credentials of a login or a refresh token are invalid (RFC 6749 §5.2). Of audit
    /// events, and of handlers that return the error of a refresh: a gate never answers with it.
    InvalidGrant,
    /// 429: there were too many attempts to log in. Of audit events: a gate never answers with it.
    TooManyAttempts,
    /// 503: the decision or the handler needs something that is out of reach ([`Rejection::unavailable`]).
    Unavailable,
    /// 500: the service is misconfigured, or code of the application's panicked; the log says how.
    Misconfigured,
}

impl Rejection {
    /// 401: the request needs another credential than the one that it has, or one at all. The challenge has no error code. The
    /// reason is for tracing and the audit hook: the caller never learns it.
    #[must_use]
    pub fn unauthenticated(reason: impl Into<Box<str>>) -> Self {
        Self::because(RejectionKind::Unauthenticated, reason)
    }

    /// 403 `insufficient_scope`: the caller may not do this, as when it does not satisfy the rule (RFC 6750 §3.1). The reason is
    /// for tracing and the audit hook: the caller never learns it.
    #[must_use]
    pub fn forbidden(reason: impl Into<Box<str>>) -> Self {
        Self::because(RejectionKind::InsufficientScope, reason)
    }

    /// 404 without a challenge: the caller may not learn that what it asks for exists (RFC 9110 §15.5.4).
    ///
    /// Answer so also where it does not exist: the answer of a `#[check]` and that of the handler behind it are the same, byte for byte.
    #[must_use]
    pub fn hidden() -> Self {
        Self::because(RejectionKind::Hidden, "it is hidden from the caller, or does not exist")
    }

    /// 503: what the request needs is out of reach now, such as a database (RFC 9110 §15.6.4). The reason is for tracing and the audit
    /// hook: the caller never learns it.
    #[must_use]
    pub fn unavailable(reason: impl Into<Box<str>>) -> Self {
        Self::because(RejectionKind::Unavailable, reason)
    }

    /// One that tracing and audit know of.
    pub(crate) fn new(kind: RejectionKind) -> Self {
        Self {
            cause: Cause {
                kind,
                remedy: Remedy::None,
                detail: None,
                reason: None,
                retry_after: None,
                is_provoked: false,
                is_of_data: false,
            },
            response: None,
        }
    }

    /// One that tracing and audit have yet to be informed of.
    pub(crate) fn because(kind: RejectionKind, reason: impl Into<Box<str>>) -> Self {
        let mut rejection = Self::new(kind);
        rejection.cause.reason = Some(reason.into());
        rejection
    }

    /// Of a caller that does not satisfy a rule.
    pub(crate) fn denied(remedy: Remedy) -> Self {
        let mut rejection = Self::new(RejectionKind::of_denial(&remedy));
        rejection.cause.remedy = remedy;
        rejection
    }

    /// With what the caller may learn besides.
    pub(crate) fn with_detail(mut self, detail: String) -> Self {
        self.cause.detail = Some(detail.into());
        self
    }

    /// The reason that tracing and audit have yet to be informed of.
    pub(crate) fn take_reason(&mut self) -> Option<Box<str>> {
        self.cause.reason.take()
    }

    /// Whether everyone can cause it, with a credential that is made up.
    pub(crate) fn is_provoked(&self) -> bool {
        self.cause.is_provoked
    }

    /// The same, of data of the caller's.
    pub(crate) fn of_data(mut self) -> Self {
        self.cause.is_of_data = true;
        self
    }

    pub(crate) fn is_of_data(&self) -> bool {
        self.cause.is_of_data
    }

    pub(crate) fn is_rendered(&self) -> bool {
        self.response.is_some()
    }

    /// The kind of the rejection.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.cause.kind
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.cause.kind.status()
    }

    /// The error code of the challenge (RFC 6750 §3.1, RFC 9470 §3), where there is one.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.cause.kind.code()
    }

    /// What the caller may learn besides, for a person: which credential was sent more than once. It is `None` for every other
    /// rejection.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.cause.detail.as_deref()
    }

    /// The answer where no hook renders rejections (RFC 9457): for a hook that has a form of its own for some kinds alone.
    #[must_use]
    pub fn problem(&self) -> Response {
        problem(self.status(), self.detail())
    }

    /// With its answer: a redirect to the login page where that is for this request, or rendered by the hook, if there is one, and
    /// then held to what the rejection is.
    pub(crate) fn render(
        mut self,
        realm: &str,
        challenged: &Challenged<'_>,
        login_page: Option<(&LoginPage, bool)>,
        hook: Option<&RenderHook>,
        head: &Parts,
    ) -> Self {
        let login_page = login_page.filter(|_| self.status() == StatusCode::UNAUTHORIZED);
        let mut response =
            match (login_page.and_then(|(page, is_in_url)| page.redirect(head, is_in_url)), hook) {
                (Some(redirect), _) => redirect,
                (None, Some(hook)) => ensure_failure(hook(&self, head), self.status()),
                (None, None) => self.problem(),
            };
        if login_page.is_some() {
            login_page::add_vary(&mut response);
        }
        let status = response.status();
        let headers = response.headers_mut();
        headers.remove(header::WWW_AUTHENTICATE);
        for value in challenge::challenges(self.cause.kind, &self.cause.remedy, status, realm, challenged) {
            headers.append(header::WWW_AUTHENTICATE, value);
        }
        if self.cause.kind == RejectionKind::Unavailable {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(self.cause.retry_after.map_or(5, NonZeroU16::get)),
            );
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.response = Some(Box::new(Mutex::new(response)));
        self
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cause { kind, reason, .. } = &self.cause;
        f.debug_struct("Rejection").field("kind", kind).field("reason", reason).finish_non_exhaustive()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request is rejected with {}", self.status())?;
        self.code().map_or(Ok(()), |code| write!(f, ", {code}"))
    }
}

impl Error for Rejection {}

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self.response {
            Some(response) => response.into_inner().unwrap_or_else(PoisonError::into_inner),
            None => {
                let problem = self.problem();
                self.mark(problem)
            }
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
            Self::Hidden => StatusCode::NOT_FOUND,
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
            | Self::Hidden
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
    let challenged = Challenged { schemes: vec![scheme], resource: None };
    challenge::challenges(kind, &Remedy::None, status, realm, &challenged).into_iter().next()
}

/// A hook may choose another status of failure, or redirect a browser to the login page. With any other status the answer has
/// that of the rejection.
pub(crate) fn ensure_failure(mut response: Response, status: StatusCode) -> Response {
    if !is_failure(response.status()) {
        *response.status_mut() = status;
    }
    response
}

/// Whether it is a status of failure, or one that redirects a browser to the login page.
pub(crate) fn is_failure(status: StatusCode) -> bool {
    let to_login =
        matches!(status, StatusCode::FOUND | StatusCode::SEE_OTHER | StatusCode::TEMPORARY_REDIRECT);
    status.is_client_error() || status.is_server_error() || to_login
}

/// The body of a status (RFC 9457), which is the same for all of its causes but for the detail.
fn problem(status: StatusCode, detail: Option<&str>) -> Response {
    let title = status.canonical_reason().unwrap_or("Rejected");
    let detail = detail.map_or_else(String::new, |text| format!(r#","detail":{}"#, Value::from(text)));
    let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{}{detail}}}"#, status.as_u16());
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// 500 for a misconfigured service. The log says what to do: audit is not informed.
pub(crate) fn misconfigured(what: &str) -> Rejection {
    tracing::error!(what, "auth: the request is rejected because the service is misconfigured");
    Rejection::new(RejectionKind::Misconfigured)
}
