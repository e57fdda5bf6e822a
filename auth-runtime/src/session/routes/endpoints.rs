//! The routes as functions, from a request to its response.

mod response;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::answers::no_store;
use super::limits::LoginLimits;
use super::login_queue::LoginQueue;
use super::{
    AttemptLimit, Credentials as _, Delivery, LoginVerifier, TokenAnswers, TokenFailure, TokenRoute, body,
};
use crate::catch_panic::catch_panic_of;
use crate::client_address::client_address;
use crate::engine::Engine;
use crate::pipeline::RequestAuth;
use crate::principal::Principal;
use crate::session::{IssuedTokens, Subject, TokenError, TokenService};
use crate::source::{Bearer, CredentialSource as _, Extracted};

/// The ready routes as functions, for handlers of the application's own. Each takes the request and returns the response.
///
/// [`log_in`](Self::log_in), [`refresh`](Self::refresh) and [`log_out`](Self::log_out) verify the caller themselves, so
/// their handler is `#[auth(public)]`. The others need a rule.
///
/// If code of the application's panics in them, such as its [`LoginVerifier`] or its store, the response is 500
/// `server_error` in the form of RFC 6749, and the panic's message goes to tracing.
pub struct TokenEndpoints<A>(Arc<Inner<A>>);

struct Inner<A> {
    config: RoutesConfig<A>,
    limits: LoginLimits,
    login_queue: LoginQueue,
}

/// How long [`LoginVerifier::authenticate`] may take. It holds one of the places of logins that are verified at once.
const MAX_VERIFICATION: Duration = Duration::from_secs(30);

/// The configuration of [`TokenRoutes`](super::TokenRoutes).
pub(super) struct RoutesConfig<A> {
    pub(super) tokens: TokenService,
    pub(super) login_verifier: A,
    pub(super) delivery: Delivery,
    pub(super) answers: Box<dyn TokenAnswers>,
    pub(super) per_account: AttemptLimit,
    pub(super) per_address: AttemptLimit,
    pub(super) logins_at_once: usize,
    pub(super) cookie_path: Option<String>,
}

/// The body of a refresh without cookies (RFC 6749 §6).
#[derive(Deserialize)]
struct RefreshBody {
    grant_type: Option<String>,
    refresh_token: String,
}

/// The optional body of a logout without cookies.
#[derive(Default, Deserialize)]
struct LogoutBody {
    refresh_token: Option<String>,
}

