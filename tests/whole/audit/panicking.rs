//! A hook that panics: no caller is admitted, and what has ended stays ended.

use super::*;

/// A shop whose hook panics at this action.
fn shop(at: &'static str) -> Shop {
    let events = Events::default();
    let noted = events.clone();
    Shop::with_hook(
        Delivery::Cookies,
        |builder| builder,
        events,
        move |event| {
            noted.note(event);
            assert!(event.action.as_str() != at, "the hook is broken");
        },
    )
}

async fn status(shop: &Shop, method: &str, path: &str, cookies: &str, body: &Value) -> u16 {
    let reply = shop.send(method, path, &[("cookie", cookies)], body).await;
    if reply.status == 500 {
        // Cookies are cleared, and none has a token.
        let mut cookies = reply.headers.get_all("set-cookie").iter();
        assert!(cookies.all(|cookie| cookie.to_str().unwrap().contains("Max-Age=0")), "{path}");
        assert!(reply.body.contains("server_error"), "{path}: {}", reply.body);
    }
    reply.status.as_u16()
}

#[tokio::test]
async fn a_login_or_a_refresh_returns_no_tokens() {
    let log = CapturedLog::start(tracing::Level::ERROR);
    for (name, password) in [("alice", "password of alice"), ("alice", "wrong")] {
        let shop = shop("login");
        assert_eq!(status(&shop, "POST", "/auth/login", "", &credentials(name, password)).await, 500);
        assert!(log.take().contains("panicked: the hook is broken"));
        let error = shop.tokens.issue(&Subject::new("alice")).await.unwrap_err();
        assert!(
            matches!(&error, TokenError::AuditHook(why) if why.contains("the hook is broken")),
            "{error}"
        );
    }
    let shop = shop("refresh");
    let tokens = shop.issue("alice").await;
    let sent = cookies(&tokens);
    assert_eq!(status(&shop, "POST", "/auth/refresh", &sent, &Value::Null).await, 500);
    assert_eq!(status(&shop, "POST", "/auth/refresh", "", &Value::Null).await, 500);
}

/// The session of the first cookie is reported first, and the hook panics: the other one must end too.
#[tokio::test]
async fn a_logout_has_happened() {
    let shop = shop("logout");
    let all = [shop.issue("alice").await, shop.issue("bob").await];
    let sent = all.each_ref().map(cookies).join("; ");
    assert_eq!(status(&shop, "POST", "/auth/logout", &sent, &Value::Null).await, 500);
    assert_eq!(shop.events.take().len(), 2);
    for tokens in &all {
        let sent = cookies(tokens);
        assert_eq!(shop.send("GET", "/who", &[("cookie", &sent)], &Value::Null).await.status, 401);
        assert!(shop.tokens.refresh(&tokens.refresh_token).await.is_err());
    }
    // It has ended, so it is not reported again, and nothing panics.
    assert_eq!(status(&shop, "POST", "/auth/logout", &sent, &Value::Null).await, 204);
}

#[tokio::test]
async fn a_revocation_has_happened() {
    let shop = shop("session_end");
    for _ in 0..2 {
        shop.issue("alice").await;
        shop.clock.advance(Duration::from_secs(1));
    }
    // The third login ends the first session, and is not reported as a success.
    assert!(matches!(shop.tokens.issue(&Subject::new("alice")).await, Err(TokenError::AuditHook(_))));
    let tokens = shop.issue("bob").await;
    let revocations = shop.auth.revocations();
    let session = Revocation::Session { issuer: ISSUER.into(), session_id: tokens.session_id.clone() };
    let error = revocations.revoke(session).await.unwrap_err().to_string();
    assert_eq!(error, "the revocation was recorded, and the audit hook panicked: the hook is broken");
    assert!(shop.tokens.refresh(&tokens.refresh_token).await.is_err());
}

#[tokio::test]
async fn a_renewal_admits_nobody() {
    let events = Events::default();
    let noted = events.clone();
    let shop = Shop::with_hook(Delivery::Cookies, AuthBuilder::renew_transparently, events, move |event| {
        noted.note(event);
        assert!(event.action.as_str() != "refresh", "the hook is broken");
    });
    let tokens = shop.issue("alice").await;
    let sent = format!("__Host-refresh_token={}", tokens.refresh_token);
    let reply = shop.send("GET", "/who", &[("cookie", &sent)], &Value::Null).await;
    assert_eq!((reply.status.as_u16(), reply.headers.contains_key("set-cookie")), (500, false));
    let events = shop.events.take();
    let expected =
        "request - - 198.51.100.7: 500 tokens can't be renewed: the audit hook panicked: the hook is broken";
    assert_eq!(events, ["refresh alice sid 198.51.100.7: ok", expected]);
}
