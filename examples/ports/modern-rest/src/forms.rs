//! The forms of requests and answers that are the service's own: logins, tokens, and every failure. And what its OpenAPI document says of
//! them.

use std::error::Error;

use auth_runtime::rejection::Rejection;
use auth_runtime::session::IssuedTokens;
use auth_runtime::session::routes::{
    AnswerSchemas, Credentials, RefreshTokenRequest, TokenAnswers, TokenFailure, TokenRequest,
};
use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What the forms are called in the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(Login, Renewal, Session, ErrorModel)))]
pub(crate) struct Forms;

/// A reference to a form, as a JSON Schema.
pub(crate) fn form(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The body of a login.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Login {
    pub(crate) email: String,
    #[schema(format = Password)]
    pub(crate) password: String,
}

impl Credentials for Login {
    fn account(&self) -> &str {
        &self.email
    }

    fn schema() -> Value {
        form("Login")
    }
}

/// The answer to a login and to a refresh.
#[derive(Serialize, ToSchema)]
struct Session {
    auth: Pair,
}

#[derive(Serialize, ToSchema)]
struct Pair {
    access: String,
    refresh: String,
}

/// The body of a refresh, and of a logout.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Renewal {
    refresh: String,
}

impl RefreshTokenRequest for Renewal {
    fn into_refresh_token(self) -> Option<String> {
        Some(self.refresh)
    }

    fn schema() -> Value {
        form("Renewal")
    }
}

/// The answer to every request that fails.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorModel {
    detail: Vec<ErrorDetail>,
}

#[derive(Serialize, ToSchema)]
struct ErrorDetail {
    msg: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

fn failure(status: StatusCode, msg: Option<&str>) -> (StatusCode, Json<ErrorModel>) {
    let kind = match status.as_u16() {
        401 | 403 => "security",
        404 => "not_found",
        405 => "not_allowed",
        429 => "ratelimit",
        400..=499 => "value_error",
        _ => "internal_error",
    };
    let msg = msg.or(status.canonical_reason()).unwrap_or_default().to_owned();
    (status, Json(ErrorModel { detail: vec![ErrorDetail { msg, kind }] }))
}

/// The body of a request, as JSON. One that does not fit is answered in the form of every failure.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = (StatusCode, Json<ErrorModel>);

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let body = Json::from_request(request, state).await;
        body.map(|Json(body)| Self(body)).map_err(|error| failure(error.status(), Some(&error.body_text())))
    }
}

/// A rejection by the gate. Its cause is in the log, and never in an answer.
pub(crate) fn rejected(rejection: &Rejection, _: &Parts) -> Response {
    failure(rejection.status(), rejection.detail()).into_response()
}

/// Something that the service needs is out of reach. The reason goes to the log.
pub(crate) fn unavailable(error: impl Error + 'static) -> (StatusCode, Json<ErrorModel>) {
    tracing::error!(error = &error as &(dyn Error + 'static), "a request was not served");
    failure(StatusCode::SERVICE_UNAVAILABLE, None)
}

/// The answers of the token routes.
pub(crate) struct Answers;

impl TokenAnswers for Answers {
    fn tokens(&self, tokens: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
        let (access, refresh) = (tokens.access_token.clone(), tokens.refresh_token.clone());
        Json(Session { auth: Pair { access, refresh } }).into_response()
    }

    fn failed(&self, why: TokenFailure, _: &TokenRequest<'_>) -> Response {
        let (status, msg) = match why {
            TokenFailure::WrongCredentials => (why.status(), Some("The email or the password is wrong")),
            TokenFailure::InvalidGrant => (StatusCode::UNAUTHORIZED, Some("The refresh token is invalid")),
            _ => (why.status(), None),
        };
        failure(status, msg).into_response()
    }

    fn schemas(&self) -> AnswerSchemas {
        AnswerSchemas::standard() // a logout is answered 204
            .tokens(StatusCode::OK, form("Session"))
            .failed("application/json", form("ErrorModel"))
            .failed_with(TokenFailure::InvalidGrant, StatusCode::UNAUTHORIZED)
    }
}
