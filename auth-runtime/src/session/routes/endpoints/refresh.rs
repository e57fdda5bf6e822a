//! Refresh.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;

use super::{TokenEndpoints, caught, failure};
use crate::audit::AuditAction;
use crate::issue::RefreshBy;
use crate::session::IssuedTokens;
use crate::session::routes::{Delivery, LoginVerifier, TokenFailure, TokenRoute, body};
use crate::source::Extracted;

/// The body of a refresh without cookies (RFC 6749 §6).
#[derive(Deserialize)]
struct RefreshBody {
    grant_type: Option<String>,
    refresh_token: String,
}

impl<A: LoginVerifier> TokenEndpoints<A> {
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
        let token = self.refresh_token(head, body).await;
        let token = token.map_err(|failure| self.audit_failure(AuditAction::Refresh, head, failure))?;
        let by = match self.config().delivery {
            Delivery::Cookies => RefreshBy::Browser { is_renewal: false },
            Delivery::Json => RefreshBy::Client,
        };
        self.tokens_for(head).refresh_by(by, &token).await.map_err(|error| failure(&error))
    }

    async fn refresh_token(&self, head: &Parts, body: Body) -> Result<String, TokenFailure> {
        self.check_origin(head)?;
        match self.config().delivery {
            Delivery::Cookies => match self.engine().sessions.cookies.refresh.find(head) {
                Extracted::Present(token) => Ok(token.into_owned()),
                // Several cookies have different paths; the response clears them.
                _ => {
                    tracing::debug!("auth: a refresh has no refresh cookie, or several");
                    Err(TokenFailure::InvalidGrant)
                }
            },
            Delivery::Json => {
                let sent: RefreshBody = body::read(head, body).await?;
                if sent.grant_type.is_some_and(|kind| kind != "refresh_token") {
                    return Err(TokenFailure::InvalidRequest);
                }
                Ok(sent.refresh_token)
            }
        }
    }
}
