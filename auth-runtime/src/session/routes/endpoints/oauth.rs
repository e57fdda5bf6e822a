//! Revocation (RFC 7009) and introspection (RFC 7662), for other services.

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::Value;

use super::{TokenEndpoints, caught, failure};
use crate::audit::AuditAction;
use crate::session::routes::answers::no_store;
use crate::session::routes::{LoginVerifier, TokenFailure, TokenRoute, body};

/// The body of RFC 7009 §2.1 and RFC 7662 §2.1. `token_type_hint` is not needed, because the two kinds of token look different.
#[derive(Deserialize)]
struct TokenBody {
    token: String,
}

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// Revokes a token (RFC 7009). Its route needs a rule that names the clients that may revoke.
    pub async fn revoke(&self, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        match caught(self.try_revoke(&mut head, body)).await {
            Ok(()) => no_store(StatusCode::OK.into_response()),
            Err(failure) => self.failed(failure, &head, TokenRoute::Revoke),
        }
    }

    async fn try_revoke(&self, head: &mut Parts, body: Body) -> Result<(), TokenFailure> {
        let token = self.sent_token(head, body).await;
        let token =
            token.map_err(|failure| self.audit_failure(AuditAction::TokenRevocation, head, failure))?;
        self.tokens_for(head).revoke(&token).await.map_err(|error| failure(&error))
    }

    /// Returns the claims of a token, if it is valid (RFC 7662). Its route needs a rule that names the services that may
    /// introspect.
    pub async fn introspect(&self, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        match caught(self.try_introspect(&mut head, body)).await {
            Ok(answer) => no_store(Json(answer).into_response()),
            Err(failure) => self.failed(failure, &head, TokenRoute::Introspect),
        }
    }

    async fn try_introspect(&self, head: &mut Parts, body: Body) -> Result<Value, TokenFailure> {
        let token = self.sent_token(head, body).await?;
        self.tokens().introspect(&token).await.map_err(|error| {
            tracing::error!(%error, "auth: a token can't be introspected");
            failure(&error)
        })
    }

    async fn sent_token(&self, head: &mut Parts, body: Body) -> Result<String, TokenFailure> {
        self.client(head).await?;
        let sent: TokenBody = body::read(head, body).await?;
        Ok(sent.token)
    }
}