/// The body of RFC 7009 §2.1 and RFC 7662 §2.1. `token_type_hint` is not needed, because the two kinds of token look different.
#[derive(Deserialize)]
struct TokenBody {
    token: String,
}

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// Issues tokens for valid credentials. If the limits are exceeded, or too many logins wait, the credentials are not verified.
    pub async fn log_in(&self, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        match caught(self.try_log_in(&mut head, body)).await {
            Ok(tokens) => self.hand_over(&head, TokenRoute::Login, &tokens),
            Err(failure) => self.failed(failure, &head, TokenRoute::Login),
        }
    }

    async fn try_log_in(&self, head: &mut Parts, body: Body) -> Result<IssuedTokens, TokenFailure> {
        self.check_origin(head)?;
        let address = self.address(head).await?;
        let credentials: A::Credentials = body::read(head, body).await?;
        self.0.limits.attempt(credentials.account(), address).map_err(|wait| {
            tracing::info!(%address, seconds = wait.as_secs(), "auth: too many login attempts");
            TokenFailure::TooManyAttempts(wait)
        })?;
        let queue = &self.0.login_queue;
        let origin = queue.origin(credentials.account(), address);
        let place = queue.enter(origin).await.inspect_err(|failure| {
            tracing::info!(%address, status = failure.status().as_u16(), "auth: too many logins wait to be verified");
        })?;
        let subject = self.verify(credentials).await?;
        drop(place);
        let Some(subject) = subject else {
            tracing::info!(%address, "auth: the credentials of a login are wrong");
            return Err(TokenFailure::InvalidGrant);
        };
        queue.remember(origin);
        self.tokens().issue(&subject).await.map_err(|error| failure(&error))
    }

    /// The user of these credentials, as the application says.
    async fn verify(&self, credentials: A::Credentials) -> Result<Option<Subject>, TokenFailure> {
        let verifying = self.config().login_verifier.authenticate(credentials);
        let verified = timeout(MAX_VERIFICATION, verifying).await.map_err(|_| {
            let seconds = MAX_VERIFICATION.as_secs();
            tracing::error!(
                seconds,
                "auth: `LoginVerifier::authenticate` did not return within the time limit"
            );
            TokenFailure::Unavailable
        })?;
        verified.map_err(|error| {
            tracing::error!(%error, "auth: the credentials of a login can't be verified");
            TokenFailure::Unavailable
        })
    }

    /// Issues new tokens for a refresh token.
    pub async fn refresh(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        match caught(self.try_refresh(&head, body)).await {
            Ok(tokens) => self.hand_over(&head, TokenRoute::Refresh, &tokens),
            Err(failure) => {
                let mut response = self.failed(failure, &head, TokenRoute::Refresh);
                if failure == TokenFailure::InvalidGrant {
                    self.clear_cookies(&head, &mut response);
                }
                response
            }
        }
    }

    async fn try_refresh(&self, head: &Parts, body: Body) -> Result<IssuedTokens, TokenFailure> {
        self.check_origin(head)?;
        let token = match self.config().delivery {
            Delivery::Cookies => match self.engine().sessions.cookies.refresh.find(head) {
                Extracted::Present(token) => token.into_owned(),
                // Several cookies have different paths; the response clears them.
                _ => return Err(TokenFailure::InvalidGrant),
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

    /// Ends the sessions of all tokens of the client: refresh tokens, access tokens, expired or not. Without a token the client is
    /// logged out already. The response clears every cookie, unless the store failed, so that the client can try again.
    pub async fn log_out(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        match caught(self.try_log_out(&head, body)).await {
            Ok(()) => self.logged_out(&head, TokenRoute::Logout),
            Err(failure) => self.failed(failure, &head, TokenRoute::Logout),
        }
    }

    async fn try_log_out(&self, head: &Parts, body: Body) -> Result<(), TokenFailure> {
        self.check_origin(head)?;
        let tokens = self.tokens();
        let refresh_tokens: Vec<String> = match self.config().delivery {
            Delivery::Cookies => self
                .engine()
                .sessions
                .cookies
                .refresh
                .find_all(head)
                .filter_map(|found| match found {
                    Extracted::Present(token) => Some(token.into_owned()),
                    _ => None,
                })
                .collect(),
            Delivery::Json => {
                body::read_optional::<LogoutBody>(head, body).await?.refresh_token.into_iter().collect()
            }
        };
        for token in refresh_tokens {
            tokens.log_out(&token).await.map_err(|error| failure(&error))?;
        }
        for token in self.access_tokens(head) {
            let Some(principal) = tokens.genuine(&token) else { continue };
            let ended = match (principal.session_id(), principal.token_id()) {
                (Some(session_id), _) => tokens.end_session_of(session_id, principal.issued_at()).await,
                (None, Some(_)) => tokens.revoke_access(&principal).await,
                (None, None) => Ok(()),
            };
            ended.map_err(|error| failure(&error))?;
        }
        Ok(())
    }

    /// Ends all sessions of the caller. Its route needs a rule that requires a caller.
    pub async fn log_out_everywhere(&self, request: Request) -> Response {
        let (mut head, _) = request.into_parts();
        match caught(self.try_log_out_everywhere(&mut head)).await {
            Ok(()) => self.logged_out(&head, TokenRoute::LogoutEverywhere),
            Err(failure) => self.failed(failure, &head, TokenRoute::LogoutEverywhere),
        }
    }

    async fn try_log_out_everywhere(&self, head: &mut Parts) -> Result<(), TokenFailure> {
        let principal = self.client(head).await?;
        self.tokens().revoke_user(&principal).await.map_err(|error| failure(&error))
    }

    /// Revokes a token (RFC 7009). Its route needs a rule that names the clients that may revoke.
    pub async fn revoke(&self, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        match caught(self.try_revoke(&mut head, body)).await {
            Ok(()) => no_store(StatusCode::OK.into_response()),
            Err(failure) => self.failed(failure, &head, TokenRoute::Revoke),
        }
    }

    async fn try_revoke(&self, head: &mut Parts, body: Body) -> Result<(), TokenFailure> {
        self.client(head).await?;
        let sent: TokenBody = body::read(head, body).await?;
        self.tokens().revoke(&sent.token).await.map_err(|error| failure(&error))
    }

    /// Returns the claims of a token, if it is valid (RFC 7662). Its route needs a rule that names the services that may
    /// introspect.
    pub async fn introspect(&self, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        match caught(self.try_introspect(&mut head, body)).await {
            Ok(answer) => no_store(Json(answer).into_response()),
            Err(failure) => self.failed(failure, &head, TokenRoute::Introspect),
        }
    }

    async fn try_introspect(&self, head: &mut Parts, body: Body) -> Result<Value, TokenFailure> {
        self.client(head).await?;
        let sent: TokenBody = body::read(head, body).await?;
        self.tokens().introspect(&sent.token).await.map_err(|error| failure(&error))
    }
}

impl<A> TokenEndpoints<A> {
    pub(super) fn new(config: RoutesConfig<A>) -> Self {
        let limits = LoginLimits::new(config.per_account, config.per_address);
        let login_queue = LoginQueue::new(config.logins_at_once);
        Self(Arc::new(Inner { config, limits, login_queue }))
    }

    fn config(&self) -> &RoutesConfig<A> {
        &self.0.config
    }

    fn tokens(&self) -> &TokenService {
        &self.config().tokens
    }

    fn sets_cookies(&self) -> bool {
        self.config().delivery == Delivery::Cookies
    }

    fn engine(&self) -> &Arc<Engine> {
        self.tokens().engine()
    }

    /// Checks the origin if tokens are sent in cookies, also if the request has none yet: otherwise another site could log its
    /// visitors in as another user.
    fn check_origin(&self, head: &Parts) -> Result<(), TokenFailure> {
        self.check_engine(head)?;
        if !self.sets_cookies() || self.engine().authentication.origins.admits(head) {
            Ok(())
        } else {
            tracing::info!("auth: a page of another origin sent a request to a token route");
            Err(TokenFailure::CrossOrigin)
        }
    }

    /// Checks that the router belongs to this engine, because only its gates enforce the revocations.
    fn check_engine(&self, head: &Parts) -> Result<(), TokenFailure> {
        if RequestAuth::of(head).is_some_and(|auth| Arc::ptr_eq(auth.engine(), self.engine())) {
            return Ok(());
        }
        tracing::error!(
            "auth: a token route is on a router that was not finished, or was finished with another engine than that of \
             its `TokenService`: use the same `Auth` for both"
        );
        Err(TokenFailure::Misconfigured)
    }

    /// Returns the client, which the rule of the route must require (RFC 7009 §2.1, RFC 7662 §2.1).
    async fn client(&self, head: &mut Parts) -> Result<Principal, TokenFailure> {
        self.check_engine(head)?;
        Principal::from_request_parts(head, &()).await.map_err(|_| {
            tracing::error!("auth: a token route has an anonymous caller: its rule must require a caller");
            TokenFailure::Misconfigured
        })
    }

    async fn address(&self, head: &mut Parts) -> Result<IpAddr, TokenFailure> {
        match ConnectInfo::<SocketAddr>::from_request_parts(head, &()).await {
            Ok(ConnectInfo(peer)) => {
                Ok(client_address(peer.ip(), self.engine().sessions.proxies.as_ref(), &head.headers))
            }
            Err(_) => {
                tracing::error!(
                    "auth: login attempts are limited by address, but the address is unknown: serve the app with \
                     `app.into_make_service_with_connect_info::<SocketAddr>()`, and in a test add the layer \
                     `MockConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)))`"
                );
                Err(TokenFailure::Misconfigured)
            }
        }
    }

    /// Returns the access tokens of the client, from its cookies or its header.
    fn access_tokens(&self, head: &Parts) -> Vec<String> {
        let present = |found: Extracted<'_>| match found {
            Extracted::Present(token) => Some(token.into_owned()),
            _ => None,
        };
        match self.config().delivery {
            Delivery::Cookies => {
                self.engine().sessions.cookies.access.find_all(head).filter_map(present).collect()
            }
            Delivery::Json => present(Bearer::default().extract(head)).into_iter().collect(),
        }
    }
}

/// Awaits a route's work. A panic of the application's code in it is an error of the service.
async fn caught<T>(work: impl Future<Output = Result<T, TokenFailure>>) -> Result<T, TokenFailure> {
    catch_panic_of(work).await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "auth: the answer of a token route is 500, because code of the application's panicked");
        Err(TokenFailure::Misconfigured)
    })
}

/// Logs an error, and returns what its caller receives.
fn failure(error: &TokenError) -> TokenFailure {
    match error {
        TokenError::Refresh(why) => {
            tracing::info!(%why, "auth: a refresh token is rejected");
            TokenFailure::InvalidGrant
        }
        _ if error.is_temporary() => {
            tracing::error!(%error, "auth: a token route is unavailable");
            TokenFailure::Unavailable
        }
        _ => {
            tracing::error!(%error, "auth: no token is issued");
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
        f.debug_struct("TokenEndpoints").field("delivery", &self.config().delivery).finish_non_exhaustive()
    }
}
