//! The routes as plain functions, from a request to its answer.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts as _, OriginalUri, Request};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answers::no_store;
use super::limits::LogInLimits;
use super::{AttemptLimit, Authenticator, Credentials as _, Delivery, TokenAnswers, TokenFailure, body};
use crate::address::client_address;
use crate::engine::Engine;
use crate::principal::Principal;
use crate::revocation::Revocation;
use crate::source::{Bearer, CredentialSource, Extracted};
use crate::tokens::{IssuedTokens, TokenError, Tokens};

/// The ready routes as plain functions, for handlers of the application's own: each takes the request and makes the answer.
///
/// [`log_in`](Self::log_in), [`refresh`](Self::refresh) and [`log_out`](Self::log_out) see to their callers themselves, so
/// such a handler is `#[auth(public)]`; the others need a rule.
pub struct TokenEndpoints<A>(Arc<Inner<A>>);

struct Inner<A> {
    configured: Configured<A>,
    limits: LogInLimits,
}

/// What [`TokenRoutes`](super::TokenRoutes) was told.
pub(super) struct Configured<A> {
    pub(super) tokens: Tokens,
    pub(super) authenticator: A,
    pub(super) delivery: Delivery,
    pub(super) answers: Box<dyn TokenAnswers>,
    pub(super) per_account: AttemptLimit,
    pub(super) per_address: AttemptLimit,
    pub(super) cookie_path: Option<String>,
}

/// What a refresh sends where no cookie holds the token (RFC 6749 §6).
#[derive(Deserialize)]
struct RefreshBody {
    grant_type: Option<String>,
    refresh_token: String,
}

/// What a log-out may send where no cookie holds the token.
#[derive(Default, Deserialize)]
struct LogOutBody {
    refresh_token: Option<String>,
}

/// What RFC 7009 §2.1 and RFC 7662 §2.1 send. The hint is not needed: the two kinds look different.
#[derive(Deserialize)]
struct TokenBody {
    token: String,
}

impl<A: Authenticator> TokenEndpoints<A> {
    /// Tokens for good credentials. A log-in that the limits refuse is not tried.
    pub async fn log_in(&self, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        match self.try_log_in(&mut head, body).await {
            Ok(tokens) => self.hand_over(&head, &tokens),
            Err(failure) => self.failed(failure),
        }
    }

    async fn try_log_in(&self, head: &mut Parts, body: Body) -> Result<IssuedTokens, TokenFailure> {
        self.own_page(head)?;
        let address = self.address(head).await?;
        let credentials: A::Credentials = body::read(head, body).await?;
        let now = self.engine().now();
        self.0.limits.attempt(credentials.account(), address, now).map_err(|wait| {
            tracing::info!(%address, seconds = wait.as_secs(), "auth: too many log-in attempts");
            TokenFailure::TooManyAttempts(wait)
        })?;
        let subject = self.configured().authenticator.authenticate(credentials).await.map_err(|error| {
            tracing::error!(%error, "auth: credentials can't be checked");
            TokenFailure::Unavailable
        })?;
        let Some(subject) = subject else {
            tracing::info!(%address, "auth: a log-in with wrong credentials");
            return Err(TokenFailure::InvalidGrant);
        };
        self.tokens().issue(&subject).await.map_err(|error| failure(&error))
    }

    /// The next tokens for a refresh token.
    pub async fn refresh(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        match self.try_refresh(&head, body).await {
            Ok(tokens) => self.hand_over(&head, &tokens),
            Err(failure) => {
                let mut response = self.failed(failure);
                if failure == TokenFailure::InvalidGrant {
                    self.clear_cookies(&head, &mut response);
                }
                response
            }
        }
    }

    async fn try_refresh(&self, head: &Parts, body: Body) -> Result<IssuedTokens, TokenFailure> {
        self.own_page(head)?;
        let token = match self.configured().delivery {
            Delivery::Cookies => match self.engine().refresh_cookie().find(head) {
                Extracted::Present(token) => token.into_owned(),
                Extracted::Absent => return Err(TokenFailure::InvalidGrant),
                Extracted::Repeated | Extracted::Unusable(_) => return Err(TokenFailure::InvalidRequest),
            },
            Delivery::Json => {
                let sent: RefreshBody = body::read(head, body).await?;
                if sent.grant_type.is_some_and(|kind| kind != "refresh_token") {
                    return Err(TokenFailure::InvalidRequest);
                }
                sent.refresh_token
            }
        };
        self.tokens().refresh(&token).await.map_err(|error| failure(&error))
    }

