//! Refresh.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;

use super::{TokenEndpoints, caught, failure};
use crate::session::IssuedTokens;
use crate::session::routes::{Delivery, LoginVerifier, TokenFailure, TokenRoute};
use crate::source::Extracted;

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
        self.check_origin(head)?;
        let token = match self.config().delivery {
            Delivery::Cookies => match self.engine().sessions.cookies.refresh.find(head) {
                Extracted::Present(token) => token.into_owned(),
                // Several cookies have different paths; the response clears them.
                _ => return Err(TokenFailure::InvalidGrant),
            },
            Delivery::Json => {
                let sent = (self.config().refresh_request.read)(head, body).await?;
                sent.ok_or(TokenFailure::InvalidRequest)?
            }
        };
        self.tokens().refresh(&token).await.map_err(|error| failure(&error))
    }
}
