//! Access cookies that have expired are renewed on the way.

use super::*;

fn shop() -> Shop {
    Shop::new(Delivery::Cookies, AuthBuilder::renew_transparently, |routes| routes)
}

async fn get(shop: &Shop, path: &str, cookies: &str) -> Reply {
    send(&shop.app, request("GET", path, &[("cookie", cookies)])).await
}

#[tokio::test]
async fn an_expired_access_cookie_is_renewed_on_the_way() {
    let shop = shop();
    let reply = shop.log_in("alice").await;
    let refresh = set_cookies(&reply).pop().unwrap();
    assert_eq!(refresh.0, "__Host-refresh_token");
    assert!(refresh.2.contains("Path=/;"));
    let cookies = cookie_header(&reply);
    assert!(set_cookies(&get(&shop, "/who", &cookies).await).is_empty(), "nothing to renew yet");

    shop.clock.advance(Duration::from_secs(900 + 60));
    let reply = get(&shop, "/who", &cookies).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "alice"));
    assert_eq!(reply.header("cache-control"), "no-store");
    let renewed = cookie_header(&reply);
    assert!(renewed.contains("__Host-access_token=") && renewed.contains("__Host-refresh_token="));
    // Other requests of the same page, sent before this answer came.
    let again = get(&shop, "/", &cookies).await;
    assert_eq!(again.body, "alice");
    assert_eq!(set_cookies(&again)[1], set_cookies(&reply)[1], "the same successor");
    assert_eq!(get(&shop, "/who", &renewed).await.status, 200);

    // A browser drops the access cookie by itself when its time is over.
    shop.clock.advance(Duration::from_secs(900 + 60));
    let refresh_alone = renewed.split("; ").nth(1).unwrap();
    assert_eq!(get(&shop, "/who", refresh_alone).await.status, 200);
    // A public page renews nothing.
    assert!(set_cookies(&get(&shop, "/page", refresh_alone).await).is_empty());
}

#[tokio::test]
async fn a_refresh_cookie_that_is_no_good_is_cleared_and_counts_for_nothing() {
    let shop = shop();
    let cookies = cookie_header(&shop.log_in("alice").await);
    shop.clock.advance(Duration::from_secs(15 * 86_400));
    for (path, status) in [("/who", 401), ("/", 200)] {
        let reply = get(&shop, path, &cookies).await;
        assert_eq!(reply.status.as_u16(), status);
        let cleared = set_cookies(&reply);
        assert_eq!(cleared.len(), 2, "{cleared:?}");
        assert!(cleared.iter().all(|(_, value, _)| value.is_empty()));
    }
    assert_eq!(get(&shop, "/", &cookies).await.body, "stranger");
}

#[tokio::test]
async fn only_what_expired_is_renewed() {
    let shop = shop();
    let cookies = cookie_header(&shop.log_in("alice").await);
    let refresh = cookies.split("; ").nth(1).unwrap().to_owned();
    // A forged access cookie is refused, whatever is next to it. It may be another instance's, so it stays.
    let forged = format!("__Host-access_token=forged; {refresh}");
    let reply = get(&shop, "/who", &forged).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (401, 0));
    // One that belongs to no caller counts as missing.
    for unusable in ["", "a b"] {
        let refresh = cookie_header(&shop.log_in("alice").await).split("; ").nth(1).unwrap().to_owned();
        let reply = get(&shop, "/who", &format!("__Host-access_token={unusable}; {refresh}")).await;
        assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (200, 2), "{unusable:?}");
    }
    // So does a refresh cookie whose key this instance does not know.
    let unknown = "__Host-refresh_token=k9.AAAA";
    let reply = get(&shop, "/who", unknown).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (401, 0));
    // So is one of another login: no caller becomes another one on the way.
    let bob = cookie_header(&shop.log_in("bob").await);
    shop.clock.advance(Duration::from_secs(7200));
    let mixed = format!("{}; {refresh}", bob.split("; ").next().unwrap());
    let reply = get(&shop, "/who", &mixed).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (401, 0));
    // So is an explicit credential.
    let both = [("cookie", refresh.as_str()), ("authorization", "Bearer forged")];
    assert_eq!(shop.who(&both).await, 401);
    // Another site's page changes nothing.
    let foreign = [("cookie", refresh.as_str()), ("origin", "https://evil.example"), ("host", "shop.test")];
    let reply = send(&shop.app, request("POST", "/change", &foreign)).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (403, 0));
    let own = [("cookie", refresh.as_str()), ("origin", "https://shop.test"), ("host", "shop.test")];
    let reply = send(&shop.app, request("POST", "/change", &own)).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (200, 2));
}

#[tokio::test]
async fn a_log_out_is_not_undone_by_a_renewal() {
    let shop = shop();
    let cookies = cookie_header(&shop.log_in("alice").await);
    shop.clock.advance(Duration::from_secs(7200));
    let mut sent = request("POST", "/auth/logout", &[("cookie", &cookies)]);
    *sent.method_mut() = Method::POST;
    let reply = send(&shop.app, sent).await;
    assert_eq!(reply.status, 204);
    assert!(set_cookies(&reply).iter().all(|(_, value, _)| value.is_empty()));
    assert_eq!(get(&shop, "/who", &cookies).await.status, 401);
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_the_cookies_stay() {
    let store = FlakyStore::default();
    let with_store = store.clone();
    let build = move |builder: AuthBuilder| {
        builder.renew_transparently().store(with_store).max_staleness(Duration::MAX)
    };
    let shop = Shop::new(Delivery::Cookies, build, |routes| routes);
    shop.auth.start().await.unwrap();
    let cookies = cookie_header(&shop.log_in("alice").await);
    shop.clock.advance(Duration::from_secs(7200));
    store.set_broken(true);
    let reply = get(&shop, "/who", &cookies).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (503, 0));
    store.set_broken(false);
    assert_eq!(get(&shop, "/who", &cookies).await.status, 200);
}
