//! What failures look like: `{"error": ".."}` for programs, and a page for browsers. Neither says why.

use auth_runtime::rejection::Rejection;
use auth_runtime::session::IssuedTokens;
use auth_runtime::session::routes::{AnswerSchemas, TokenAnswers, TokenFailure, TokenRequest};
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::pages;

/// The answer to a request that does not satisfy the rule of its route. A browser without a login is sent to the login page before this.
pub(crate) fn rejected(rejection: &Rejection, head: &Parts) -> Response {
    let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html")) {
        return pages::problem(rejection.status());
    }
    let text = match rejection.status() {
        StatusCode::UNAUTHORIZED => "Invalid or missing API key or token",
        StatusCode::FORBIDDEN => "Insufficient permissions",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::BAD_REQUEST => "Send one credential, once",
        _ => "Try again later",
    };
    error(rejection.status(), text)
}

/// The answers of the login of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Api;

impl TokenAnswers for Api {
    fn tokens(&self, tokens: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
        Json(json!({ "token": tokens.access_token })).into_response()
    }

    fn failed(&self, failure: TokenFailure, _: &TokenRequest<'_>) -> Response {
        let text = match failure {
            TokenFailure::WrongCredentials => "Invalid credentials",
            TokenFailure::InvalidRequest => "Send a username and a password",
            TokenFailure::TooManyAttempts(_) => "Too many attempts",
            _ => "Try again later",
        };
        error(failure.status(), text)
    }

    fn schemas(&self) -> AnswerSchemas {
        AnswerSchemas::new()
            .tokens(StatusCode::OK, object_with("token"))
            .logged_out(StatusCode::NO_CONTENT, None)
            .failed("application/json", error_schema())
    }
}

/// The JSON Schema of all failures of the API.
pub(crate) fn error_schema() -> Value {
    object_with("error")
}

fn object_with(field: &str) -> Value {
    json!({ "type": "object", "properties": { field: { "type": "string" } }, "required": [field] })
}

fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}
