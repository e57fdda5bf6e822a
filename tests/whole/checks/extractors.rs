//! Extractors find in a check what they find in the handler, and one that refuses answers with its own status where it is the library's.

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Claims, Principal, Router, SameOrigin, auth, check};
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Decisions;
use crate::captured_log::CapturedLog;
use crate::support::{get_as, request, send};

#[derive(Deserialize)]
struct Plan {
    plan: String,
}

/// Built on the principal, with the library's rejection.
struct Tenant(String);

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let user = Principal::from_request_parts(head, state).await?;
        match user.subject() {
            "mallory" => Err(Rejection::forbidden("mallory has no tenant")),
            "ghost" => Err(Rejection::hidden()),
            "stranger" => Err(Rejection::unauthenticated("a stranger logs in again")),
            name => Ok(Self(format!("tenant of {name}"))),
        }
    }
}

/// An error of the application's, which has the library's inside.
enum AppError {
    Auth(Rejection),
    Teapot,
    Database,
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::Auth(rejection) => rejection.into_response(),
            Self::Teapot => StatusCode::IM_A_TEAPOT.into_response(),
            Self::Database => StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}

struct Shop;

impl<S: Send + Sync> FromRequestParts<S> for Shop {
    type Rejection = AppError;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, AppError> {
        let Tenant(tenant) = Tenant::from_request_parts(head, state).await.map_err(AppError::Auth)?;
        match &*tenant {
            "tenant of teapot" => Err(AppError::Teapot),
            "tenant of broken" => Err(AppError::Database),
            _ => Ok(Self),
        }
    }
}

#[check]
#[allow(clippy::too_many_arguments, reason = "every kind of argument")]
async fn all(
    user: &Principal,
    same: Principal,
    optional: Option<Principal>,
    Claims(plan): Claims<Plan>,
    claims: Option<Claims<Plan>>,
    Tenant(tenant): Tenant,
    _: Shop,
    _: SameOrigin,
) -> bool {
    let (optional, claims) = (optional.unwrap(), claims.unwrap().0);
    [same.subject(), optional.subject()] == [user.subject(); 2]
        && [plan.plan, claims.plan] == ["pro", "pro"]
        && tenant == format!("tenant of {}", user.subject())
}

#[auth(check = all)]
async fn everything(user: Principal, Tenant(tenant): Tenant) -> String {
    format!("{}: {tenant}", user.subject())
}

#[check]
async fn of_claims(_: &Principal, _: Claims<Plan>) -> bool {
    true
}

#[auth(check = of_claims)]
async fn claims() {}

#[check]
async fn of_tenant(_: &Principal, _: Tenant) -> bool {
    true
}

#[auth(check = of_tenant)]
async fn tenant() {}

#[check]
async fn of_shop(_: &Principal, _: Shop) -> bool {
    true
}

#[auth(check = of_shop)]
async fn shop() {}

#[check]
async fn of_path(_: &Principal, _: Path<u64>) -> bool {
    true
}

#[auth(check = of_path)]
async fn path() {}

#[check]
async fn of_page(_: &Principal, _: SameOrigin) -> bool {
    true
}

#[auth(check = of_page)]
async fn page() {}

fn routes() -> Router {
    Router::new()
        .route("/all", get(everything))
        .route("/claims", get(claims))
        .route("/tenant", get(tenant))
        .route("/shop", get(shop))
        .route("/path/{id}", get(path))
        .route("/page", post(page))
}

fn user(name: &str) -> TestUser {
    TestUser::new(name).claim("plan", "pro")
}

#[tokio::test]
async fn what_a_handler_finds_is_found_in_its_check() {
    let test = TestAuth::new();
    let log = CapturedLog::start(tracing::Level::WARN);
    for app in [
        routes().finish(test.auth()).unwrap(),
        axum::Router::new().route("/all", axum::routing::get(everything)).layer(test.auth().layer()),
    ] {
        let reply = get_as(&app, &test, &user("alice"), "/all").await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, "alice: tenant of alice"));
        assert_eq!(send(&app, request("GET", "/all", &[])).await.status, 401, "it needs a caller");
    }
    assert_eq!(log.take(), "", "nothing is wrong, and the log says nothing");
}

