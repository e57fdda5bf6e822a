//! Tokens that no longer count, and who sees which.

use super::*;

impl Running {
    async fn block(&self, by: &Pair, jti: &str) -> u16 {
        self.service.post("/api/staff/blocklist", Some(&by.access), &json!({ "jti": jti })).await.status
    }

    /// The list, of the user with this id if one is given.
    async fn blocklist(&self, by: &Pair, user: &str) -> Vec<Value> {
        let list = self.service.get(&format!("/api/staff/blocklist{user}"), Some(&by.access)).await;
        assert_eq!(list.status, 200);
        list.json()["revocations"].as_array().cloned().unwrap()
    }
}

#[tokio::test]
async fn a_blocklisted_token_is_rejected_at_once() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [otto, ben] = [running.log_in("otto").await, running.log_in("ben").await];
    for (tokens, statuses) in [(&otto, [200, 401]), (&ben, [200, 200])] {
        for status in statuses {
            assert_eq!(running.status("/api/me", &tokens.access).await, status);
        }
    }
    assert_eq!(running.status("/api/token", &otto.access).await, 401, "on every route");
    // It was that token alone: the session goes on with another one.
    let next = pair(&running.refresh(&otto).await);
    assert!(running.accepts(&next.access).await);
    Ok(())
}

#[tokio::test]
async fn it_says_whether_a_token_is_blocklisted_anew() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [ana, ben] = [running.log_in("ana").await, running.log_in("ben").await];
    let jti = part(&ben.access, 1)["jti"].as_str().unwrap().to_owned();
    assert_eq!(running.block(&ben, &jti).await, 403);
    assert!(running.accepts(&ben.access).await);
    assert_eq!(running.block(&ana, &jti).await, 201);
    assert!(!running.accepts(&ben.access).await);
    assert_eq!(running.block(&ana, &jti).await, 200);
    let listed = running.blocklist(&ana, "").await;
    assert!(!listed.is_empty() && listed.iter().all(|entry| entry["token_id"] == jti), "{listed:?}");

    let otto = running.log_in("otto").await;
    running.status("/api/me", &otto.access).await;
    let jti = part(&otto.access, 1)["jti"].as_str().unwrap().to_owned();
    assert_eq!(running.block(&ana, &jti).await, 200, "its own use has blocklisted it");
    Ok(())
}

#[tokio::test]
async fn the_staff_sees_what_was_blocklisted() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [ana, otto, ben] =
        [running.log_in("ana").await, running.log_in("otto").await, running.log_in("ben").await];
    assert_eq!(running.status("/api/me", &otto.access).await, 200);
    assert_eq!(running.block(&ana, "export-7").await, 201);
    let claims = part(&otto.access, 1);
    let list = running.blocklist(&ana, "").await;
    let [first, second] = list.as_slice() else { panic!("{list:?}") };
    assert_eq!((&first["kind"], &first["token_id"]), (&json!("token"), &claims["jti"]));
    assert_eq!((&first["user"], &first["recorded_at"]), (&json!("3"), &json!(NOW)));
    assert!(first["kept_until"].as_i64() >= claims["exp"].as_i64(), "{first}");
    assert_eq!(second["token_id"], "export-7");
    assert_eq!(running.blocklist(&ana, "?user=3").await, std::slice::from_ref(first));
    assert_eq!(running.blocklist(&ana, "?user=2").await, [] as [Value; 0]);
    let page = running.service.get("/api/staff/blocklist", Some(&ana.access)).await;
    assert!(!page.body.contains(&otto.access) && !page.body.contains("ey"), "{page:?}");
    assert_eq!(running.status("/api/staff/blocklist", &ben.access).await, 403);

    // It is deleted when the last token that it concerns has expired.
    running.advance(Duration::from_hours(48)).await?;
    assert_eq!(running.blocklist(&running.log_in("ana").await, "").await, [] as [Value; 0]);
    Ok(())
}

#[tokio::test]
async fn the_staff_sees_all_sessions() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [ana, ben] = [running.log_in("ana").await, running.log_in("ben").await];
    running.log_in("ben").await;
    let users = async || {
        let list = running.service.get("/api/staff/sessions", Some(&ana.access)).await.json();
        let users = list["sessions"].as_array().unwrap().iter();
        let mut users: Vec<String> = users.map(|session| session["user"].as_str().unwrap().into()).collect();
        users.sort();
        users
    };
    assert_eq!(users().await, ["1", "2", "2"]);
    let log_out =
        running.service.request(Method::DELETE, "/api/auth").json(&json!({ "refresh": ben.refresh }));
    assert_eq!(running.service.send(log_out).await.status, 204);
    assert_eq!(users().await, ["1", "2"]);
    assert_eq!(running.status("/api/staff/sessions", &ben.access).await, 401);
    let other = running.log_in("ben").await;
    assert_eq!(running.status("/api/staff/sessions", &other.access).await, 403);
    Ok(())
}

/// RFC 7662: for services that satisfy a rule, since a caller that may ask finds out whether a stolen token is of use.
#[tokio::test]
async fn the_staff_asks_whether_a_token_is_valid() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [ana, ben] = [running.log_in("ana").await, running.log_in("ben").await];
    let active = async |token: &str| {
        let form = running.service.request(Method::POST, "/api/auth/verify").bearer_auth(&ana.access);
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let reply = running.service.send(form.body(format!("token={token}"))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    };
    assert_eq!(
        (&active(&ben.access).await["active"], &active(&ben.access).await["sub"]),
        (&json!(true), &json!("2"))
    );
    assert_eq!(active("x").await, json!({ "active": false }));
    let jti = part(&ben.access, 1)["jti"].as_str().unwrap().to_owned();
    running.block(&ana, &jti).await;
    assert_eq!(active(&ben.access).await, json!({ "active": false }));
    for token in [None, Some(running.log_in("ben").await.access)] {
        let reply = running.service.post("/api/auth/verify", token.as_deref(), &json!({})).await;
        assert!([401, 403].contains(&reply.status), "{reply:?}");
    }
    Ok(())
}
