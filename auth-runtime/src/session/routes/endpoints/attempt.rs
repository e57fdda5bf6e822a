//! The limits on login attempts: origin → address → limits → place in the queue → limits of all instances. The ready login and one of the
//! application's own share them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::{RoutesConfig, TokenEndpoints, caught};
use crate::audit::AuditAction;
use crate::client_address::UNKNOWN_ADDRESS;
use crate::session::routes::account::Account;
use crate::session::routes::limits::{LoginLimits, SharedLimits};
use crate::session::routes::limits_of_engine::LimitsOfEngine;
use crate::session::routes::login_queue::{LoginOrigin, LoginQueue, Place};
use crate::session::routes::{TokenFailure, TokenRoute};

/// What limits login attempts.
pub(super) struct LoginLimiter {
    of_engine: Arc<LimitsOfEngine>,
    limits: Arc<LoginLimits>,
    queue: LoginQueue,
    shared: SharedLimits,
}

impl LoginLimiter {
    pub(super) fn new<A>(config: &RoutesConfig<A>) -> Self {
        let of_engine = LimitsOfEngine::of(config.tokens.engine());
        config.attempt_store.iter().for_each(|store| of_engine.note_store(store));
        Self {
            limits: of_engine.with(config.limits),
            of_engine,
            queue: LoginQueue::new(config.logins_at_once),
            shared: SharedLimits::new(config),
        }
    }
}

impl<A> TokenEndpoints<A> {
    /// Begins a login attempt of the application's own, before the credentials are verified: a password, a one-time code, or anything
    /// else that can be guessed. It does what [`log_in`](Self::log_in) does, with the same limits: the origin of the page is checked if
    /// tokens are sent in cookies, the attempt is counted for the account and for the client's address, and it waits for its place among
    /// the logins that are verified at once.
    ///
    /// `account` is the name that the client sent, or better [`Account::Id`] where there is such a user and several names lead to it.
    /// Each step of a login counts, so pass the same in each.
    ///
    /// Keep the [`LoginAttempt`] while the credentials are verified, and set a time limit for that. Call [`LoginAttempt::succeed`] when the
    /// user is logged in.
    ///
    /// ```
    /// use auth_runtime::auth;
    /// use auth_runtime::session::routes::{LoginError, OwnLogin, TokenEndpoints, TokenFailure};
    /// use axum::http::request::Parts;
    /// use axum::response::Response;
    /// use axum::{Extension, Form};
    /// # use auth_runtime::session::Subject;
    /// # async fn verify_code(_: &str, _: &str) -> Option<Subject> { None }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Code {
    ///     email: String,
    ///     code: String,
    /// }
    ///
    /// #[auth(public)]
    /// async fn log_in_by_code(
    ///     Extension(endpoints): Extension<TokenEndpoints<OwnLogin>>,
    ///     head: Parts,
    ///     Form(sent): Form<Code>,
    /// ) -> Result<Response, LoginError> {
    ///     let attempt = endpoints.attempt(&head, &sent.email).await?;
    ///     let Some(subject) = verify_code(&sent.email, &sent.code).await else {
    ///         return Err(endpoints.fail_with(&head, TokenFailure::InvalidGrant));
    ///     };
    ///     attempt.succeed();
    ///     Ok(endpoints.log_in_as(&head, subject).await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The response that the routes would send: 403 for a page of another origin, 429 with `Retry-After` if a limit is exceeded, 503 if too
    /// many logins wait or the [store of attempts](crate::session::routes::TokenRoutes::attempt_store) fails, 500 if the router was finished
    /// with another engine or the client's address is unknown.
    pub async fn attempt<'a>(
        &self,
        head: &Parts,
        account: impl Into<Account<'a>>,
    ) -> Result<LoginAttempt, LoginError> {
        let admitted = match self.admit(head) {
            Ok(address) => caught(self.begin(account.into(), address)).await,
            Err(failure) => Err(failure),
        };
        admitted.map_err(|failure| {
            let failure = self.audit_failure(AuditAction::Login, head, failure);
            self.login_error(head, failure)
        })
    }

    /// Returns the failure of a login of the application's own, with the response of [`log_in`](Self::log_in).
    ///
    /// [`TokenFailure::InvalidGrant`] and [`TokenFailure::WrongCredentials`] are one here, and an audit event: the response is the one that
    /// [`TokenRoutes::unauthorized_on_wrong_credentials`](crate::session::routes::TokenRoutes::unauthorized_on_wrong_credentials) chose.
    #[must_use = "return it from the handler"]
    pub fn fail_with(&self, head: &Parts, failure: TokenFailure) -> LoginError {
        let failure = match failure {
            TokenFailure::InvalidGrant | TokenFailure::WrongCredentials => self.config().wrong_credentials,
            other => other,
        };
        let (address, reason) = (self.engine().client_address(head), failure.reason(AuditAction::Login));
        let address = address.map(tracing::field::display);
        tracing::info!(address, reason, "auth: a login of the application's own failed");
        self.login_error(head, self.audit_failure(AuditAction::Login, head, failure))
    }

    fn login_error(&self, head: &Parts, failure: TokenFailure) -> LoginError {
        LoginError { failure, response: Box::new(self.failed(failure, head, TokenRoute::Login)) }
    }

    /// Checks where a login comes from, and returns the address of its client.
    pub(super) fn admit(&self, head: &Parts) -> Result<IpAddr, TokenFailure> {
        self.check_origin(head)?;
        self.address(head)
    }

    /// Counts an attempt, and waits for its place.
    pub(super) async fn begin(
        &self,
        account: Account<'_>,
        address: IpAddr,
    ) -> Result<LoginAttempt, TokenFailure> {
        let limiter = Arc::clone(&self.0.login_limiter);
        let account = limiter.limits.attempt(account, address).map_err(|wait| {
            tracing::info!(%address, seconds = wait.as_secs(), "auth: too many login attempts");
            TokenFailure::TooManyAttempts(wait)
        })?;
        let origin = limiter.queue.origin(&account, address);
        let place = limiter.queue.enter(origin).await.inspect_err(|failure| {
            tracing::info!(%address, status = failure.status().as_u16(), "auth: too many logins wait to be verified");
        })?;
        // With a place: a flood that waits for one never reaches the store, and no more logins do at once than are verified.
        let store = self.config().attempt_store.as_ref().or_else(|| limiter.of_engine.store());
        if let Some(store) = store {
            limiter.shared.count(store, &account, address).await?;
        }
        Ok(LoginAttempt { limiter, origin, place })
    }

    fn address(&self, head: &Parts) -> Result<IpAddr, TokenFailure> {
        self.engine().client_address(head).ok_or_else(|| {
            tracing::error!("auth: login attempts are limited by address, but {UNKNOWN_ADDRESS}");
            TokenFailure::Misconfigured
        })
    }
}

