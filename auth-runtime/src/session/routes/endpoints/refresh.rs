//! Refresh.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;

use super::{TokenEndpoints, caught, failure};
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
    /// Issues new tokens for a refresh token. If they are too large for a cookie, the response is 500, and the refresh token stays
    /// valid.
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
            Delivery::Cookies => {
                let cookie = &self.engine().sessions.cookies.refresh;
                match cookie.find(head) {
                    Extracted::Present(token) => token.into_owned(),
                    found => {
                        if found == Extracted::Repeated {
                            // The response clears them, with the paths and domains that are known.
                            let cookie = cookie.name();
                            tracing::info!(cookie, "auth: the refresh cookie was sent more than once");
                        }
                        return Err(TokenFailure::InvalidGrant);
                    }
                }
            }
            Delivery::Json => {
                let sent: RefreshBody = body::read(head, body).await?;
                if sent.grant_type.is_some_and(|kind| kind != "refresh_token") {
                    return Err(TokenFailure::InvalidRequest);
                }
                sent.refresh_token
            }
        };
        self.tokens().refresh_into(&token, self.cookies()).await.map_err(|error| failure(&error))
    }
}
