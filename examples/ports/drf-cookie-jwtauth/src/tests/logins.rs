//! Logins: what is sent, what is answered, and what becomes of the session before.

use super::*;

/// The login of our own, and the ready one.
const LOGINS: [&str; 2] = ["/session", "/login"];

fn credentials([username, password]: [&str; 2]) -> Option<Value> {
    Some(json!({ "username": username, "password": password }))
}

#[tokio::test]
async fn a_login_is_json_and_is_answered_204_with_both_cookies() -> Result<(), BoxError> {
    let running = Running::start().await?;
    for path in LOGINS {
        let mut browser = running.browser();
        let reply = browser.ask(Method::POST, path, credentials(BOB)).await;
        assert_eq!((reply.status, &*reply.body), (204, ""), "{path}");
        assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["access_token", "refresh_token"], "{path}");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(browser.get("/hello").await.json()["name"], "bob", "{path}");
    }
    // A form of another page is not JSON.
    let request = running.service.request(Method::POST, "/session");
    let form = running
        .service
        .send(request.header("content-type", "text/plain").body(r#"{"username":"bob"}"#))
        .await;
    assert_eq!(form.status, 415);
    let lacking = running.browser().ask(Method::POST, "/session", Some(json!({ "username": "bob" }))).await;
    assert_eq!(lacking.status, 422);
    Ok(())
}

#[tokio::test]
async fn wrong_credentials_are_403_with_a_text_of_ours() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let wrong = [["bob", "wonderland"], ["nobody", "builder"], ["carol", "christmas"]];
    for (path, sent) in LOGINS.into_iter().flat_map(|path| wrong.map(|sent| (path, sent))) {
        let mut browser = running.browser();
        let reply = browser.ask(Method::POST, path, credentials(sent)).await;
        assert_eq!(
            (reply.status, reply.json()),
            (403, json!({ "detail": "Wrong name or password." })),
            "{sent:?}"
        );
        assert!(browser.cookies.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn both_logins_share_the_limits_on_attempts() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut statuses = Vec::new();
    for attempt in 0..40 {
        let path = LOGINS[attempt % 2];
        let reply = running.browser().ask(Method::POST, path, credentials(["bob", "guess"])).await;
        statuses.push(reply.status);
        if reply.status == 429 {
            assert!(reply.headers.contains_key("retry-after"));
            assert_eq!(reply.json(), json!({ "detail": "Too many attempts. Wait a minute." }));
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    // The other login, with another writing of the name: no attempt is left, even for the right password.
    for path in LOGINS {
        let reply = running.browser().ask(Method::POST, path, credentials(["BOB", "builder"])).await;
        assert_eq!(reply.status, 429, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_had() -> Result<(), BoxError> {
    let running = Running::start().await?;
    for path in LOGINS {
        let mut browser = running.log_in(BOB).await;
        let former = browser.clone();
        let [access, _] = former.tokens();
        assert_eq!(browser.ask(Method::POST, path, credentials(ALICE)).await.status, 204);
        assert_eq!(browser.get("/hello").await.json()["name"], "alice");
        assert_eq!(running.status_of(&access).await, 401, "{path}");
        assert_eq!(former.clone().get("/saved").await.status, 401, "nor does the refresh cookie renew it");
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_fails_is_503_and_lets_nobody_in() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    assert_eq!(bob.get("/saved").await.status, 200);
    running.database.close().await;
    for path in LOGINS {
        let mut browser = running.browser();
        let reply = browser.ask(Method::POST, path, credentials(BOB)).await;
        assert_eq!(
            (reply.status, reply.json()),
            (503, json!({ "detail": "temporarily_unavailable" })),
            "{path}"
        );
        assert!(browser.cookies.is_empty());
    }
    assert_eq!(bob.get("/saved").await.status, 503);
    Ok(())
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut alice = running.log_in(ALICE).await;
    let before = alice.clone();
    let link = json!({ "url": "https://evil.example/", "title": "Read this" });
    let requests = [
        (Method::POST, "/session", credentials(BOB)),
        (Method::POST, "/login", credentials(BOB)),
        (Method::DELETE, "/session", None),
        (Method::POST, "/saved", Some(link)),
        (Method::DELETE, "/saved/4", None),
        (Method::DELETE, "/staff/users/1/sessions", None),
    ];
    for origin in ["https://evil.example", "null"] {
        for (method, path, body) in requests.clone() {
            let reply = alice.ask_from(Some(origin), method.clone(), path, body).await;
            assert_eq!(reply.status, 403, "{method} {path}");
            assert_eq!(alice.cookies, before.cookies, "{method} {path}");
        }
    }
    let saved = alice.get("/saved").await.json();
    assert_eq!((saved[0]["id"].as_i64(), saved.as_array().map(Vec::len)), (Some(4), Some(1)));
    Ok(())
}
