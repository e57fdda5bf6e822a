//! Login: origin → address → limits → place in the queue → credentials → tokens.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use tokio::time::timeout;

use super::{TokenEndpoints, caught, failure};
use crate::session::routes::{Credentials as _, LoginVerifier, TokenFailure, TokenRoute, body};
use crate::session::{IssuedTokens, Subject};

/// How long [`LoginVerifier::authenticate`] may take. It holds one of the places of logins that are verified at once.
const MAX_VERIFICATION: Duration = Duration::from_secs(30);

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// Issues tokens for valid credentials. If the limits are exceeded, or too many logins wait, the credentials are not verified.
    ///
    /// If the credentials are valid and no tokens can be issued, the response clears both cookies, because the browser may hold those
    /// of another user. Tokens that are too large for a cookie are answered 500, and no session is recorded.
    pub async fn log_in(&self, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        let subject = match caught(self.try_log_in(&mut head, body)).await {
            Ok(subject) => subject,
            Err(failure) => return self.failed(failure, &head, TokenRoute::Login),
        };
        match caught(self.issue(&subject)).await {
            Ok(tokens) => self.hand_over(&head, TokenRoute::Login, &tokens),
            Err(failure) => self.not_logged_in(failure, &head),
        }
    }

    async fn issue(&self, subject: &Subject) -> Result<IssuedTokens, TokenFailure> {
        self.tokens().issue_into(subject, self.cookies()).await.map_err(|error| failure(&error))
    }

    /// The user of the credentials in this request.
    async fn try_log_in(&self, head: &mut Parts, body: Body) -> Result<Subject, TokenFailure> {
        self.check_origin(head)?;
        let address = self.address(head).await?;
        let credentials: A::Credentials = body::read(head, body).await?;
        self.0.limits.attempt(credentials.account(), address).map_err(|wait| {
            tracing::info!(%address, seconds = wait.as_secs(), "auth: too many login attempts");
            TokenFailure::TooManyAttempts(wait)
        })?;
        let queue = &self.0.login_queue;
        let origin = queue.origin(credentials.account(), address);
        let place = queue.enter(origin).await.inspect_err(|failure| {
            tracing::info!(%address, status = failure.status().as_u16(), "auth: too many logins wait to be verified");
        })?;
        let subject = self.verify(credentials).await?;
        drop(place);
        let Some(subject) = subject else {
            tracing::info!(%address, "auth: the credentials of a login are wrong");
            return Err(TokenFailure::InvalidGrant);
        };
        queue.remember(origin);
        Ok(subject)
    }

    /// The user of these credentials, as the application says.
    async fn verify(&self, credentials: A::Credentials) -> Result<Option<Subject>, TokenFailure> {
        let verifying = self.config().login_verifier.authenticate(credentials);
        let verified = timeout(MAX_VERIFICATION, verifying).await.map_err(|_| {
            let seconds = MAX_VERIFICATION.as_secs();
            tracing::error!(
                seconds,
                "auth: `LoginVerifier::authenticate` did not return within the time limit"
            );
            TokenFailure::Unavailable
        })?;
        verified.map_err(|error| {
            tracing::error!(%error, "auth: the credentials of a login can't be verified");
            TokenFailure::Unavailable
        })
    }
}
