//! Where tokens are, and what a handler learns of the caller.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, COOKIE};

use super::*;

#[tokio::test]
async fn a_stranger_is_none_and_a_wrong_token_is_401() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let stranger = running.service.get("/", None).await;
    assert_eq!((stranger.status, stranger.json()), (200, Value::Null));
    let required = running.service.get("/tickets", None).await;
    let challenge = &required.headers["www-authenticate"];
    assert!(required.status == 401 && !challenge.to_str()?.contains("invalid_token"), "{required:?}");

    for path in ["/", "/tickets"] {
        let wrong = running.service.get(path, Some("x")).await;
        assert_eq!(wrong.status, 401);
        assert_eq!(wrong.headers["content-type"], "application/problem+json");
        assert!(wrong.headers["www-authenticate"].to_str()?.contains("invalid_token"), "{wrong:?}");
    }
    // A browser sends a cookie by itself, until an answer clears it.
    let request = running.service.request(Method::GET, "/").header(COOKIE, "access_token=x");
    let cookie = running.service.send(request).await;
    assert_eq!((cookie.status, cookie.json()), (200, Value::Null));
    assert!(cookie.set_cookies().iter().any(|cookie| cookie.starts_with("access_token=;")), "{cookie:?}");
    Ok(())
}

#[tokio::test]
async fn the_row_of_the_user_is_the_argument() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [alice, bob] = [running.log_in("alice").await, running.log_in("bob").await];
    let me = async |tokens: &Tokens| running.service.get("/", Some(&tokens.access)).await.json();
    assert_eq!(me(&alice).await, json!({ "name": "alice", "is_agent": true }));
    assert_eq!(me(&bob).await, json!({ "name": "bob", "is_agent": false }));
    running.change("2", "update accounts set name = 'robert', is_agent = 1 where id = ?1").await?;
    assert_eq!(me(&bob).await, json!({ "name": "robert", "is_agent": true }));
    Ok(())
}

#[tokio::test]
async fn a_ticket_is_of_the_user_who_opens_it() -> Result<(), BoxError> {
    let running = Running::start().await?;
    for name in ["alice", "bob"] {
        let token = running.log_in(name).await.access;
        let opened = running.service.post("/tickets", Some(&token), &json!({ "title": "No ink" })).await;
        assert_eq!((opened.status, opened.text("owner").as_str()), (201, name));
    }
    let token = running.log_in("bob").await.access;
    let named = json!({ "title": "No ink", "owner": "alice", "account": "1" });
    assert_eq!(running.service.post("/tickets", Some(&token), &named).await.status, 422, "nobody names one");
    Ok(())
}

/// Where nobody says that the row has changed.
#[tokio::test]
async fn a_user_is_remembered_for_five_minutes() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let bob = running.log_in("bob").await;
    let name = async || running.service.get("/", Some(&bob.access)).await.text("name");
    assert_eq!(name().await, "bob");
    query("update accounts set name = 'robert' where id = '2'").execute(&running.database).await?;
    running.advance(Duration::from_secs(299)).await?;
    assert_eq!(name().await, "bob");
    running.advance(Duration::from_secs(2)).await?;
    assert_eq!(name().await, "robert");
    Ok(())
}

#[tokio::test]
async fn an_inactive_user_is_rejected_on_every_route() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let bob = running.log_in("bob").await;
    let routes = [
        (Method::GET, "/"),
        (Method::GET, "/tickets"),
        (Method::POST, "/tickets"),
        (Method::POST, "/tickets/1/close"),
        (Method::GET, "/panel/live"),
        (Method::GET, "/access"),
        (Method::POST, "/auth/logout-everywhere"),
    ];
    running.change("2", "update accounts set is_active = 0 where id = ?1").await?;
    for (method, path) in routes {
        let request = running.service.request(method, path).bearer_auth(&bob.access);
        assert_eq!(running.service.send(request).await.status, 401, "{path}");
    }
    assert_eq!(running.refresh(&bob).await.status, 400);
    for (name, password) in [("bob", "builder"), ("carol", "christmas"), ("nobody", "builder")] {
        let sent = json!({ "username": name, "password": password });
        let reply = running.service.post("/auth/login", None, &sent).await;
        assert_eq!((reply.status, reply.json()), (400, json!({ "error": "invalid_grant" })), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_customer_has_tickets_and_an_agent_closes_them() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [alice, bob] = [running.log_in("alice").await, running.log_in("bob").await];
    let post = async |path: &str, tokens: &Tokens| {
        running.service.post(path, Some(&tokens.access), &json!({ "title": "No ink" })).await
    };
    let opened = post("/tickets", &bob).await;
    assert_eq!((opened.status, &opened.json()["owner"]), (201, &json!("bob")));
    let owners = async |tokens: &Tokens| {
        let tickets = running.service.get("/tickets", Some(&tokens.access)).await.json();
        let owners =
            tickets.as_array().unwrap().iter().map(|ticket| ticket["owner"].as_str().unwrap().to_owned());
        owners.collect::<Vec<_>>()
    };
    assert_eq!(owners(&bob).await, ["bob", "bob", "bob"]);
    assert_eq!(owners(&alice).await, ["bob", "bob", "carol", "alice", "bob"]);

    assert_eq!(post("/tickets/1/close", &bob).await.status, 403);
    assert_eq!(post("/tickets/99/close", &alice).await.status, 404);
    let closed = post("/tickets/1/close", &alice).await;
    assert_eq!(closed.status, 200);
    assert_eq!(
        closed.json(),
        json!({ "id": 1, "owner": "bob", "partner": null, "title": "The printer is on fire", "is_open": false })
    );
    Ok(())
}

#[tokio::test]
async fn a_handler_that_names_no_source_takes_the_defaults() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let bob = running.log_in("bob").await;
    let bearer = format!("Bearer {}", bob.access);
    let cookie = format!("access_token={}", bob.access);
    for (name, value, status) in [
        ("authorization", &bearer, 200),
        ("cookie", &cookie, 200),
        ("x-partner", &running.key_of_mailgate, 401),
        ("x-token", &bob.access, 401),
    ] {
        let request = running.service.request(Method::GET, "/tickets").header(name, value);
        assert_eq!(running.service.send(request).await.status, status, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn the_keyword_has_no_case_and_the_header_has_two_parts() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let token = running.log_in("bob").await.access;
    for (value, status) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer {token}"), 200),
        (format!("BEARER {token}"), 200),
        (format!("Bearer {token} {token}"), 401),
        (format!("Token {token}"), 401),
        (token.clone(), 401),
    ] {
        let request = running.service.request(Method::GET, "/tickets").header(AUTHORIZATION, &value);
        assert_eq!(running.service.send(request).await.status, status, "{value}");
    }
    Ok(())
}
