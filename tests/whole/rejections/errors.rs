//! Errors of the library's functions, which a handler returns with `?` as rejections.

use auth_runtime::api_key::ApiKeyError;
use auth_runtime::rejection::Rejection;
use auth_runtime::revocation::{RevocationListError, RevokeError};
use auth_runtime::session::{PasswordError, RefreshError, SessionDataError, TokenError};
use auth_runtime::store::StoreError;
use axum::extract::Path;

use super::*;

/// What no caller learns.
const SECRET: &str = "the disk sda3 is full";

/// Each error, and the status of the answer.
fn cases() -> Vec<(Rejection, u16)> {
    let store = || StoreError::new(SECRET);
    let secret = || SECRET.to_owned();
    vec![
        (store().into(), 503),
        (Rejection::unavailable(SECRET), 503),
        (ApiKeyError::Invalid(secret()).into(), 400),
        (ApiKeyError::NotFound.into(), 404),
        (ApiKeyError::Static.into(), 403),
        (ApiKeyError::Changed.into(), 503),
        (ApiKeyError::Store(store()).into(), 503),
        (ApiKeyError::AuditHook(secret()).into(), 500),
        (TokenError::Refresh(RefreshError::Ended).into(), 400),
        (TokenError::InvalidCursor.into(), 400),
        (TokenError::NoSession.into(), 403),
        (TokenError::Store(store()).into(), 503),
        (TokenError::SubjectStore(SECRET.into()).into(), 503),
        (TokenError::ClockAhead { seconds: 100_000 }.into(), 503),
        (TokenError::Claims(secret()).into(), 500),
        (TokenError::SessionData(SessionDataError::Ended).into(), 401),
        (TokenError::AuditHook(secret()).into(), 500),
        (RevokeError::Unavailable(store()).into(), 503),
        (RevokeError::NotIdentifiable("jti").into(), 403),
        (RevokeError::NotAToken(secret()).into(), 403),
        (RevocationListError::Unavailable(store()).into(), 503),
        (RevocationListError::InvalidCursor.into(), 400),
        (RevocationListError::NoStore.into(), 500),
        (PasswordError::Busy.into(), 503),
        (PasswordError::TooLong.into(), 400),
        (PasswordError::Disallowed.into(), 400),
        (PasswordError::Malformed.into(), 500),
    ]
}

#[auth]
async fn failing(Path(case): Path<usize>) -> Result<(), Rejection> {
    Err(cases().swap_remove(case).0)
}

/// As it is written: `?` alone.
#[auth]
async fn without_an_issuer(auth: axum::Extension<auth_runtime::Auth>) -> Result<(), Rejection> {
    auth.tokens()?.log_out_everywhere("alice").await?;
    Ok(())
}

#[auth]
async fn without_keys(auth: axum::Extension<auth_runtime::Auth>) -> Result<(), Rejection> {
    auth.api_keys()?.revoke_all("alice").await?;
    Ok(())
}

#[tokio::test]
async fn an_error_is_answered_by_its_kind_and_its_text_is_for_the_log_alone() {
    let log = Log::default();
    let test = audited(&log);
    let app: axum::Router = Router::new()
        .route("/failing/{case}", get(failing))
        .route("/issuer", get(without_an_issuer))
        .route("/keys", get(without_keys))
        .layer(axum::Extension(test.auth().clone()))
        .finish(test.auth())
        .unwrap();
    let user = TestUser::new("alice");
    for (case, (rejection, status)) in cases().into_iter().enumerate() {
        let reply = get_as(&app, &test, &user, &format!("/failing/{case}")).await;
        assert_eq!(reply.status.as_u16(), status, "{rejection:?}");
        assert_eq!(reply.header("content-type"), "application/problem+json", "{rejection:?}");
        assert_eq!(reply.header("cache-control"), "no-store", "{rejection:?}");
        assert!(!reply.body.contains("sda3") && !format!("{:?}", reply.headers).contains("sda3"));
        let events = std::mem::take(&mut *log.lock().unwrap());
        assert!(events.last().unwrap().contains(&format!("rejected {status}")), "{events:?}");
    }
    for (path, wanted) in [("/issuer", "token_issuer"), ("/keys", "api_keys")] {
        let reply = get_as(&app, &test, &user, path).await;
        assert_eq!(reply.status, 500, "{path}");
        let events = std::mem::take(&mut *log.lock().unwrap());
        assert!(events.last().unwrap().contains(wanted), "{path}: {events:?}");
    }
}
