//! The staff's lists: who is logged in, and what was revoked.

use super::*;

/// What a list has, by user.
fn users(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|entry| entry["user"].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn staff_sees_the_sessions_of_all_users_and_ends_one() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [mut bob, mut alice] = [running.log_in(BOB).await, running.log_in(ALICE).await];
    let list = alice.get("/staff/sessions").await;
    assert_eq!(list.headers["cache-control"], "no-store");
    let list = list.json();
    let mut found = users(&list["sessions"]);
    found.sort_unstable();
    assert_eq!(found, ["1", "2"]);
    let session = list["sessions"].as_array().into_iter().flatten().find(|session| session["user"] == "2");
    let session = session.ok_or("bob has a session")?;
    assert_eq!(
        (&session["started_at"], &session["expires_at"]),
        (&json!(1_800_000_000), &json!(1_800_086_400))
    );
    assert_eq!(session["current"], false);

    let path = format!("/staff/users/2/sessions/{}", session["id"].as_str().ok_or("an id")?);
    assert_eq!(alice.delete(&path).await, 204);
    assert_eq!(bob.get("/saved").await.status, 401);
    assert_eq!(users(&alice.get("/staff/sessions").await.json()["sessions"]), ["1"]);
    assert_eq!(alice.delete(&path).await, 404);
    assert_eq!(
        alice.get("/staff/users").await.json()[1],
        json!({ "id": "2", "name": "bob", "is_staff": false }),
        "which names the user"
    );
    Ok(())
}

#[tokio::test]
async fn staff_logs_a_user_out_everywhere() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [mut phone, mut desk] = [running.log_in(BOB).await, running.log_in(BOB).await];
    let mut alice = running.log_in(ALICE).await;
    let of_bob = "/staff/users/2/sessions";
    assert_eq!(alice.get(of_bob).await.json()["sessions"].as_array().map(Vec::len), Some(2));
    assert_eq!(alice.delete(of_bob).await, 204);
    for browser in [&mut phone, &mut desk] {
        assert_eq!(browser.get("/saved").await.status, 401);
    }
    assert_eq!(alice.get(of_bob).await.json()["sessions"], json!([]));
    assert_eq!(running.log_in(BOB).await.get("/saved").await.status, 200, "the next login counts");
    Ok(())
}

#[tokio::test]
async fn staff_sees_what_was_revoked_when_and_of_whom() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [mut bob, mut alice] = [running.log_in(BOB).await, running.log_in(ALICE).await];
    assert_eq!(alice.get("/staff/revocations").await.json(), json!({ "revocations": [] }));
    running.clock.advance(Duration::from_secs(30));
    assert_eq!(bob.delete("/session").await, 204);
    let list = alice.get("/staff/revocations").await.json();
    let entry = &list["revocations"][0];
    assert_eq!((&entry["kind"], &entry["user"]), (&json!("session"), &json!("2")), "{list}");
    assert_eq!(entry["recorded_at"], 1_800_000_030);
    assert!(entry["kept_until"].as_i64() > Some(1_800_000_030), "{list}");
    assert_eq!(alice.get("/staff/revocations?user=1").await.json(), json!({ "revocations": [] }));
    assert_eq!(alice.get("/staff/revocations?user=2").await.json(), list);
    Ok(())
}

const ROUTES: [(Method, &str); 9] = [
    (Method::GET, "/staff"),
    (Method::GET, "/staff/users"),
    (Method::GET, "/staff/sessions"),
    (Method::GET, "/staff/users/2/sessions"),
    (Method::DELETE, "/staff/users/2/sessions"),
    (Method::DELETE, "/staff/users/2/sessions/x"),
    (Method::GET, "/staff/revocations"),
    (Method::GET, "/staff/access"),
    (Method::GET, "/staff/revocations?user=2"),
];

#[tokio::test]
async fn nobody_but_staff_that_has_just_logged_in() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [mut stranger, mut bob, mut alice] =
        [running.browser(), running.log_in(BOB).await, running.log_in(ALICE).await];
    for (method, path) in ROUTES {
        assert_eq!(stranger.ask(method.clone(), path, None).await.status, 401, "{method} {path}");
        assert_eq!(bob.ask(method.clone(), path, None).await.status, 403, "{method} {path}");
    }
    assert_eq!(bob.get("/saved").await.status, 200, "nothing has ended");
    running.advance(Duration::from_mins(12)).await?;
    for (method, path) in ROUTES {
        let reply = alice.ask(method.clone(), path, None).await;
        assert_eq!(reply.status, 401, "{method} {path}");
        let challenge = reply.headers["www-authenticate"].to_str()?;
        assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
    }
    assert_eq!(alice.get("/saved").await.status, 200, "the session goes on");
    let mut again = running.log_in(ALICE).await;
    for path in ["/staff", "/staff/users", "/staff/sessions", "/staff/revocations", "/staff/access"] {
        assert_eq!(again.get(path).await.status, 200, "{path}");
    }
    Ok(())
}

/// The lists have ids of sessions, and no token can be made with one.
#[tokio::test]
async fn the_lists_have_no_token() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [bob, mut alice] = [running.log_in(BOB).await, running.log_in(ALICE).await];
    let mut tokens = [bob.tokens(), alice.tokens()].concat();
    let mut ended = running.log_in(BOB).await;
    tokens.extend(ended.tokens());
    assert_eq!(ended.delete("/session").await, 204);
    for path in ["/staff/sessions", "/staff/revocations", "/staff/users/2/sessions"] {
        let body = alice.get(path).await.body;
        let parts = tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() > 30);
        assert!(parts.clone().count() >= 8);
        assert!(!parts.into_iter().any(|part| body.contains(part)), "{path}: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_browser_is_sent_to_the_login_and_a_script_is_not() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let page = async |cookies: &str| {
        let request = running.service.request(Method::GET, "/staff").header("accept", "text/html");
        running.service.send(request.header(COOKIE, cookies)).await
    };
    let sent = page("").await;
    assert_eq!((sent.status, sent.headers["location"].to_str()?), (303, "/?return_to=%2Fstaff"));
    let [access, _] = running.log_in(ALICE).await.tokens();
    let shown = page(&format!("access_token={access}")).await;
    assert!(shown.status == 200 && shown.body.contains("/staff.js"), "{shown:?}");
    for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
        assert!(shown.headers.contains_key(name), "{name}");
    }
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_eq!(running.browser().get("/staff").await.status, 401);
    Ok(())
}
