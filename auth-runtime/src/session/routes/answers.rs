//! The responses of the routes: the RFCs' form, or the application's own.

use std::time::Duration;

use axum::Json;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::{AnswerSchemas, TokenRoute};
use crate::audit::AuditAction;
use crate::gate::ReturnTo;
use crate::login_page::{LoginPage, loads_page};
use crate::pipeline::RequestAuth;
use crate::rejection::{RejectionKind, ensure_failure};
use crate::session::IssuedTokens;

/// How the client receives tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// In the body of the response.
    Json,
    /// In cookies that no script can read (`HttpOnly`).
    Cookies,
}

/// The request that a response is for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenRequest<'r> {
    /// The route that was called.
    pub route: TokenRoute,
    /// How the client receives tokens.
    pub delivery: Delivery,
    /// The head of the request, for example for a query parameter that names the next page.
    pub head: &'r Parts,
}

impl TokenRequest<'_> {
    /// Returns where the login page was asked to lead back to: the field of the form, or else the parameter of the query, with the name that
    /// [`LoginPage`](crate::LoginPage) gives it. `None` if there is none; a text that [`ReturnTo`] does not accept is `/` in a form, and
    /// none in a query.
    #[must_use]
    pub fn return_to(&self) -> Option<ReturnTo> {
        let in_form = self.head.extensions.get().map(|FormReturnTo(return_to)| return_to.clone());
        in_form.or_else(|| ReturnTo::in_query(self.head))
    }

    /// The engine's login page, if a browser shows what is answered, and has its tokens in cookies.
    fn login_page(&self) -> Option<&LoginPage> {
        let page = RequestAuth::of(self.head)?.engine().responses.login_page.as_ref()?;
        (self.delivery == Delivery::Cookies && loads_page(self.head)).then_some(page)
    }
}

/// The way back that the form of a login has, in the extensions of its request.
#[derive(Clone)]
pub(super) struct FormReturnTo(pub(super) ReturnTo);

/// Why a token route failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFailure {
    /// 400 `invalid_request`: the request can't be parsed, or lacks a field.
    InvalidRequest,
    /// 400 `invalid_grant`: the credentials are wrong, or the refresh token is invalid.
    InvalidGrant,
    /// 401 `invalid_grant`: the credentials of a login are wrong, where
    /// [`TokenRoutes::unauthorized_on_wrong_credentials`](super::TokenRoutes::unauthorized_on_wrong_credentials) was called.
    WrongCredentials,
    /// 405 `invalid_request`, with `Allow`: a handler for a safe method, such as `GET`, called a function of
    /// [`TokenEndpoints`](super::TokenEndpoints). The log says which.
    MethodNotAllowed,
    /// 403 `access_denied`: a page of another origin sent the request.
    CrossOrigin,
    /// 404 `not_found`: the user has no such session; or the caller's token is of no session, so there are no others.
    NotFound,
    /// 429 `temporarily_unavailable`: there were too many attempts. The next attempt is allowed after this time.
    TooManyAttempts(Duration),
    /// 503 `temporarily_unavailable`: the store or the application's users can't be reached.
    Unavailable,
    /// 500 `server_error`: the service is misconfigured, or code of the application's panicked. The log says how.
    Misconfigured,
}

