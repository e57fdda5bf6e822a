//! Logout, of one session and of all.

use std::collections::BTreeMap;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;

use super::{TokenEndpoints, caught, failure};
use crate::audit::AuditAction;
use crate::principal::Principal;
use crate::session::routes::{Delivery, LoginVerifier, TokenFailure, TokenRoute};
use crate::session::{TokenError, TokenService};
use crate::source::{Bearer, CredentialSource as _, Extracted};

/// What the tokens of a client belong to.
#[derive(Default)]
pub(super) struct ClientSessions {
    /// By their ids, with the time of the latest access token that is known of each.
    pub(super) sessions: BTreeMap<String, Option<SystemTime>>,
    /// Of access tokens without a session.
    without_session: Vec<Principal>,
}

impl ClientSessions {
    /// Ends each of these sessions once, and revokes the access tokens that have none: all of them, also if one fails.
    pub(super) async fn end(self, tokens: &TokenService, action: AuditAction) -> Result<(), TokenError> {
        let mut outcome = Ok(());
        for (session_id, issued_at) in self.sessions {
            outcome = outcome.and(tokens.end_session_of(action, &session_id, issued_at).await);
        }
        for principal in self.without_session {
            outcome = outcome.and(tokens.revoke_access(action, &principal).await);
        }
        outcome
    }
}

impl<A: LoginVerifier> TokenEndpoints<A> {
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
        let refresh_tokens = self.refresh_tokens(head, body).await;
        let refresh_tokens =
            refresh_tokens.map_err(|failure| self.audit_failure(AuditAction::Logout, head, failure))?;
        let found = self.sessions_of(&refresh_tokens, &self.access_tokens(head));
        found.end(&self.tokens_for(head), AuditAction::Logout).await.map_err(|error| failure(&error))
    }

    /// The refresh tokens of the client, from its cookies or its body.
    async fn refresh_tokens(&self, head: &Parts, body: Body) -> Result<Vec<String>, TokenFailure> {
        self.check_origin(head)?;
        Ok(match self.config().delivery {
            Delivery::Cookies => self.refresh_cookies(head),
            Delivery::Json => (self.config().logout_request.read)(head, body).await?.into_iter().collect(),
        })
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
        let principal = self.client(head).await;
        let principal =
            principal.map_err(|failure| self.audit_failure(AuditAction::LogoutEverywhere, head, failure))?;
        self.tokens_for(head).revoke_user(&principal).await.map_err(|error| failure(&error))
    }
}

impl<A> TokenEndpoints<A> {
    /// Returns what these tokens belong to, of those that this issuer made.
    pub(super) fn sessions_of(&self, refresh_tokens: &[String], access_tokens: &[String]) -> ClientSessions {
        let tokens = self.tokens();
        let mut found = ClientSessions::default();
        for session in refresh_tokens.iter().filter_map(|token| tokens.session_of(token)) {
            found.sessions.entry(session).or_default();
        }
        for principal in access_tokens.iter().filter_map(|token| tokens.genuine(token)) {
            match principal.session_id() {
                Some(session) => {
                    let latest = found.sessions.entry(session.to_owned()).or_default();
                    *latest = (*latest).max(principal.issued_at());
                }
                None => found.without_session.push(principal),
            }
        }
        found
    }

    /// Returns the refresh tokens in the cookies of the client.
    pub(super) fn refresh_cookies(&self, head: &Parts) -> Vec<String> {
        self.engine().sessions.cookies.refresh.find_all(head).filter_map(present).collect()
    }

    /// Returns the access tokens of the client, from its cookies or its header.
    pub(super) fn access_tokens(&self, head: &Parts) -> Vec<String> {
        match self.config().delivery {
            Delivery::Cookies => {
                self.engine().sessions.cookies.access.find_all(head).filter_map(present).collect()
            }
            Delivery::Json => present(Bearer::default().extract(head)).into_iter().collect(),
        }
    }
}

fn present(found: Extracted<'_>) -> Option<String> {
    match found {
        Extracted::Present(token) => Some(token.into_owned()),
        _ => None,
    }
}