    /// Ends the log-in of whatever the client has: a refresh token, an access token, expired or not. Without any it is logged
    /// out already. It clears every cookie, unless the store failed: then the client can try again.
    pub async fn log_out(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        match self.try_log_out(&head, body).await {
            Ok(()) => self.logged_out(&head),
            Err(failure) => self.failed(failure),
        }
    }

    async fn try_log_out(&self, head: &Parts, body: Body) -> Result<(), TokenFailure> {
        self.own_page(head)?;
        let tokens = self.tokens();
        let sent = match self.configured().delivery {
            Delivery::Cookies => None,
            Delivery::Json => body::read_optional::<LogOutBody>(head, body).await?.refresh_token,
        };
        let cookie = match self.engine().refresh_cookie().find(head) {
            Extracted::Present(token) if self.sets_cookies() => Some(token.into_owned()),
            _ => None,
        };
        if let Some(refresh_token) = sent.or(cookie) {
            tokens.log_out(&refresh_token).await.map_err(|error| failure(&error))?;
        }
        let Some(principal) = self.access_token(head).and_then(|token| tokens.genuine(&token)) else {
            return Ok(());
        };
        let ended = match (principal.session_id(), principal.token_id()) {
            (Some(session_id), _) => tokens.end_session(session_id).await,
            (None, Some(_)) => tokens.revoke_access(&principal).await,
            (None, None) => Ok(()),
        };
        ended.map_err(|error| failure(&error))
    }

    /// Ends all log-ins of the caller's. It needs a rule that asks for a caller.
    pub async fn log_out_everywhere(&self, request: Request) -> Response {
        let (mut head, _) = request.into_parts();
        let Ok(principal) = Principal::from_request_parts(&mut head, &()).await else {
            tracing::error!(
                "auth: `log_out_everywhere` was called by a handler whose rule asks for no caller"
            );
            return self.failed(TokenFailure::Misconfigured);
        };
        let revoked = self.engine().revoke(Revocation::of_user(&principal, self.engine().now())).await;
        match revoked {
            Ok(()) => self.logged_out(&head),
            Err(error) => self.failed(failure(&error.into())),
        }
    }

    /// Takes a token back (RFC 7009). It needs a rule that says which clients may.
    pub async fn revoke(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let sent = match body::read::<TokenBody>(&head, body).await {
            Ok(sent) => sent,
            Err(failure) => return self.failed(failure),
        };
        match self.tokens().revoke(&sent.token).await {
            Ok(()) => no_store(StatusCode::OK.into_response()),
            Err(error) => self.failed(failure(&error)),
        }
    }

    /// What a token says, if it is good (RFC 7662). It needs a rule that says which services may ask.
    pub async fn introspect(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let sent = match body::read::<TokenBody>(&head, body).await {
            Ok(sent) => sent,
            Err(failure) => return self.failed(failure),
        };
        match self.tokens().introspect(&sent.token).await {
            Ok(answer) => no_store(Json(answer).into_response()),
            Err(error) => self.failed(failure(&error)),
        }
    }
}

impl<A> TokenEndpoints<A> {
    pub(super) fn new(configured: Configured<A>) -> Self {
        let limits = LogInLimits::new(configured.per_account, configured.per_address);
        Self(Arc::new(Inner { configured, limits }))
    }

    fn configured(&self) -> &Configured<A> {
        &self.0.configured
    }

    fn tokens(&self) -> &Tokens {
        &self.configured().tokens
    }

    fn sets_cookies(&self) -> bool {
        self.configured().delivery == Delivery::Cookies
    }

    fn engine(&self) -> &Engine {
        self.tokens().engine()
    }

