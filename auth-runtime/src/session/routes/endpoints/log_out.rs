//! Logout, of one session and of all.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;

use super::{TokenEndpoints, caught, failure};
use crate::audit::AuditAction;
use crate::principal::{Principal, TOKENS};
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
        let refresh_tokens = self.refresh_tokens(head, body).await;
        let refresh_tokens =
            refresh_tokens.map_err(|failure| self.audit_failure(AuditAction::Logout, head, failure))?;
        let tokens = self.tokens_for(head);
        let found = tokens.sessions_of(&refresh_tokens, &self.access_tokens(head));
        tokens.log_out_of(found).await.map_err(|error| failure(&error))
    }

    /// The refresh tokens of the client, from its cookies or its body.
    async fn refresh_tokens(&self, head: &Parts, body: Body) -> Result<Vec<String>, TokenFailure> {
        self.check_origin(head)?;
        Ok(match self.config().delivery {
            Delivery::Cookies => self.refresh_cookies(head),
            Delivery::Json => (self.config().logout_request.read)(head, body).await?.into_iter().collect(),
        })
    }

    /// Ends all sessions of the caller. Its route needs a rule that requires a caller with a token: the credentials of an
    /// [authenticator](mod@crate::authenticator) are not sessions of an issuer, and such a caller is answered 500.
    pub async fn log_out_everywhere(&self, request: Request) -> Response {
        let (mut head, _) = request.into_parts();
        match caught(self.try_log_out_everywhere(&mut head)).await {
            Ok(()) => self.logged_out(&head, TokenRoute::LogoutEverywhere),
            Err(failure) => self.failed(failure, &head, TokenRoute::LogoutEverywhere),
        }
    }

    async fn try_log_out_everywhere(&self, head: &mut Parts) -> Result<(), TokenFailure> {
        let principal = self.client(head).await.and_then(with_a_token);
        let principal =
            principal.map_err(|failure| self.audit_failure(AuditAction::LogoutEverywhere, head, failure))?;
        self.tokens_for(head)
            .for_caller(&principal)
            .revoke_user(&principal)
            .await
            .map_err(|error| failure(&error))
    }
}

impl<A> TokenEndpoints<A> {
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

/// A caller of an authenticator would believe that it is logged out, and nothing would have ended.
fn with_a_token(caller: Principal) -> Result<Principal, TokenFailure> {
    if caller.scheme() == TOKENS {
        return Ok(caller);
    }
    tracing::error!(
        scheme = caller.scheme(),
        "auth: the caller of a logout everywhere is of an authenticator, whose credentials are not tokens: name the sources of tokens in \
         the rule of the route"
    );
    Err(TokenFailure::Misconfigured)
}

fn present(found: Extracted<'_>) -> Option<String> {
    match found {
        Extracted::Present(token) => Some(token.into_owned()),
        _ => None,
    }
}
