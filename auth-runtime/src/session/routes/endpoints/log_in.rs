//! Login: origin → address → limits → place in the queue → credentials → tokens.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use tokio::time::timeout;

use super::{TokenEndpoints, caught, failure};
use crate::audit::AuditAction;
use crate::session::routes::answers::FormReturnTo;
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
        let verified = caught(self.verified_subject(&mut head, body)).await;
        let subject = match verified.map_err(|failure| self.audit_failure(AuditAction::Login, &head, failure))
        {
            Ok(subject) => subject,
            Err(failure) => return self.failed(failure, &head, TokenRoute::Login),
        };
        self.log_in_as(&head, subject).await
    }

    /// The user whose credentials were verified. What fails has its line in the log. The way back that the form has is put into the
    /// head, for the answer.
    async fn verified_subject(&self, head: &mut Parts, body: Body) -> Result<Subject, TokenFailure> {
        let address = self.admit(head)?;
        let (credentials, return_to): (A::Credentials, _) = body::read_login(head, body).await?;
        if let Some(return_to) = return_to {
            head.extensions.insert(FormReturnTo(return_to));
        }
        let attempt = self.begin(credentials.account().into(), address).await?;
        let Some(subject) = self.verify(credentials).await? else {
            tracing::info!(%address, "auth: the credentials of a login are wrong");
            return Err(self.config().wrong_credentials);
        };
        attempt.succeed();
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

impl<A> TokenEndpoints<A> {
    /// Issues tokens for a user whom a login of the application's own has verified, and returns the response, as
    /// [`log_in`](Self::log_in) does: the browser's former session ends, the tokens fit into their cookies, and if none are issued,
    /// both cookies are cleared. Such a login begins with [`attempt`](Self::attempt), which checks the origin of the page and limits the
    /// attempts: nothing else does.
    pub async fn log_in_as(&self, head: &Parts, subject: Subject) -> Response {
        match caught(self.begin_session(head, subject)).await {
            Ok(tokens) => self.hand_over(head, TokenRoute::Login, &tokens),
            Err(failure) => self.not_logged_in(failure, head),
        }
    }

    /// The tokens of a new session, in place of those that the browser had.
    async fn begin_session(&self, head: &Parts, subject: Subject) -> Result<IssuedTokens, TokenFailure> {
        self.check_engine(head)?;
        let (subject, former) = (self.labeled(subject, head), self.former_sessions(head));
        let issued = self.tokens_for(head).issue_in_place_of(former, &subject, self.cookies()).await;
        issued.map_err(|error| failure(&error))
    }
}
