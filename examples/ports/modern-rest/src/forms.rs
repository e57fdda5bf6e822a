//! The forms of requests and answers that are the service's own: logins, tokens, and every failure. And what its OpenAPI document says of
//! them.

use std::error::Error;
use std::iter::successors;

use auth_runtime::rejection::Rejection;
use auth_runtime::session::routes::{
    AnswerSchemas, Credentials, RefreshTokenRequest, TokenAnswers, TokenFailure, TokenRequest, TokenRoute,
};
use auth_runtime::session::{IssuedTokens, TokenError};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_path_to_error::Segment;
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

type Failure = (StatusCode, Json<ErrorModel>);

/// A body that is JSON, and not of the type of the handler.
type NotOfType = serde_path_to_error::Error<serde_json::Error>;

/// The answer to every request that fails.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorModel {
    detail: Vec<ErrorDetail>,
}

#[derive(Serialize, ToSchema)]
struct ErrorDetail {
    msg: String,
    /// Where in the body it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    loc: Vec<Place>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// A field, or an item of a list.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Place {
    Field(String),
    Item(usize),
}

fn failure(status: StatusCode, msg: Option<&str>) -> Failure {
    failure_at(status, msg, Vec::new())
}

fn failure_at(status: StatusCode, msg: Option<&str>, loc: Vec<Place>) -> Failure {
    let kind = match status.as_u16() {
        401 | 403 => "security",
        404 => "not_found",
        405 => "not_allowed",
        429 => "ratelimit",
        400..=499 => "value_error",
        _ => "internal_error",
    };
    let msg = msg.or(status.canonical_reason()).unwrap_or_default().to_owned();
    (status, Json(ErrorModel { detail: vec![ErrorDetail { msg, loc, kind }] }))
}

/// The body of a request, as JSON. One that can't be read is 400, in the form of every failure.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let body = Json::from_request(request, state).await;
        body.map(|Json(body)| Self(body)).map_err(|error| unreadable(&error))
    }
}

/// `axum` answers 422 where a body is JSON, and not of the type of the handler.
fn unreadable(error: &JsonRejection) -> Failure {
    let JsonRejection::JsonDataError(data) = error else {
        return failure(error.status(), Some(&error.body_text()));
    };
    let causes = successors(data.source(), |&cause| cause.source());
    let loc =
        causes.filter_map(|cause| cause.downcast_ref::<NotOfType>()).flat_map(|cause| cause.path().iter());
    let loc = loc.filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Place::Item(*index)),
        Segment::Map { key } => Some(Place::Field(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    failure_at(StatusCode::BAD_REQUEST, Some(&error.body_text()), loc.collect())
}

/// A rejection by the gate. Its cause is in the log, and never in an answer.
pub(crate) fn rejected(rejection: &Rejection, _: &Parts) -> Response {
    failure(rejection.status(), rejection.detail()).into_response()
}

/// Something that the service needs is out of reach. The reason goes to the log.
pub(crate) fn unavailable(error: impl Error + 'static) -> Failure {
    not_served(StatusCode::SERVICE_UNAVAILABLE, &error)
}

/// A token is not issued: 503 if it may be later, and 500 if something is wrong with the token.
pub(crate) fn not_issued(error: TokenError) -> Failure {
    let is_temporary = error.is_temporary();
    let status =
        if is_temporary { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    not_served(status, &error)
}

fn not_served(status: StatusCode, error: &(dyn Error + 'static)) -> Failure {
    tracing::error!(error, "a request was not served");
    failure(status, None)
}

/// The answers of the token routes.
pub(crate) struct Answers;

impl TokenAnswers for Answers {
    fn tokens(&self, tokens: &IssuedTokens, request: &TokenRequest<'_>) -> Response {
        let (access, refresh) = (tokens.access_token.clone(), tokens.refresh_token.clone());
        let session = Json(Session { auth: Pair { access, refresh } });
        match request.route {
            TokenRoute::Login => (StatusCode::CREATED, session).into_response(),
            _ => session.into_response(),
        }
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
            .tokens(StatusCode::CREATED, form("Session"))
            .refreshed(StatusCode::OK, form("Session"))
            .failed("application/json", form("ErrorModel"))
            .failed_with(TokenFailure::InvalidGrant, StatusCode::UNAUTHORIZED)
    }
}