/// A login attempt within the limits, with its place among the logins that are verified at once
/// ([`TokenRoutes::logins_at_once`](crate::session::routes::TokenRoutes::logins_at_once)). When it is dropped, the next login gets the
/// place.
#[must_use = "keep it while the credentials are verified: it holds the place of this login"]
pub struct LoginAttempt {
    limiter: Arc<LoginLimiter>,
    origin: LoginOrigin,
    place: Place,
}

impl LoginAttempt {
    /// The user is logged in: frees the place, and remembers that the account has logged in from this network, which has priority when
    /// many logins wait. Call it after the last step of a login alone: after a password that another factor follows, drop the attempt.
    pub fn succeed(self) {
        let Self { limiter, origin, place } = self;
        drop(place);
        limiter.queue.remember(origin);
    }
}

impl fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginAttempt").finish_non_exhaustive()
    }
}

/// A login of the application's own failed. It holds the response of the routes, so `?` works in a handler that returns it or a `Response`
/// as its error.
pub struct LoginError {
    failure: TokenFailure,
    response: Box<Response>,
}

impl LoginError {
    /// Returns why.
    #[must_use]
    pub fn failure(&self) -> TokenFailure {
        self.failure
    }
}

impl IntoResponse for LoginError {
    fn into_response(self) -> Response {
        *self.response
    }
}

impl From<LoginError> for Response {
    fn from(error: LoginError) -> Self {
        error.into_response()
    }
}

impl fmt::Debug for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginError").field("failure", &self.failure).finish_non_exhaustive()
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the login failed: {} `{}`", self.failure.status().as_u16(), self.failure.error())
    }
}

impl std::error::Error for LoginError {}
