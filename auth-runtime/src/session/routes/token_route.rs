//! The token routes: their methods, their paths in the ready router, and the names of their handlers.

use axum::routing::MethodFilter;

/// A token route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenRoute {
    /// `/login`
    Login,
    /// `/refresh`
    Refresh,
    /// `/logout`
    Logout,
    /// `/logout-everywhere`
    LogoutEverywhere,
    /// `/revoke`
    Revoke,
    /// `/introspect`
    Introspect,
    /// `GET /sessions`
    Sessions,
    /// `DELETE /sessions/{session_id}`
    EndSession,
    /// `DELETE /sessions`
    EndOtherSessions,
    /// `GET /users/{subject}/sessions`
    UserSessions,
    /// `DELETE /users/{subject}/sessions/{session_id}`
    EndUserSession,
    /// `DELETE /users/{subject}/sessions`
    EndUserSessions,
    /// `GET /users/sessions`
    AllSessions,
    /// `GET /revocations`
    Revocations,
}

/// Who calls a token route, which decides its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RouteCaller {
    /// Anyone: the route judges what is sent.
    Anyone,
    /// A user with a session.
    User,
    /// The same, who has logged in a short time ago.
    RecentUser,
    /// Those whom a rule of the application names.
    Named,
}

impl TokenRoute {
    /// The method that the ready route has.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Sessions | Self::UserSessions | Self::AllSessions | Self::Revocations => "GET",
            Self::EndSession | Self::EndOtherSessions | Self::EndUserSession | Self::EndUserSessions => {
                "DELETE"
            }
            _ => "POST",
        }
    }

    /// The same, for a router.
    pub(super) fn methods(self) -> MethodFilter {
        match self.method() {
            "GET" => MethodFilter::GET,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::POST,
        }
    }

    /// The path that the ready route has.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Login => "/login",
            Self::Refresh => "/refresh",
            Self::Logout => "/logout",
            Self::LogoutEverywhere => "/logout-everywhere",
            Self::Revoke => "/revoke",
            Self::Introspect => "/introspect",
            Self::Sessions | Self::EndOtherSessions => "/sessions",
            Self::EndSession => "/sessions/{session_id}",
            Self::UserSessions | Self::EndUserSessions => "/users/{subject}/sessions",
            Self::EndUserSession => "/users/{subject}/sessions/{session_id}",
            Self::AllSessions => "/users/sessions",
            Self::Revocations => "/revocations",
        }
    }

    /// The name of its handler, as the access table has it. The last part is the id of its operation in OpenAPI.
    pub(super) fn handler(self) -> &'static str {
        match self {
            Self::Login => "auth_runtime::session::routes::log_in",
            Self::Refresh => "auth_runtime::session::routes::refresh",
            Self::Logout => "auth_runtime::session::routes::log_out",
            Self::LogoutEverywhere => "auth_runtime::session::routes::log_out_everywhere",
            Self::Revoke => "auth_runtime::session::routes::revoke",
            Self::Introspect => "auth_runtime::session::routes::introspect",
            Self::Sessions => "auth_runtime::session::routes::sessions",
            Self::EndSession => "auth_runtime::session::routes::end_session",
            Self::EndOtherSessions => "auth_runtime::session::routes::end_other_sessions",
            Self::UserSessions => "auth_runtime::session::routes::user_sessions",
            Self::EndUserSession => "auth_runtime::session::routes::end_user_session",
            Self::EndUserSessions => "auth_runtime::session::routes::end_user_sessions",
            Self::AllSessions => "auth_runtime::session::routes::all_sessions",
            Self::Revocations => "auth_runtime::session::routes::revocations",
        }
    }

    pub(super) fn caller(self) -> RouteCaller {
        match self {
            Self::Login | Self::Refresh | Self::Logout => RouteCaller::Anyone,
            Self::LogoutEverywhere => RouteCaller::User,
            Self::Sessions | Self::EndSession | Self::EndOtherSessions => RouteCaller::RecentUser,
            Self::Revoke
            | Self::Introspect
            | Self::UserSessions
            | Self::EndUserSession
            | Self::EndUserSessions
            | Self::AllSessions
            | Self::Revocations => RouteCaller::Named,
        }
    }

    /// The parameters that its handler reads from the path.
    pub(super) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::EndSession => &["session_id"],
            Self::UserSessions | Self::EndUserSessions => &["subject"],
            Self::EndUserSession => &["subject", "session_id"],
            _ => &[],
        }
    }

    /// Whether no safe method may call it.
    pub(super) fn changes_state(self) -> bool {
        !matches!(self, Self::Sessions | Self::UserSessions | Self::AllSessions | Self::Revocations)
    }
}
