//! Logout, of one session and of all.

use std::collections::BTreeMap;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;

use super::{TokenEndpoints, caught, failure};
use crate::audit::AuditAction;
use crate::session::routes::{Delivery, LoginVerifier, TokenFailure, TokenRoute, body};
use crate::source::{Bearer, CredentialSource as _, Extracted};

/// The optional body of a logout without cookies.
#[derive(Default, Deserialize)]
struct LogoutBody {
    refresh_token: Option<String>,
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
        let tokens = self.tokens_for(head);
        // The sessions, each of which ends once, with the latest time at which one of its tokens was issued.
        let mut sessions: BTreeMap<String, Option<SystemTime>> =
            refresh_tokens.iter().filter_map(|token| tokens.session_of(token)).map(|id| (id, None)).collect();
        let mut without_session = Vec::new();
        for principal in self.access_tokens(head).iter().filter_map(|token| tokens.genuine(token)) {
            match principal.session_id() {
                Some(id) => {
                    let issued_at = sessions.entry(id.to_owned()).or_default();
                    *issued_at = (*issued_at).max(principal.issued_at());
                }
                None => without_session.push(principal),
            }
        }
        // All of them, also if one fails.
        let mut outcome = Ok(());
        for (session_id, issued_at) in sessions {
            outcome = outcome.and(tokens.end_session_of(AuditAction::Logout, &session_id, issued_at).await);
        }
        for principal in without_session {
            outcome = outcome.and(tokens.revoke_access(AuditAction::Logout, &principal).await);
        }
        outcome.map_err(|error| failure(&error))
    }

    /// The refresh tokens of the client, from its cookies or its body.
    async fn refresh_tokens(&self, head: &Parts, body: Body) -> Result<Vec<String>, TokenFailure> {
        self.check_origin(head)?;
        Ok(match self.config().delivery {
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
