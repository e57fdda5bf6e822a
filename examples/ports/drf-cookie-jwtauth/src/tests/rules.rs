//! Who may call what, and what a handler learns of the caller.

use auth_runtime::rejection::Rejection;
use axum::response::IntoResponse as _;

use super::*;

#[tokio::test]
async fn a_stranger_is_401_and_where_it_is_optional_none() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut stranger = running.browser();
    let hello = stranger.get("/hello").await;
    assert_eq!((hello.status, hello.json()), (200, Value::Null));
    for (method, path) in
        [(Method::GET, "/saved"), (Method::DELETE, "/saved/1"), (Method::GET, "/staff/sessions")]
    {
        let reply = stranger.ask(method, path, None).await;
        assert_eq!(reply.status, 401, "{path}");
        assert!(reply.headers.contains_key("www-authenticate"), "{reply:?}");
        assert_eq!(reply.headers["content-type"], "application/problem+json");
    }
    Ok(())
}

/// A service whose clients expect 403, as they do of Django REST framework.
#[tokio::test]
async fn a_service_may_answer_403_in_place_of_401() -> Result<(), BoxError> {
    let forbidden = |rejection: &Rejection, _: &Parts| {
        let status = match rejection.status() {
            StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
            other => other,
        };
        (status, Json(json!({ "detail": "Log in first." }))).into_response()
    };
    let running = Running::start_with(|engine| engine.render_rejections(forbidden)).await?;
    let reply = running.browser().get("/saved").await;
    assert_eq!((reply.status, reply.json()), (403, json!({ "detail": "Log in first." })));
    assert_eq!(running.log_in(BOB).await.get("/saved").await.status, 200);
    Ok(())
}

#[tokio::test]
async fn the_row_of_the_user_is_the_argument() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    assert_eq!(bob.get("/hello").await.json(), json!({ "id": "2", "name": "bob", "is_staff": false }));
    running.change("2", "update accounts set name = 'robert', is_staff = 1 where id = ?1").await?;
    assert_eq!(bob.get("/hello").await.json(), json!({ "id": "2", "name": "robert", "is_staff": true }));
    assert_eq!(bob.get("/staff/sessions").await.status, 200, "so is the role");
    Ok(())
}

#[tokio::test]
async fn everyone_has_a_list_of_their_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    let link = |url: &str| Some(json!({ "url": url, "title": "<b>Pigeons</b>" }));
    let saved = bob.ask(Method::POST, "/saved", link("https://pigeon.example/?a=b#c")).await;
    assert_eq!(saved.status, 201);
    let id = saved.json()["id"].as_i64().ok_or("no id")?;
    assert_eq!(
        bob.get("/saved").await.json()[0],
        json!({ "id": id, "url": "https://pigeon.example/?a=b#c", "title": "<b>Pigeons</b>" })
    );
    let again = bob.ask(Method::POST, "/saved", link("https://pigeon.example/?a=b#c")).await;
    assert_eq!((again.status, again.json()["id"].as_i64()), (201, Some(id)), "saved once");
    for wrong in ["javascript:alert(1)", "data:text/html,x", "/saved", "pigeon", " https://a.example", ""] {
        assert_eq!(bob.ask(Method::POST, "/saved", link(wrong)).await.status, 422, "{wrong}");
    }

    let mut alice = running.log_in(ALICE).await;
    assert_eq!(alice.delete(&format!("/saved/{id}")).await, 404, "as one that does not exist");
    assert_eq!(alice.get("/saved").await.json().as_array().map(Vec::len), Some(1));
    assert_eq!(bob.delete(&format!("/saved/{id}")).await, 204);
    assert_eq!(bob.delete(&format!("/saved/{id}")).await, 404);
    Ok(())
}

#[auth(public)]
async fn public() {}

/// A route that is added to a group needs what the group requires, also if its own rule is `public`.
#[tokio::test]
async fn every_route_of_a_group_needs_a_login() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let (_, accounts, store) = parts(&folder).await?;
    let auth = engine(&accounts, settings(&[], &folder)?, store).build()?;
    auth.start().await?;
    let group: Router = Router::new().require(rule!()).route("/in", get(public));
    let app = Router::new().merge(group).route("/out", get(public)).finish(&auth)?;
    let service = Service::start(app, folder).await;
    assert_eq!((service.get("/in", None).await.status, service.get("/out", None).await.status), (401, 200));
    let token = auth.tokens()?.issue_access(&auth_runtime::session::Subject::new("2"))?;
    assert_eq!(service.get("/in", Some(&token)).await.status, 200);

    // The group of this service, and a method that it does not have.
    let running = Running::start().await?;
    let mut stranger = running.browser();
    for (method, path) in [
        (Method::GET, "/saved"),
        (Method::POST, "/saved"),
        (Method::DELETE, "/saved/1"),
        (Method::PUT, "/saved"),
    ] {
        assert_eq!(stranger.ask(method, path, None).await.status, 401, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn an_inactive_user_is_rejected_on_every_route() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut alice = running.log_in(ALICE).await;
    running.change("1", "update accounts set is_active = 0 where id = ?1").await?;
    for path in ["/saved", "/staff/users", "/staff/sessions", "/staff/revocations", "/staff/access"] {
        assert_eq!(alice.get(path).await.status, 401, "{path}");
    }
    Ok(())
}
