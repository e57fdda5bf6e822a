//! The routes as functions, from a request to its response.

mod attempt;
mod former_session;
mod lists;
mod log_in;
mod log_out;
mod oauth;
mod refresh;
mod response;
mod sessions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts as _;
use axum::http::HeaderValue;
use axum::http::request::Parts;

use self::attempt::LoginLimiter;
pub use self::attempt::{LoginAttempt, LoginError};
use super::body::RefreshTokenBody;
#[cfg(feature = "openapi")]
use super::documented::Documented;
use super::limits::LimitSettings;
use super::mount::UserRules;
use super::session_routes::SessionLabel;
use super::{Delivery, LoginVerifier, TokenAnswers, TokenFailure};
use crate::audit::{AuditAction, AuditEvent};
use crate::catch_panic::catch_panic_of;
use crate::engine::{Engine, TokenCookies};
use crate::method::is_safe;
use crate::pipeline::RequestAuth;
use crate::principal::Principal;
use crate::session::{TokenError, TokenService};
use crate::store::AttemptStore;

/// The ready routes: each [as a route](Self::route) for a path of the application's own, with its rule and its documentation; and each as a
/// function for a handler of the application's own, which takes the request and returns the response.
///
/// [`log_in`](Self::log_in), [`refresh`](Self::refresh) and [`log_out`](Self::log_out) verify the caller themselves, so
/// their handler is `#[auth(public)]`. The others need a rule.
///
/// In handlers, mount [`sessions`](Self::sessions), [`user_sessions`](Self::user_sessions), [`all_sessions`](Self::all_sessions) and
/// [`revocations`](Self::revocations) with `get`, the functions that end sessions with
/// `delete`, and the others with `post`. All but the first four answer 405 to a safe method (`GET`, `HEAD`, `OPTIONS`, `TRACE`).
/// [`finish`](crate::Router::finish) can't report that: which of these functions a handler calls is known only when it is called.
///
/// If code of the application's panics in them, such as its [`LoginVerifier`](super::LoginVerifier) or its store, the response is 500
/// `server_error` in the form of RFC 6749, and the panic's message goes to tracing.
pub struct TokenEndpoints<A>(Arc<Inner<A>>);

struct Inner<A> {
    config: RoutesConfig<A>,
    login_limiter: Arc<LoginLimiter>,
    rules_of_users: UserRules,
    #[cfg(feature = "openapi")]
    documented: Documented,
}

/// The configuration of [`TokenRoutes`](super::TokenRoutes).
pub(super) struct RoutesConfig<A> {
    pub(super) tokens: TokenService,
    pub(super) login_verifier: A,
    pub(super) delivery: Delivery,
    pub(super) answers: Box<dyn TokenAnswers>,
    pub(super) limits: LimitSettings,
    pub(super) attempt_store: Option<Arc<dyn AttemptStore>>,
    pub(super) logins_at_once: usize,
    pub(super) cookie_path: Option<String>,
    /// Whether the application chooses the path of each route.
    pub(super) is_mounted_by_hand: bool,
    pub(super) session_label: Option<SessionLabel>,
    /// How old the login of a user may be that manages its sessions.
    pub(super) sessions_max_age: Duration,
    /// How wrong credentials of a login fail.
    pub(super) wrong_credentials: TokenFailure,
    pub(super) refresh_request: RefreshTokenBody,
    pub(super) logout_request: RefreshTokenBody,
    /// `Clear-Site-Data` of a logout.
    pub(super) clear_site_data: Option<HeaderValue>,
}

impl<A: LoginVerifier> TokenEndpoints<A> {
    pub(super) fn new(config: RoutesConfig<A>) -> Self {
        Self(Arc::new(Inner {
            login_limiter: Arc::new(LoginLimiter::new(&config)),
            rules_of_users: UserRules::default(),
            #[cfg(feature = "openapi")]
            documented: Documented::new(&config),
            config,
        }))
    }
}

impl<A> TokenEndpoints<A> {
    pub(super) fn rules_of_users(&self) -> &UserRules {
        &self.0.rules_of_users
    }

    /// What the routes say of themselves.
    #[cfg(feature = "openapi")]
    pub(super) fn documented(&self) -> &Documented {
        &self.0.documented
    }

    pub(super) fn config(&self) -> &RoutesConfig<A> {
        &self.0.config
    }

    fn tokens(&self) -> &TokenService {
        &self.config().tokens
    }

    /// The service for a request, whose client audit events then name.
    fn tokens_for(&self, head: &Parts) -> TokenService {
        self.tokens().for_request(head)
    }

    /// Has the audit hook learn of a failure before the service was called: the log knows it already.
    fn audit_failure(&self, action: AuditAction, head: &Parts, failure: TokenFailure) -> TokenFailure {
        let event = AuditEvent {
            client_address: self.engine().client_address(head),
            ..AuditEvent::new(action).failed(failure.rejection_kind(), failure.reason(action))
        };
        match self.engine().responses.audit_log.call_hook(&event) {
            Ok(()) => failure,
            Err(_) => TokenFailure::Misconfigured,
        }
    }

    /// The cookies that tokens are sent in, if they are.
    fn cookies(&self) -> Option<&TokenCookies> {
        (self.config().delivery == Delivery::Cookies).then(|| &self.engine().sessions.cookies)
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        self.tokens().engine()
    }

    /// Checks that the request may change state. A safe method is rejected: a browser sends such a request, with its cookies, for a
    /// page of any site, and it may be sent ahead of the user's click.
    fn check_origin(&self, head: &Parts) -> Result<(), TokenFailure> {
        if is_safe(&head.method) {
            tracing::error!(
                method = head.method.as_str(),
                path = head.uri.path(),
                "auth: a token route changes state, and was called with a method that must not: mount it with `post` or `delete`"
            );
            return Err(TokenFailure::MethodNotAllowed);
        }
        self.check_page(head)
    }

    /// Checks the origin if tokens are sent in cookies, also if the request has none yet: otherwise another site could log its
    /// visitors in as another user.
    fn check_page(&self, head: &Parts) -> Result<(), TokenFailure> {
        self.check_engine(head)?;
        if self.cookies().is_none() || self.engine().authentication.origins.admits(head) {
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
        self.check_origin(head)?;
        self.reader(head).await
    }

    /// The same, for a request that changes nothing.
    async fn reader(&self, head: &mut Parts) -> Result<Principal, TokenFailure> {
        self.check_page(head)?;
        Principal::from_request_parts(head, &()).await.map_err(|_| {
            tracing::error!("auth: a token route has an anonymous caller: its rule must require a caller");
            TokenFailure::Misconfigured
        })
    }
}

/// Awaits a route's work. A panic of the application's code in it is an error of the service.
async fn caught<T>(work: impl Future<Output = Result<T, TokenFailure>>) -> Result<T, TokenFailure> {
    catch_panic_of(work).await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "auth: the answer of a token route is 500, because code of the application's panicked");
        Err(TokenFailure::Misconfigured)
    })
}

/// What the caller of a route receives for an error, which the service has reported.
fn failure(error: &TokenError) -> TokenFailure {
    match error {
        TokenError::Refresh(_) => TokenFailure::InvalidGrant,
        _ if error.is_temporary() => TokenFailure::Unavailable,
        _ => TokenFailure::Misconfigured,
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