/// Each with the answer and the one line of the log. What is the library's is recognized by its type, not by its status.
#[tokio::test]
async fn an_extractor_that_refuses_is_answered_and_logged_as_what_it_is() {
    let decisions = Decisions::default();
    let test = decisions.noted(|builder| builder);
    let app = routes().finish(test.auth()).unwrap();
    let bearer = r#"Bearer realm="restricted""#;
    let insufficient = format!(r#"{bearer}, error="insufficient_scope""#);
    let invalid = format!(r#"{bearer}, error="invalid_token""#);
    let here = "whole::checks::extractors::";
    for (user, path, status, challenge, reason) in [
        (
            TestUser::new("alice"),
            "/claims",
            401,
            &*invalid,
            format!(
                "the extractor `auth_runtime::gate::extract::Claims<{here}Plan>` of check {here}of_claims rejected the request: the claims of a verified token do not fit the type of a `Claims` argument: missing field `plan`"
            ),
        ),
        (
            user("mallory"),
            "/tenant",
            403,
            &insufficient,
            format!(
                "the extractor `{here}Tenant` of check {here}of_tenant rejected the request: mallory has no tenant"
            ),
        ),
        (
            user("stranger"),
            "/tenant",
            401,
            bearer,
            format!(
                "the extractor `{here}Tenant` of check {here}of_tenant rejected the request: a stranger logs in again"
            ),
        ),
        (
            user("ghost"),
            "/tenant",
            404,
            "",
            format!(
                "the extractor `{here}Tenant` of check {here}of_tenant rejected the request: it is hidden from the caller, or does not exist"
            ),
        ),
        (
            user("ghost"),
            "/shop",
            404,
            "",
            format!(
                "the extractor `{here}Shop` of check {here}of_shop rejected the request: it is hidden from the caller, or does not exist"
            ),
        ),
        (
            user("teapot"),
            "/shop",
            403,
            &insufficient,
            format!(
                "check {here}of_shop could not read the request: its extractor `{here}Shop` answered 418 I'm a teapot"
            ),
        ),
        (
            user("broken"),
            "/shop",
            503,
            "",
            format!("check {here}of_shop failed: its extractor `{here}Shop` answered 502 Bad Gateway"),
        ),
        (
            user("alice"),
            "/path/x",
            403,
            &insufficient,
            format!(
                "check {here}of_path could not read the request: its extractor `axum::extract::path::Path<u64>` answered 400 Bad Request"
            ),
        ),
    ] {
        let reply = get_as(&app, &test, &user, path).await;
        assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (status, challenge), "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        let title = reply.status.canonical_reason().unwrap();
        assert_eq!(reply.body, format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#));
        let events = decisions.take();
        assert!(events.len() == 1 && events[0].ends_with(&format!(": {reason}")), "{path}: {events:#?}");
    }
    let bearer = format!("Bearer {}", test.token(&user("alice")));
    let headers = [("authorization", &*bearer), ("host", "shop.example"), ("origin", "https://evil.example")];
    let reply = send(&app, request("POST", "/page", &headers)).await;
    assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (403, ""));
    let events = decisions.take();
    assert!(events.len() == 1 && events[0].contains("SameOrigin` of check"), "{events:?}");
}

/// The hook is called once, with the whole head, and once alone.
#[tokio::test]
async fn what_refuses_in_a_check_is_rendered_once() {
    let decisions = Decisions::default();
    let calls = Decisions::default();
    let noted = calls.clone();
    let test = decisions.noted(|builder| {
        builder.render_rejections(move |rejection, head| {
            let whole = head.headers.contains_key("authorization");
            noted.0.lock().unwrap().push(format!("{} {whole}", rejection.status().as_u16()));
            rejection.problem()
        })
    });
    let app = routes().finish(test.auth()).unwrap();
    for (user, path, expected) in [
        (TestUser::new("alice"), "/claims", "401 true"),
        (user("mallory"), "/tenant", "403 true"),
        (user("mallory"), "/shop", "403 true"),
        (user("ghost"), "/shop", "404 false"),
        (user("teapot"), "/shop", "403 true"),
    ] {
        get_as(&app, &test, &user, path).await;
        assert_eq!(calls.take(), [expected], "{path}");
        assert_eq!(decisions.take().len(), 1, "{path}");
    }
}
