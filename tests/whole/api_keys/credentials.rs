//! Keys in requests.

use auth_runtime::api_key::ApiKeyOptions;
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::TestUser;

use super::shop::{Shop, body, change, routes, with_checksum};
use crate::support::{request, send};

pub(super) async fn a_key_admits_its_owner_with_the_rights_of_the_key(shop: Shop) {
    let options =
        ApiKeyOptions::new().roles(["r1", "r2"]).scopes(["orders:read", "s2"]).permissions(["p1", "p2"]);
    let key = shop.service().create("alice", options).await.unwrap();
    let reply = shop.get("/who", &[("x-api-key", key.text())]).await;
    let expected = format!(
        "api_key urn:auth-runtime:scheme:api_key alice {} [r1,r2] [orders:read,s2] [p1,p2]",
        key.id()
    );
    assert_eq!((reply.status.as_u16(), reply.body), (200, expected));
    assert_eq!(shop.get("/orders", &[("x-api-key", key.text())]).await.status, 200);
    let plain = shop.key().await;
    assert_eq!(shop.get("/orders", &[("x-api-key", plain.text())]).await.status, 403);
    assert_eq!(shop.get("/optional", &[("x-api-key", plain.text())]).await.body, "alice");
    assert_eq!(shop.get("/optional", &[]).await.body, "nobody");
}

pub(super) async fn a_wrong_key_is_refused_and_a_typo_before_the_store_is_asked(shop: Shop) {
    let (key, other) = (shop.key().await, shop.key().await);
    let (text, start) = (key.text(), "acme_live_".len());
    let replaced = |at: usize, with: &str| format!("{}{with}{}", &text[..at], &text[at + with.len()..]);
    let another = |at: usize| if text.as_bytes()[at] == b'a' { "b" } else { "a" };
    // What a checksum finds.
    for at in 0..text.len() {
        let typo = replaced(at, another(at));
        assert_eq!(shop.status(&typo).await, 401, "{typo}");
    }
    let mixed = format!("{}{}", &body(&key)[..start + 23], &other.text()[start + 23..]);
    let [upper, short] = [text.to_uppercase(), text[1..].to_owned()];
    for wrong in
        ["x", key.id(), body(&key), &mixed, &upper, &short, &format!("{text}{text}"), &"a".repeat(9000)]
    {
        assert_eq!(shop.status(wrong).await, 401, "{wrong}");
    }
    assert_eq!(shop.keys.take_reads(), 0, "the store is not asked");
    // What it does not find: another secret, the secret of another key, an id that no key has.
    let secret = start + 23;
    let other_secret = replaced(secret, another(secret));
    let unknown = replaced(start, another(start));
    for wrong in [other_secret, mixed, unknown] {
        let wrong = with_checksum(&wrong[..body(&key).len()]);
        let reply = shop.get("/who", &[("x-api-key", &wrong)]).await;
        assert_eq!(reply.status, 401, "{wrong}");
        assert!(!reply.body.contains(key.id()) && !reply.body.contains("secret"), "{}", reply.body);
        let challenges: Vec<_> = reply.headers.get_all("www-authenticate").iter().collect();
        let has_own = |challenge: &&&axum::http::HeaderValue| {
            challenge.to_str().unwrap().starts_with("ApiKey realm=\"restricted\"")
        };
        assert_eq!(challenges.iter().filter(has_own).count(), 1, "{challenges:?}");
        assert_eq!(shop.get("/optional", &[("x-api-key", &wrong)]).await.status, 401);
    }
    assert!(shop.keys.take_reads() > 0);
    assert_eq!((shop.status(key.text()).await, shop.status(other.text()).await), (200, 200));
}

pub(super) async fn of_two_credentials_the_first_of_the_rule_decides(shop: Shop) {
    let key = shop.key().await;
    let token = format!("Bearer {}", shop.test.token(&TestUser::new("bob")));
    let (good_key, good_token) = (("x-api-key", key.text()), ("authorization", &*token));
    let (bad_key, bad_token) = (("x-api-key", "x"), ("authorization", "Bearer x"));
    for (path, headers, expected) in [
        ("/who", [good_token, good_key], "jwt"),
        ("/who", [good_key, good_token], "jwt"),
        ("/who", [good_token, bad_key], "jwt"),
        ("/who", [bad_token, good_key], "401"),
        ("/key-first", [good_token, good_key], "api_key"),
        ("/key-first", [bad_token, good_key], "api_key"),
        ("/key-first", [good_token, bad_key], "401"),
        ("/who", [good_key, good_key], "400"),
    ] {
        let reply = shop.get(path, &headers).await;
        let status = reply.status.as_u16();
        let found = if status == 200 { reply.body } else { status.to_string() };
        assert!(found.starts_with(expected), "{path} {headers:?}: {found}");
    }
}

