//! The sessions of a user: the list, and ending one or all others. For the user and for an administrator.

use std::time::SystemTime;

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::{TokenEndpoints, caught, failure};
use crate::clock::unix_seconds;
use crate::session::routes::answers::no_store;
use crate::session::routes::{LoginVerifier, TokenFailure, TokenRoute};
use crate::session::{Session, SessionList, TokenError};

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// Returns the active sessions of the caller. Its route needs a rule that requires a caller, with `max_age`: the user has
    /// authenticated again (OWASP ASVS 5, 7.5.2).
    pub async fn sessions(&self, request: Request) -> Response {
        let (mut head, _) = request.into_parts();
        let listing = async |head: &mut Parts| {
            let caller = self.reader(head).await?;
            self.tokens().own_sessions(&caller).await.map_err(|error| failure(&error))
        };
        let listed = caught(listing(&mut head)).await;
        self.list_or_failure(listed.map(|list| list_to_value(&list)), &head, TokenRoute::Sessions)
    }

    /// Ends one session of the caller. Another id than that of one of its own sessions is answered 404. If the session is the current
    /// one, the response clears the cookies. Its route needs a rule that requires a caller, with `max_age`.
    pub async fn end_session(&self, request: Request, session_id: &str) -> Response {
        let (mut head, _) = request.into_parts();
        let ending = async |head: &mut Parts| {
            let caller = self.client(head).await?;
            let is_current = caller.session_id() == Some(session_id);
            let ended = self.tokens_for(head).for_caller(&caller).end_own_session(&caller, session_id).await;
            found(ended).map(|()| is_current)
        };
        let ended = caught(ending(&mut head)).await;
        let is_current = ended.is_ok_and(|is_current| is_current);
        let mut response = self.ended_or_failure(ended.map(|_| ()), &head, TokenRoute::EndSession);
        if is_current {
            self.clear_cookies(&head, TokenRoute::EndSession, &mut response);
        }
        response
    }

    /// Ends all sessions of the caller but the current one. A caller whose token is of no session of this issuer is answered 404. Its
    /// route needs a rule that requires a caller, with `max_age`.
    pub async fn end_other_sessions(&self, request: Request) -> Response {
        let (mut head, _) = request.into_parts();
        let ending = async |head: &mut Parts| {
            let caller = self.client(head).await?;
            match self.tokens_for(head).for_caller(&caller).end_other_sessions(&caller).await {
                Ok(_) => Ok(()),
                Err(TokenError::NoSession) => Err(TokenFailure::NotFound),
                Err(error) => Err(failure(&error)),
            }
        };
        let ended = caught(ending(&mut head)).await;
        self.ended_or_failure(ended, &head, TokenRoute::EndOtherSessions)
    }

    /// Returns the active sessions of any user. Its route needs a rule that names the administrators.
    pub async fn user_sessions(&self, request: Request, subject: &str) -> Response {
        let (mut head, _) = request.into_parts();
        let listing = async |head: &mut Parts| {
            self.reader(head).await?;
            is_user(subject)?;
            self.tokens().sessions(subject).await.map_err(|error| failure(&error))
        };
        let listed = caught(listing(&mut head)).await;
        self.list_or_failure(listed.map(|list| list_to_value(&list)), &head, TokenRoute::UserSessions)
    }

    /// Ends one session of any user. An id that is not that of one of the user's sessions is answered 404. Its route needs a rule that
    /// names the administrators.
    pub async fn end_user_session(&self, request: Request, subject: &str, session_id: &str) -> Response {
        let (mut head, _) = request.into_parts();
        let ending = async |head: &mut Parts| {
            let administrator = self.client(head).await?;
            let tokens = self.tokens_for(head).for_caller(&administrator);
            found(tokens.end_user_session(subject, session_id).await)
        };
        let ended = caught(ending(&mut head)).await;
        self.ended_or_failure(ended, &head, TokenRoute::EndUserSession)
    }

    /// Ends all sessions of any user, and revokes all of its access tokens
    /// ([`log_out_everywhere`](crate::session::TokenService::log_out_everywhere)). Its route needs a rule that names the
    /// administrators.
    pub async fn end_user_sessions(&self, request: Request, subject: &str) -> Response {
        let (mut head, _) = request.into_parts();
        let ending = async |head: &mut Parts| {
            let administrator = self.client(head).await?;
            is_user(subject)?;
            let tokens = self.tokens_for(head).for_caller(&administrator);
            tokens.log_out_everywhere(subject).await.map_err(|error| failure(&error))
        };
        let ended = caught(ending(&mut head)).await;
        self.ended_or_failure(ended, &head, TokenRoute::EndUserSessions)
    }

    /// The response of a route that lists.
    pub(super) fn list_or_failure(
        &self,
        listed: Result<Value, TokenFailure>,
        head: &Parts,
        route: TokenRoute,
    ) -> Response {
        match listed {
            Ok(list) => no_store(Json(list).into_response()),
            Err(failure) => self.failed(failure, head, route),
        }
    }

    fn ended_or_failure(&self, ended: Result<(), TokenFailure>, head: &Parts, route: TokenRoute) -> Response {
        match ended {
            Ok(()) => no_store(StatusCode::NO_CONTENT.into_response()),
            Err(failure) => self.failed(failure, head, route),
        }
    }
}

/// No user has an empty id: the path is not UTF-8.
fn is_user(subject: &str) -> Result<(), TokenFailure> {
    if subject.is_empty() { Err(TokenFailure::InvalidRequest) } else { Ok(()) }
}

/// A session that the user does not have is 404, whether or not it is another user's.
fn found(ended: Result<bool, TokenError>) -> Result<(), TokenFailure> {
    match ended {
        Ok(true) => Ok(()),
        Ok(false) => Err(TokenFailure::NotFound),
        Err(error) => Err(failure(&error)),
    }
}

fn list_to_value(list: &SessionList) -> Value {
    let sessions: Vec<Value> = list.sessions.iter().map(session_to_value).collect();
    json!({ "sessions": sessions, "not_listed": list.not_listed })
}

pub(super) fn session_to_value(session: &Session) -> Value {
    let seconds = |time: SystemTime| unix_seconds(time);
    let mut value = json!({
        "id": session.id,
        "started_at": seconds(session.started_at),
        "last_refreshed_at": seconds(session.last_refreshed_at),
        "expires_at": seconds(session.expires_at),
        "current": session.is_current,
    });
    if let (Some(label), Some(value)) = (&session.label, value.as_object_mut()) {
        value.insert("label".into(), label.as_str().into());
    }
    value
}
