//! What the OpenAPI document says of the application's own answers.

#[cfg(feature = "openapi")]
use std::mem::discriminant;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::TokenFailure;
#[cfg(feature = "openapi")]
use crate::rejection::is_failure;

/// What the OpenAPI document says of the answers of the token routes, for [`TokenAnswers::schemas`](super::TokenAnswers::schemas): a JSON
/// Schema each. What is not said is unknown, and the document says so.
///
/// ```
/// use auth_runtime::session::IssuedTokens;
/// use auth_runtime::session::routes::{AnswerSchemas, TokenAnswers, TokenFailure, TokenRequest};
/// use axum::Json;
/// use axum::http::StatusCode;
/// use axum::response::{IntoResponse, Response};
/// use serde_json::json;
///
/// struct Own;
///
/// impl TokenAnswers for Own {
///     fn tokens(&self, _: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
///         StatusCode::NO_CONTENT.into_response() // the tokens are in cookies
///     }
///
///     fn failed(&self, failure: TokenFailure, _: &TokenRequest<'_>) -> Response {
///         let status = match failure {
///             TokenFailure::InvalidGrant => StatusCode::FORBIDDEN,
///             other => other.status(),
///         };
///         (status, Json(json!({ "detail": failure.error() }))).into_response()
///     }
///
///     fn schemas(&self) -> AnswerSchemas {
///         let detail = json!({ "type": "object", "properties": { "detail": { "type": "string" } }, "required": ["detail"] });
///         AnswerSchemas::standard() // for the logout, which is not changed above
///             .tokens(StatusCode::NO_CONTENT, None)
///             .failed("application/json", detail)
///             .failed_with(TokenFailure::InvalidGrant, StatusCode::FORBIDDEN)
///     }
/// }
/// ```
///
/// Nothing compares a schema with what is sent: let a test do so, such as one that sends requests by the document.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "it is for the OpenAPI document"))]
#[must_use = "return it from `TokenAnswers::schemas`"]
pub struct AnswerSchemas {
    pub(super) tokens: SuccessForm,
    /// Of a refresh, where it is not that of a login.
    refreshed: Option<SuccessForm>,
    pub(super) logged_out: SuccessForm,
    pub(super) failed: FailureForm,
    statuses: Vec<(TokenFailure, StatusCode)>,
    components: Map<String, Value>,
}

/// What is known of a successful response.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "it is for the OpenAPI document"))]
pub(super) enum SuccessForm {
    #[default]
    Unknown,
    /// That of the RFCs.
    Standard,
    /// The application's; without a schema it has no body.
    Own(StatusCode, Option<Value>),
}

/// What is known of the response to a failure.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "it is for the OpenAPI document"))]
pub(super) enum FailureForm {
    #[default]
    Unknown,
    /// That of RFC 6749 §5.2.
    Standard,
    Own {
        content_type: String,
        schema: Value,
    },
}

impl AnswerSchemas {
    /// Returns schemas of which none is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the schemas of the RFCs, of what the methods of [`TokenAnswers`](super::TokenAnswers) answer by default: for answers of which
    /// only some are the application's own.
    pub fn standard() -> Self {
        Self {
            tokens: SuccessForm::Standard,
            logged_out: SuccessForm::Standard,
            failed: FailureForm::Standard,
            ..Self::default()
        }
    }

    /// Sets the status of the answer to a login and to a refresh, and the schema of its body, which is `application/json`. `None`: it has no
    /// body.
    pub fn tokens(mut self, status: StatusCode, schema: impl Into<Option<Value>>) -> Self {
        self.tokens = SuccessForm::Own(status, schema.into());
        self
    }

    /// The same of the answer to a refresh, where it differs from that to a login.
    pub fn refreshed(mut self, status: StatusCode, schema: impl Into<Option<Value>>) -> Self {
        self.refreshed = Some(SuccessForm::Own(status, schema.into()));
        self
    }

    /// Sets the status of the answer to a logout and to a logout everywhere, and the schema of its body, which is `application/json`. `None`:
    /// it has no body.
    pub fn logged_out(mut self, status: StatusCode, schema: impl Into<Option<Value>>) -> Self {
        self.logged_out = SuccessForm::Own(status, schema.into());
        self
    }

    /// Sets the content type and the schema of the answer to every failure. The statuses are those of [`TokenFailure`], unless
    /// [`failed_with`](Self::failed_with) says otherwise.
    pub fn failed(mut self, content_type: impl Into<String>, schema: Value) -> Self {
        self.failed = FailureForm::Own { content_type: content_type.into(), schema };
        self
    }

    /// Sets the status with which the application answers a failure, on each route. The data of a failure, such as the time of
    /// [`TooManyAttempts`](TokenFailure::TooManyAttempts), count for nothing here.
    ///
    /// As with the answers themselves, it is a status of failure (4xx, 5xx) or a redirect (302, 303, 307); otherwise it is that of the
    /// failure.
    pub fn failed_with(mut self, failure: TokenFailure, status: StatusCode) -> Self {
        self.statuses.push((failure, status));
        self
    }

    /// Adds a schema that the others refer to by `#/components/schemas/` and its name, also those of
    /// [`Credentials`](super::Credentials) and [`RefreshTokenRequest`](super::RefreshTokenRequest).
    pub fn component(mut self, name: impl Into<String>, schema: Value) -> Self {
        self.components.insert(name.into(), schema);
        self
    }
}

#[cfg(feature = "openapi")]
impl AnswerSchemas {
    pub(super) fn refreshed_form(&self) -> &SuccessForm {
        self.refreshed.as_ref().unwrap_or(&self.tokens)
    }

    /// The status of the answer to a failure.
    pub(super) fn status_of(&self, failure: TokenFailure) -> StatusCode {
        let is_same = |kind: &TokenFailure| discriminant(kind) == discriminant(&failure);
        let given = self.statuses.iter().rev().find(|(kind, _)| is_same(kind)).map(|(_, status)| *status);
        given.filter(|status| is_failure(*status)).unwrap_or(failure.status())
    }

    /// What the schemas refer to, by name.
    pub(super) fn components(&self) -> &Map<String, Value> {
        &self.components
    }
}
