//! Refresh.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;

use super::{TokenEndpoints, caught, failure};
use crate::audit::AuditAction;
use crate::issue::RefreshBy;
use crate::session::IssuedTokens;
use crate::session::routes::{Delivery, LoginVerifier, TokenFailure, TokenRoute};
use crate::source::Extracted;

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// Issues new tokens for a refresh token. If they are too large for a cookie, the response is 500, and the refresh token stays
    /// valid.
    pub async fn refresh(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        match caught(self.try_refresh(&head, body)).await {
            Ok(tokens) => self.hand_over(&head, TokenRoute::Refresh, &tokens),
            Err(failure) => {
                let mut response = self.failed(failure, &head, TokenRoute::Refresh);
                if failure == TokenFailure::InvalidGrant {
                    self.clear_cookies(&head, TokenRoute::Refresh, &mut response);
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
        self.tokens_for(head).refresh_by(by, &token, self.cookies()).await.map_err(|error| failure(&error))
    }

    async fn refresh_token(&self, head: &Parts, body: Body) -> Result<String, TokenFailure> {
        self.check_origin(head)?;
        match self.config().delivery {
            Delivery::Cookies => {
                let cookie = &self.engine().sessions.cookies.refresh;
                match cookie.find(head) {
                    Extracted::Present(token) => Ok(token.into_owned()),
                    found => {
                        let cookie = cookie.name();
                        if found == Extracted::Repeated {
                            // The response clears those with the paths and domains that are known.
                            tracing::info!(cookie, "auth: the refresh cookie was sent more than once");
                        } else {
                            tracing::debug!(cookie, "auth: a refresh has no refresh cookie");
                        }
                        Err(TokenFailure::InvalidGrant)
                    }
                }
            }
            Delivery::Json => {
                let sent = (self.config().refresh_request.read)(head, body).await?;
                sent.ok_or(TokenFailure::InvalidRequest)
            }
        }
    }
}
