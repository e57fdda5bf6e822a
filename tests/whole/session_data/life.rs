//! What a session has is there in its requests, and in those of no other session.

use super::*;

#[tokio::test]
async fn a_session_has_its_own_values_and_no_other_session_sees_them() {
    let shop = Shop::new().await;
    let (laptop, phone) = (shop.log_in().await, shop.log_in().await);
    assert_eq!(shop.cart(&laptop).await, "none");
    assert_eq!(shop.add(&laptop, "tea").await, "tea");
    assert_eq!(shop.add(&laptop, "milk").await, "tea+milk");
    assert_eq!(shop.cart(&laptop).await, "tea+milk");
    assert_eq!(shop.cart(&phone).await, "none", "of the same user");

    assert_eq!(shop.ask("DELETE", "/cart", &laptop).await.status, 200);
    assert_eq!(shop.cart(&laptop).await, "none");
}

#[tokio::test]
async fn values_of_two_types_do_not_touch_each_other() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    let data = shop.data(&session);
    shop.add(&session, "tea").await;
    assert_eq!(shop.ask("POST", "/theme/dark", &session).await.status, 200);
    assert_eq!(data.get::<Theme>().await.unwrap(), Some(Theme("dark".into())));
    assert_eq!(shop.add(&session, "milk").await, "tea+milk");
    data.remove::<Cart>().await.unwrap();
    assert_eq!(data.get::<Theme>().await.unwrap(), Some(Theme("dark".into())));
    assert_eq!(data.get::<Cart>().await.unwrap(), None);
}

/// No token and no cookie has any of it: what the browser sends after a change is what it sent before.
#[tokio::test]
async fn it_is_in_the_store_alone() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    let reply = shop.ask("POST", "/cart/hunter2", &session).await;
    assert!(reply.headers.get("set-cookie").is_none());
    let next = shop.tokens.refresh(&session.refresh_token).await.unwrap();
    let answer = shop.tokens.introspect(&next.access_token).await.unwrap();
    assert_eq!(answer["active"], true);
    assert!(!answer.to_string().contains("hunter2") && !answer.to_string().contains("cart"), "{answer}");
    let of_refresh = shop.tokens.introspect(&next.refresh_token).await.unwrap().to_string();
    assert!(!of_refresh.contains("hunter2"), "{of_refresh}");
    let list = format!("{:?}", shop.tokens.sessions("alice").await.unwrap());
    assert!(list.contains(&next.session_id) && !list.contains("hunter2"), "{list}");
}

#[tokio::test]
async fn it_goes_on_through_refreshes_and_renewals() {
    let shop = Shop::new().await;
    let mut session = shop.log_in().await;
    shop.add(&session, "tea").await;
    for _ in 0..3 {
        shop.clock.advance(Duration::from_secs(800));
        session = shop.tokens.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(shop.cart(&session).await, "tea");
    }
    // A repeated use, which gets the same tokens again, and one that is issued a second time.
    let next = shop.tokens.refresh(&session.refresh_token).await.unwrap();
    let again = shop.tokens.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token, next.refresh_token);
    assert_eq!(shop.cart(&again).await, "tea");

    // The access cookie has expired: the request that changes the cart renews the session.
    shop.clock.advance(Duration::from_secs(1000));
    let cookies =
        format!("__Host-access_token={}; __Host-refresh_token={}", again.access_token, again.refresh_token);
    let own = [("cookie", &*cookies), ("origin", "https://shop.test"), ("host", "shop.test")];
    let renewed = send(&shop.app, request("POST", "/cart/milk", &own)).await;
    assert_eq!((renewed.status.as_u16(), &*renewed.body), (200, "tea+milk"));
    assert_eq!(renewed.headers.get_all("set-cookie").iter().count(), 2);
}

