//! Which routes of sessions the ready router has: for the user who has them, and for an administrator.

use std::time::Duration;

use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use super::{LoginVerifier, TokenRoute, TokenRoutes};
use crate::policy::Rule;

/// How the label of a session is derived from the request of its login.
pub(super) type SessionLabel = Box<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// How old the login may be, by default, that a user manages its sessions with.
pub(super) const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// Which routes of sessions are mounted.
#[derive(Debug, Default)]
pub(super) struct SessionRoutes {
    is_mounted: bool,
    administration: Option<Rule>,
}

impl SessionRoutes {
    /// Those that are mounted, each with the rule of the application's.
    pub(super) fn mounted(&self) -> Vec<(TokenRoute, Option<Rule>)> {
        let own = [TokenRoute::Sessions, TokenRoute::EndOtherSessions, TokenRoute::EndSession];
        let of_any_user = [
            TokenRoute::AllSessions,
            TokenRoute::UserSessions,
            TokenRoute::EndUserSessions,
            TokenRoute::EndUserSession,
        ];
        let own = own.into_iter().filter(|_| self.is_mounted).map(|route| (route, None));
        let of_any_user =
            of_any_user.into_iter().filter_map(|route| Some((route, Some(self.administration?))));
        own.chain(of_any_user).collect()
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
        self.config.sessions_max_age = max_age;
        self
    }

    /// Mounts `GET /users/{subject}/sessions`, `DELETE /users/{subject}/sessions/{session_id}`, `DELETE /users/{subject}/sessions` and
    /// `GET /users/sessions` for the administrators that satisfy this rule, which must require a caller: they list the sessions of any user,
    /// end one, end all, with all access tokens of the user (OWASP ASVS 5, 7.4.5), and list the sessions of all users. `subject` is the id
    /// of the user, percent-encoded. With `rule!(public)` it is an error of [`finish`](crate::Router::finish). The lists are of
    /// all tenants: let the rule name a role of your own staff, and none that a tenant gives to its users.
    ///
    /// The list of all sessions comes in pages of 100: `next` of an answer is `after` of the next request's query, and the last page has
    /// none. [A page of the guide](crate::guide::sessions_of_a_user) shows the answers.
    ///
    /// The same from code of the application's: [`sessions`](crate::session::TokenService::sessions),
    /// [`end_user_session`](crate::session::TokenService::end_user_session),
    /// [`log_out_everywhere`](crate::session::TokenService::log_out_everywhere) and
    /// [`all_sessions`](crate::session::TokenService::all_sessions).
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