impl TokenFailure {
    /// Returns the status of the response.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::InvalidGrant => StatusCode::BAD_REQUEST,
            Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the error code (RFC 6749 §4.1.2.1 and §5.2; `not_found` is not of it).
    #[must_use]
    pub fn error(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::MethodNotAllowed => "invalid_request",
            Self::InvalidGrant | Self::WrongCredentials => "invalid_grant",
            Self::CrossOrigin => "access_denied",
            Self::NotFound => "not_found",
            Self::TooManyAttempts(_) | Self::Unavailable => "temporarily_unavailable",
            Self::Misconfigured => "server_error",
        }
    }

    /// The failure as audit events have it.
    pub(super) fn rejection_kind(self) -> RejectionKind {
        match self {
            Self::InvalidRequest | Self::MethodNotAllowed => RejectionKind::InvalidRequest,
            Self::InvalidGrant | Self::WrongCredentials => RejectionKind::InvalidGrant,
            Self::CrossOrigin => RejectionKind::CrossOrigin,
            Self::NotFound => RejectionKind::InsufficientScope,
            Self::TooManyAttempts(_) => RejectionKind::TooManyAttempts,
            Self::Unavailable => RejectionKind::Unavailable,
            Self::Misconfigured => RejectionKind::Misconfigured,
        }
    }

    /// The reason that audit events have.
    pub(super) fn reason(self, action: AuditAction) -> &'static str {
        match self {
            Self::InvalidRequest => "the request can't be parsed, or lacks a field",
            Self::MethodNotAllowed => "the method must not change state",
            Self::WrongCredentials => "the credentials are wrong",
            Self::InvalidGrant if action == AuditAction::Login => "the credentials are wrong",
            Self::InvalidGrant => "no refresh token was sent, or several",
            Self::CrossOrigin => "a page of another origin sent the request",
            Self::NotFound => "the caller has no such session",
            Self::TooManyAttempts(_) => "there were too many attempts",
            Self::Unavailable => {
                "the credentials can't be verified now, too many logins wait, or the store can't count them"
            }
            Self::Misconfigured => "the service is misconfigured, or code of the application's panicked",
        }
    }

    /// Returns the application's response, with a status that fits the failure. A 401 has a challenge: its own, or this one.
    pub(super) fn render(
        self,
        answers: &dyn TokenAnswers,
        request: &TokenRequest<'_>,
        challenge: Option<HeaderValue>,
    ) -> Response {
        let mut response = ensure_failure(answers.failed(self, request), self.status());
        let wait = match self {
            Self::TooManyAttempts(wait) => Some(wait.as_secs().max(1)),
            Self::Unavailable => Some(5),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(challenge) = challenge
        {
            response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(challenge);
        }
        if self == Self::MethodNotAllowed {
            // RFC 9110 §15.5.6.
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(request.route.method()));
        }
        no_store(response)
    }
}

/// The responses of the ready routes. Cookies, `Cache-Control` and `Retry-After` are added to every response, and to a 401 that has none
/// a challenge.
///
/// A browser that sends a form shows what is answered. So with cookies, and if the engine has a login page
/// ([`AuthBuilder::redirect_to_login`](crate::AuthBuilder::redirect_to_login)), these forms are answered with a redirect (303) by default:
///
/// | | leads to |
/// |---|---|
/// | a login | [`TokenRequest::return_to`], or `/` |
/// | a login that failed | the login page, with `error`, the [code](TokenFailure::error), and the way back in its query |
/// | a logout | `return_to` of the query, or the login page |
///
/// A page of another origin and a misconfigured service are answered 403 and 500 all the same. Scripts and programs get the answers
/// below.
pub trait TokenAnswers: Send + Sync + 'static {
    /// The user logged in, or the tokens were refreshed. Default: the response of RFC 6749 §5.1, without the tokens if they
    /// are sent in cookies.
    fn tokens(&self, tokens: &IssuedTokens, request: &TokenRequest<'_>) -> Response {
        if request.route == TokenRoute::Login && request.login_page().is_some() {
            return request.return_to().unwrap_or_default().into_response();
        }
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

    /// The route failed. Default: the response of RFC 6749 §5.2. The response may have another error status (4xx, 5xx) or redirect
    /// the browser (302, 303, 307). Any other status is replaced by that of the failure.
    fn failed(&self, failure: TokenFailure, request: &TokenRequest<'_>) -> Response {
        let is_shown = request.route == TokenRoute::Login
            && !matches!(failure, TokenFailure::CrossOrigin | TokenFailure::Misconfigured);
        if let Some(page) = request.login_page().filter(|_| is_shown) {
            let return_to = request.return_to();
            let return_to = return_to.as_ref().map(ReturnTo::as_str);
            return Redirect::to(&page.with(Some(failure.error()), return_to)).into_response();
        }
        (failure.status(), Json(json!({ "error": failure.error() }))).into_response()
    }

    /// The user is logged out. Default: 204.
    fn logged_out(&self, request: &TokenRequest<'_>) -> Response {
        if let Some(page) = request.login_page() {
            let return_to = request.return_to();
            return return_to.map_or_else(
                || Redirect::to(&page.with(None, None)).into_response(),
                IntoResponse::into_response,
            );
        }
        StatusCode::NO_CONTENT.into_response()
    }

    /// Returns what the OpenAPI document says of these answers. Default: nothing is known, since a method may be the application's own. If
    /// some are not, begin with [`AnswerSchemas::standard`].
    fn schemas(&self) -> AnswerSchemas {
        AnswerSchemas::new()
    }
}

/// The responses of the RFCs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StandardAnswers;

impl TokenAnswers for StandardAnswers {
    fn schemas(&self) -> AnswerSchemas {
        AnswerSchemas::standard()
    }
}

/// Forbids caching (RFC 6749 §5.1).
pub(super) fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