#[tokio::test]
async fn a_login_begins_with_values_and_a_refresh_keeps_what_is_there_by_then() {
    struct Known;

    impl auth_runtime::session::SubjectStore for Known {
        async fn subject(&self, id: &str) -> Result<Option<Subject>, auth_runtime::session::BoxError> {
            Ok(Some(Subject::new(id).session_value(&Theme("of the refresh".into()))))
        }
    }

    let configured = |_| {
        TokenIssuer::new(ISSUER, AUDIENCE, signing_key(1), Known)
            .refresh_key(auth_runtime::session::RefreshKey::new("k1", [1; 32]))
    };
    let shop = Shop::of(FlakyStore::default(), configured, |builder| builder).await;
    let guest = Cart { items: vec!["of a guest".into()] };
    let subject = Subject::new("alice").session_value(&guest).session_value(&Theme("dark".into()));
    let first = shop.tokens.issue(&subject).await.unwrap();
    assert_eq!(shop.cart(&first).await, "of a guest");
    shop.data(&first).remove::<Theme>().await.unwrap();
    let next = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(shop.cart(&next).await, "of a guest");
    assert_eq!(shop.data(&next).get::<Theme>().await.unwrap(), None);
}

/// A login of the same browser ends the former session, and a user that logs in then does not get what it had.
#[tokio::test]
async fn a_login_in_place_of_a_session_begins_without_its_values() {
    let shop = Shop::new().await;
    let own = [("origin", "https://shop.test"), ("host", "shop.test"), ("content-type", "application/json")];
    let log_in = async |user: &str, cookies: &str| {
        let mut sent = request("POST", "/auth/login", &own);
        sent.headers_mut().insert("cookie", cookies.parse().unwrap());
        let password = format!("password of {user}");
        *sent.body_mut() = Body::from(json!({ "username": user, "password": password }).to_string());
        let reply = send(&shop.app, sent).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let set = reply.headers.get_all("set-cookie").iter();
        let pairs = set.map(|value| value.to_str().unwrap().split("; ").next().unwrap().to_owned());
        pairs.collect::<Vec<_>>().join("; ")
    };
    let ask = async |method: &str, path: &str, cookies: &str| {
        let mut sent = request(method, path, &own);
        sent.headers_mut().insert("cookie", cookies.parse().unwrap());
        send(&shop.app, sent).await
    };
    let alice = log_in("alice", "none=").await;
    assert_eq!(ask("POST", "/cart/tea", &alice).await.body, "tea");
    let former = shop.tokens.sessions("alice").await.unwrap().sessions.remove(0).id;
    let bob = log_in("bob", &alice).await;
    assert_eq!(ask("GET", "/cart", &bob).await.body, "none");
    let data = shop.tokens.session_data_of(&former).unwrap();
    assert!(matches!(data.get::<Cart>().await, Err(SessionDataError::Ended)));
}

#[tokio::test]
async fn what_is_set_anew_to_the_same_writes_nothing() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    let data = shop.data(&session);
    data.set(&Theme("dark".into())).await.unwrap();
    let writes = shop.store.replaced();
    data.set(&Theme("dark".into())).await.unwrap();
    data.remove::<Cart>().await.unwrap();
    let seen = data.update(|theme: &mut Option<Theme>| theme.clone()).await.unwrap();
    assert_eq!((seen, shop.store.replaced()), (Some(Theme("dark".into())), writes));
    data.set(&Theme("light".into())).await.unwrap();
    assert_eq!(shop.store.replaced(), writes + 1);
}

#[tokio::test]
async fn a_check_reads_it() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    assert_eq!(shop.ask("POST", "/pay", &session).await.status, 403);
    shop.add(&session, "tea").await;
    assert_eq!(shop.ask("POST", "/pay", &session).await.status, 200);
    shop.store.set_broken(true);
    let reply = shop.ask("POST", "/pay", &session).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"));
}

#[tokio::test]
async fn instances_that_share_a_store_share_it() {
    let store = FlakyStore::slow();
    let one = Shop::of(store.clone(), |issuer| issuer, |builder| builder).await;
    let other = Shop::of(store, |issuer| issuer, |builder| builder).await;
    let session = one.log_in().await;
    let add = async |shop: &Shop| {
        for _ in 0..20 {
            shop.add(&session, "x").await;
        }
    };
    tokio::join!(add(&one), add(&other), add(&one), add(&other));
    for shop in [&one, &other] {
        assert_eq!(shop.data(&session).get::<Cart>().await.unwrap().unwrap().items.len(), 80);
    }
}