    /// Where cookies are set and sent, the page must be this service's own, also where none is sent yet: else another site
    /// could log its visitors in as somebody else.
    fn own_page(&self, head: &Parts) -> Result<(), TokenFailure> {
        if !self.sets_cookies() || self.engine().origins().admits(head) {
            Ok(())
        } else {
            tracing::info!("auth: a page of another origin sent a request to a token route");
            Err(TokenFailure::ForeignPage)
        }
    }

    async fn address(&self, head: &mut Parts) -> Result<IpAddr, TokenFailure> {
        match ConnectInfo::<SocketAddr>::from_request_parts(head, &()).await {
            Ok(ConnectInfo(peer)) => Ok(client_address(peer.ip(), self.engine().proxies(), &head.headers)),
            Err(_) => {
                tracing::error!(
                    "auth: log-in attempts are limited by address, and no address is known: serve the app with \
                     `app.into_make_service_with_connect_info::<SocketAddr>()`, and in a test add the layer \
                     `MockConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)))`"
                );
                Err(TokenFailure::Misconfigured)
            }
        }
    }

    /// The access token that the client has, wherever the delivery puts it.
    fn access_token<'r>(&self, head: &'r Parts) -> Option<Cow<'r, str>> {
        let source: &dyn CredentialSource = match self.configured().delivery {
            Delivery::Cookies => self.engine().access_cookie(),
            Delivery::Json => &Bearer::default(),
        };
        match source.extract(head) {
            Extracted::Present(token) => Some(token),
            _ => None,
        }
    }

    fn hand_over(&self, head: &Parts, tokens: &IssuedTokens) -> Response {
        let mut response = self.configured().answers.tokens(tokens, self.configured().delivery);
        if self.sets_cookies() {
            let engine = self.engine();
            let path = self.common_path(head);
            set_cookie(&mut response, engine.access_cookie().set(&tokens.access_token, tokens.expires_in));
            let refresh =
                engine.refresh_cookie().set(&tokens.refresh_token, &path, tokens.refresh_expires_in);
            set_cookie(&mut response, refresh);
        }
        no_store(response)
    }

    fn logged_out(&self, head: &Parts) -> Response {
        let mut response = self.configured().answers.logged_out();
        self.clear_cookies(head, &mut response);
        no_store(response)
    }

    fn failed(&self, failure: TokenFailure) -> Response {
        failure.render(&*self.configured().answers)
    }

    fn clear_cookies(&self, head: &Parts, response: &mut Response) {
        if self.sets_cookies() {
            set_cookie(response, self.engine().access_cookie().clear());
            set_cookie(response, self.engine().refresh_cookie().clear(&self.common_path(head)));
        }
    }

    /// The path that all of these routes stand under: what comes before the last `/` of this one's.
    fn common_path<'r>(&'r self, head: &'r Parts) -> Cow<'r, str> {
        if let Some(path) = &self.configured().cookie_path {
            return path.into();
        }
        let path = head.extensions.get::<OriginalUri>().map_or(head.uri.path(), |original| original.0.path());
        let common = path.rsplit_once('/').map_or("", |(common, _)| common);
        // A parameter of the path is whatever its sender wrote; what is more than a path would end the attribute.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
        if common.is_empty() || !common.bytes().all(plain) { "/".into() } else { common.into() }
    }
}

fn set_cookie(response: &mut Response, cookie: String) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// What the caller learns of an error, and the log of it.
fn failure(error: &TokenError) -> TokenFailure {
    match error {
        TokenError::Refused(why) => {
            tracing::info!(%why, "auth: a refresh token is refused");
            TokenFailure::InvalidGrant
        }
        TokenError::Unavailable(_) => {
            tracing::error!(%error, "auth: a token route can't do its work now");
            TokenFailure::Unavailable
        }
        TokenError::Claims(_) | TokenError::Sign(_) => {
            tracing::error!(%error, "auth: a token can't be made");
            TokenFailure::Misconfigured
        }
    }
}

impl<A> Clone for TokenEndpoints<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A> fmt::Debug for TokenEndpoints<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoints")
            .field("delivery", &self.configured().delivery)
            .finish_non_exhaustive()
    }
}
