//! What application code rejects with: its form, and where its reason is.

use std::sync::{Arc, Mutex};

use auth_runtime::rejection::{Rejection, RejectionKind};
use auth_runtime::{Principal, auth};
use axum::Json;
use axum::http::StatusCode;

use super::*;

const REASON: &str = "ordered by nobody";

#[auth(source = "bearer")]
async fn unauthenticated() -> Result<(), Rejection> {
    Err(Rejection::unauthenticated(REASON))
}

#[auth(source = "bearer")]
async fn forbidden(_: Principal) -> Result<(), Rejection> {
    refuse()?;
    Ok(())
}

/// Code that a handler calls.
fn refuse() -> Result<(), Rejection> {
    Err(Rejection::forbidden(REASON))
}

#[auth(public)]
async fn hidden() -> Result<(), Rejection> {
    Err(Rejection::hidden())
}

/// A failure that is not about who the caller is: any type that is an answer.
#[auth(public)]
async fn sold_out() -> (StatusCode, Json<serde_json::Value>) {
    (StatusCode::CONFLICT, Json(json!({ "error": "Sold out until Monday" })))
}

type Heard = Arc<Mutex<Vec<(Option<RejectionKind>, String)>>>;

/// A service with the engine of the port, a token for it, and what its audit hook hears.
async fn start() -> Result<(Service, String, Heard), BoxError> {
    log::start();
    let (folder, heard) = (tempfile::tempdir()?, Heard::default());
    let users = Users::open(folder.path(), PasswordHasher::with_cost(8, 1, 1)?).await?;
    let (keys, _) = api_keys::of_file(&folder.path().join("api-keys.txt"))?;
    let hook = Arc::clone(&heard);
    let engine = engine(folder.path(), users, keys)?
        .audit(move |event| hook.lock().unwrap().push((event.rejection, event.reason.to_owned())));
    let auth = engine.build()?;
    auth.start().await?;
    let token = auth.tokens()?.issue_access(&auth_runtime::session::Subject::new("2"))?;
    let routes = Router::new()
        .route("/unauthenticated", get(unauthenticated))
        .route("/forbidden", get(forbidden))
        .route("/hidden", get(hidden))
        .route("/sold-out", get(sold_out));
    Ok((Service::start(routes.finish(&auth)?, folder).await, token, heard))
}

#[tokio::test]
async fn each_rejection_has_the_status_and_the_form() -> Result<(), BoxError> {
    let (service, token, _) = start().await?;
    for (path, status, error) in [
        ("/unauthenticated", 401, "Invalid or missing API key or token"),
        ("/forbidden", 403, "Insufficient permissions"),
        ("/hidden", 404, "Not found"),
    ] {
        let reply = service.get(path, Some(&token)).await;
        assert_eq!((reply.status, reply.json()), (status, json!({ "error": error })), "{path}");
        assert_eq!(reply.headers.contains_key("www-authenticate"), status != 404, "{path}");
    }
    let reply = service.get("/sold-out", None).await;
    assert_eq!((reply.status, reply.json()), (409, json!({ "error": "Sold out until Monday" })));
    Ok(())
}

#[tokio::test]
async fn a_reason_goes_to_the_log_and_to_the_audit_hook_alone() -> Result<(), BoxError> {
    let (service, token, heard) = start().await?;
    for (path, kind) in [
        ("/unauthenticated", RejectionKind::Unauthenticated),
        ("/forbidden", RejectionKind::InsufficientScope),
    ] {
        log::take();
        heard.lock().unwrap().clear();
        let reply = service.get(path, Some(&token)).await;
        assert!(!format!("{reply:?}").contains(REASON), "{reply:?}");
        let logged = log::take();
        assert!(logged.contains(REASON) && !logged.contains(&token), "{logged}");
        let heard = heard.lock().unwrap();
        let of_the_handler = heard.iter().filter(|(_, reason)| reason.contains(REASON));
        assert_eq!(of_the_handler.map(|(kind, _)| *kind).collect::<Vec<_>>(), [Some(kind)], "{heard:?}");
    }
    Ok(())
}
