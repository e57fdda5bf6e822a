//! Logout, of one session and of all.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;

use super::{TokenEndpoints, caught, failure};
use crate::session::routes::{Delivery, LoginVerifier, TokenFailure, TokenRoute};
use crate::source::{Bearer, CredentialSource as _, Extracted};

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
        self.check_origin(head)?;
        let tokens = self.tokens();
        let refresh_tokens: Vec<String> = match self.config().delivery {
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
            Delivery::Json => (self.config().logout_request.read)(head, body).await?.into_iter().collect(),
        };
        for token in refresh_tokens {
            tokens.log_out(&token).await.map_err(|error| failure(&error))?;
        }
        for token in self.access_tokens(head) {
            let Some(principal) = tokens.genuine(&token) else { continue };
            let ended = match (principal.session_id(), principal.token_id()) {
                (Some(session_id), _) => tokens.end_session_of(session_id, principal.issued_at()).await,
                (None, Some(_)) => tokens.revoke_access(&principal).await,
                (None, None) => Ok(()),
            };
            ended.map_err(|error| failure(&error))?;
        }
        Ok(())
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
        let principal = self.client(head).await?;
        self.tokens().revoke_user(&principal).await.map_err(|error| failure(&error))
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
