//! The routes of sessions: for the user who has them, and for an administrator.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::routing::{delete, get};
use serde::Deserialize;

use super::{LoginVerifier, TokenEndpoints, TokenRoute, TokenRoutes};
use crate::policy::{Condition, HandlerInfo, Rule};
use crate::router::{MethodRouter, Router, beside};

/// How the label of a session is derived from the request of its login.
pub(super) type SessionLabel = Box<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// How old the login may be, by default, that a user manages its sessions with.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// Which routes of sessions are mounted.
#[derive(Debug)]
pub(super) struct SessionRoutes {
    is_mounted: bool,
    max_age: Duration,
    administration: Option<Rule>,
}

impl Default for SessionRoutes {
    fn default() -> Self {
        Self { is_mounted: false, max_age: MAX_AGE, administration: None }
    }
}

impl<A: LoginVerifier> TokenRoutes<A> {
    /// Mounts `GET /sessions`, `DELETE /sessions/{session_id}` and `DELETE /sessions`: a user lists its active sessions, ends one, and
    /// ends all but the current one. The user must have logged in a short time ago
    /// ([`sessions_max_age`](Self::sessions_max_age)), as OWASP ASVS 5, 7.5.2 requires; otherwise the response is 401
    /// `insufficient_user_authentication` (RFC 9470).
    ///
    /// A user reaches its own sessions alone: any other id is answered 404. A caller with a token of another issuer has no sessions
    /// here, so its list is empty, and there is nothing that it could end (404).
    pub fn sessions(mut self) -> Self {
        self.sessions.is_mounted = true;
        self
    }

    /// Sets how old the login of a user may be that manages its [`sessions`](Self::sessions), in whole seconds. Default: 10 minutes.
    pub fn sessions_max_age(mut self, max_age: Duration) -> Self {
        self.sessions.max_age = max_age;
        self
    }

    /// Mounts `GET /users/{subject}/sessions`, `DELETE /users/{subject}/sessions/{session_id}` and `DELETE /users/{subject}/sessions`
    /// for the administrators that satisfy this rule, which must require a caller: they list the sessions of any user, end one, and end
    /// all, with all access tokens of the user (OWASP ASVS 5, 7.4.5). `subject` is the id of the user, percent-encoded. With
    /// `rule!(public)` every request is rejected with 500.
    ///
    /// The same from code of the application's: [`sessions`](crate::session::TokenService::sessions),
    /// [`end_user_session`](crate::session::TokenService::end_user_session) and
    /// [`log_out_everywhere`](crate::session::TokenService::log_out_everywhere).
    pub fn administration(mut self, rule: Rule) -> Self {
        self.sessions.administration = Some(rule);
        self
    }

    /// Derives what a user recognizes a session by from the request of the login. [`user_agent`] does it from the browser's name.
    /// Default: sessions have no label. A label that the [`LoginVerifier`] has [set](crate::session::Subject::session_label) is used
    /// instead.
    ///
    /// It is stored as one line of at most 200 characters, without control characters. A page that shows it must escape it.
    pub fn session_label(mut self, label: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.config.session_label = Some(Box::new(label));
        self
    }
}

/// Returns the header `User-Agent`, for [`TokenRoutes::session_label`] and
/// [`Subject::session_label`](crate::session::Subject::session_label). The client may send any text.
#[must_use]
pub fn user_agent(head: &Parts) -> Option<String> {
    let value = head.headers.get(USER_AGENT)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The parameters of a path; empty if the path has none, or one that is not UTF-8: then nothing is found.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    subject: String,
    session_id: String,
}

type FromPath = Result<Path<Parameters>, PathRejection>;

fn parameters(path: FromPath) -> Parameters {
    path.map(|Path(parameters)| parameters).unwrap_or_default()
}

impl SessionRoutes {
    /// Returns the routes that are mounted. `caller` is the rule of a user's own, and `document` adds the documentation of a route with
    /// this id.
    pub(super) fn router<A, S>(
        self,
        endpoints: &TokenEndpoints<A>,
        caller: Rule,
        document: impl Fn(MethodRouter<S>, TokenRoute, &str) -> MethodRouter<S>,
    ) -> Router<S>
    where
        A: LoginVerifier,
        S: Clone + Send + Sync + 'static,
    {
        let mounted = |(path, route, name, handler): Unmounted<S>, rule| {
            let info = HandlerInfo::new(name, file!(), line!());
            let mounted = beside(handler, vec![route.method()], rule, info);
            let id = name.rsplit_once("::").map_or(name, |(_, id)| id);
            (path, document(mounted, route, id))
        };
        let mut routes: Vec<(&str, MethodRouter<S>)> = Vec::new();
        if self.is_mounted {
            // A rule is a constant or lives as long as the process.
            let conditions = vec![Condition::MaxAge(self.max_age.as_secs())].leak();
            let rule = caller.requires(conditions);
            routes.extend(own(endpoints).into_iter().map(|route| mounted(route, rule)));
        }
        if let Some(rule) = self.administration {
            routes.extend(of_any_user(endpoints).into_iter().map(|route| mounted(route, rule)));
        }
        routes.into_iter().fold(Router::new(), |router, (path, route)| router.route(path, route))
    }
}

/// A path, which route it is, the name of its handler, and what serves it.
type Unmounted<S> = (&'static str, TokenRoute, &'static str, axum::routing::MethodRouter<S>);

fn own<A, S>(endpoints: &TokenEndpoints<A>) -> [Unmounted<S>; 3]
where
    A: LoginVerifier,
    S: Clone + Send + Sync + 'static,
{
    let [list, one, others] = std::array::from_fn(|_| endpoints.clone());
    [
        (
            "/sessions",
            TokenRoute::Sessions,
            "auth_runtime::session::routes::sessions",
            get(move |request: Request| async move { list.sessions(request).await }),
        ),
        (
            "/sessions",
            TokenRoute::EndOtherSessions,
            "auth_runtime::session::routes::end_other_sessions",
            delete(move |request: Request| async move { others.end_other_sessions(request).await }),
        ),
        (
            "/sessions/{session_id}",
            TokenRoute::EndSession,
            "auth_runtime::session::routes::end_session",
            delete(move |path: FromPath, request: Request| async move {
                one.end_session(request, &parameters(path).session_id).await
            }),
        ),
    ]
}

fn of_any_user<A, S>(endpoints: &TokenEndpoints<A>) -> [Unmounted<S>; 3]
where
    A: LoginVerifier,
    S: Clone + Send + Sync + 'static,
{
    let [list, one, all] = std::array::from_fn(|_| endpoints.clone());
    [
        (
            "/users/{subject}/sessions",
            TokenRoute::UserSessions,
            "auth_runtime::session::routes::user_sessions",
            get(move |path: FromPath, request: Request| async move {
                list.user_sessions(request, &parameters(path).subject).await
            }),
        ),
        (
            "/users/{subject}/sessions",
            TokenRoute::EndUserSessions,
            "auth_runtime::session::routes::end_user_sessions",
            delete(move |path: FromPath, request: Request| async move {
                all.end_user_sessions(request, &parameters(path).subject).await
            }),
        ),
        (
            "/users/{subject}/sessions/{session_id}",
            TokenRoute::EndUserSession,
            "auth_runtime::session::routes::end_user_session",
            delete(move |path: FromPath, request: Request| async move {
                let Parameters { subject, session_id } = parameters(path);
                one.end_user_session(request, &subject, &session_id).await
            }),
        ),
    ]
}
