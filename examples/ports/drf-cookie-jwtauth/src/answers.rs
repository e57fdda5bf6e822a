//! What a login, a logout and the routes of the staff answer, in the form that clients of Django REST framework know.

use auth_runtime::session::IssuedTokens;
use auth_runtime::session::routes::{AnswerSchemas, TokenAnswers, TokenFailure, TokenRequest};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

pub(crate) struct Answers;

impl TokenAnswers for Answers {
    /// The tokens are in cookies.
    fn tokens(&self, _: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }

    fn failed(&self, failure: TokenFailure, _: &TokenRequest<'_>) -> Response {
        let (status, detail) = match failure {
            TokenFailure::InvalidGrant => (StatusCode::FORBIDDEN, "Wrong name or password."),
            TokenFailure::TooManyAttempts(_) => (failure.status(), "Too many attempts. Wait a minute."),
            _ => (failure.status(), failure.error()),
        };
        (status, Json(json!({ "detail": detail }))).into_response()
    }

    /// The same, for the OpenAPI document.
    fn schemas(&self) -> AnswerSchemas {
        let detail = json!({ "type": "object", "properties": { "detail": { "type": "string" } }, "required": ["detail"] });
        AnswerSchemas::standard()
            .tokens(StatusCode::NO_CONTENT, None)
            .failed("application/json", detail)
            .failed_with(TokenFailure::InvalidGrant, StatusCode::FORBIDDEN)
    }
}