pub(super) async fn a_store_that_cannot_be_reached_is_503(shop: Shop) {
    let key = shop.key().await;
    shop.keys.set_broken(true);
    let reply = shop.get("/who", &[("x-api-key", key.text())]).await;
    assert_eq!(reply.status, 503);
    assert!(!reply.body.contains("fire"), "{}", reply.body);
    assert_eq!(shop.get("/optional", &[("x-api-key", key.text())]).await.status, 503);
    assert_eq!(shop.status("x").await, 401, "the store is not asked");
    for error in [
        shop.service().create("alice", ApiKeyOptions::new()).await.map(drop),
        shop.service().list("alice").await.map(drop),
        shop.service().rotate(key.id(), std::time::Duration::ZERO).await.map(drop),
        shop.service().revoke(key.id()).await.map(drop),
        shop.service().revoke_all("alice").await.map(drop),
    ] {
        let error = error.unwrap_err();
        assert!(error.is_temporary() && error.to_string().contains("on fire"), "{error}");
    }
    shop.keys.set_broken(false);
    assert_eq!(shop.status(key.text()).await, 200, "an error is not remembered");
}

pub(super) async fn a_key_in_the_query_changes_nothing(shop: Shop) {
    let shop = shop.at(CredentialPlace::dangerously_in_query("key")).await;
    let key = shop.key().await;
    let path = format!("/who?key={}", key.text());
    let reply = shop.get(&path, &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("cache-control").contains("no-store"), "{:?}", reply.headers);
    assert_eq!(shop.status(key.text()).await, 401, "it is not in the header");
    assert_eq!(shop.get("/orders", &[]).await.header("www-authenticate"), "ApiKey realm=\"restricted\"");

    let error = routes().finish(shop.test.auth()).unwrap_err().to_string();
    assert!(error.contains("POST /change") && error.contains("changes state"), "{error}");
    // A router that `finish` does not look at.
    let app = axum::Router::new().route("/", axum::routing::any(change)).layer(shop.test.auth().layer());
    let path = format!("/?key={}", key.text());
    shop.keys.take_reads();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let reply = send(&app, request(method, &path, &[])).await;
        assert!(!reply.status.is_success(), "{method}: {}", reply.status);
    }
    assert_eq!(shop.keys.take_reads(), 0, "the store is not asked");
}

pub(super) async fn a_key_in_a_cookie_is_of_no_use_to_another_page(shop: Shop) {
    let shop = shop.at(CredentialPlace::cookie("key")).await;
    let app = routes().finish(shop.test.auth()).unwrap();
    let key = shop.key().await;
    let cookie = format!("key={}", key.text());
    let post = async |origin: &str| {
        let headers = [("host", "shop.example"), ("origin", origin), ("cookie", &*cookie)];
        send(&app, request("POST", "/change", &headers)).await.status.as_u16()
    };
    assert_eq!(shop.get("/who", &[("cookie", &cookie)]).await.status, 200);
    assert_eq!(post("https://shop.example").await, 200);
    shop.keys.take_reads();
    assert_eq!(post("https://evil.example").await, 403);
    assert_eq!(shop.keys.take_reads(), 0);
    assert_eq!(shop.get("/orders", &[]).await.header("www-authenticate"), "ApiKey realm=\"restricted\"");
    // With a scheme of the header `Authorization`, the challenge names that.
    let shop = shop.at(CredentialPlace::authorization("Key")).await;
    assert_eq!(shop.get("/orders", &[]).await.header("www-authenticate"), "Key realm=\"restricted\"");
    let header = format!("key {}", key.text());
    assert_eq!(shop.get("/orders", &[("authorization", &header)]).await.status, 403);
}

/// A challenge would have no end: no user logs in with a key.
pub(super) async fn a_rule_on_the_login_is_403_for_a_key(shop: Shop) {
    let key = shop.key().await;
    for path in ["/recent", "/strong"] {
        let reply = shop.get(path, &[("x-api-key", key.text())]).await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.body);
        assert!(!reply.header("www-authenticate").contains("insufficient_user_authentication"));
        assert_eq!(shop.get(path, &[]).await.status, 401, "{path}");
    }
}
