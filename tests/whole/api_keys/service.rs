//! Making, listing, rotating and revoking keys.

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::api_key::{ApiKeyError, ApiKeyOptions};
use auth_runtime::audit::AuditEvent;
use auth_runtime::testing::TestUser;
use futures_util::future::join_all;
use tracing::Level;

use super::shop::Shop;
use crate::captured_log::CapturedLog;

const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn a_list_has_the_keys_of_an_owner_in_pages(shop: Shop) {
    let service = shop.service();
    assert!(service.list("alice").await.unwrap().keys.is_empty());
    let mut made = Vec::new();
    for number in 0..100 {
        let options = ApiKeyOptions::new().label(format!(" key\n{number} ")).scopes(["s"]).expires_in(HOUR);
        made.push(service.create("alice", options).await.unwrap().id().to_owned());
    }
    let _ = service.create("bob", ApiKeyOptions::new()).await.unwrap();
    let list = service.list("alice").await.unwrap();
    assert_eq!((list.keys.len(), list.next), (100, None));
    made.push(service.create("alice", ApiKeyOptions::new()).await.unwrap().id().to_owned());
    let first = service.list("alice").await.unwrap();
    let next = first.next.unwrap();
    assert_eq!((first.keys.len(), &first.keys[99].id), (100, &next));
    let second = service.list_after("alice", &next).await.unwrap();
    assert_eq!((second.keys.len(), second.next), (1, None));
    let mut listed: Vec<_> = first.keys.iter().chain(&second.keys).map(|key| key.id.clone()).collect();
    listed.sort_unstable();
    made.sort_unstable();
    assert_eq!(listed, made);

    let now = shop.test.auth().now();
    let key = list.keys.iter().find(|key| key.label.as_deref() == Some("key 7")).unwrap();
    assert_eq!((&*key.owner, &*key.scopes, key.created_at), ("alice", &["s".to_owned()][..], now));
    assert_eq!((key.expires_at, key.revoked_at, key.last_used_at), (Some(now + HOUR), None, None));
    assert!(key.is_valid_at(now) && !key.is_valid_at(now + HOUR));
    service.revoke(&key.id).await.unwrap();
    let list = service.list("alice").await.unwrap();
    let revoked = list.keys.iter().find(|other| other.id == key.id).unwrap();
    assert!(revoked.revoked_at == Some(now) && !revoked.is_valid_at(UNIX_EPOCH));
}

pub(super) async fn all_keys_of_an_owner_are_revoked_and_no_others(shop: Shop) {
    let service = shop.service();
    let bob = service.create("bob", ApiKeyOptions::new()).await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..205 {
        keys.push(shop.key().await);
    }
    service.revoke(keys[7].id()).await.unwrap();
    assert_eq!(shop.status(keys[204].text()).await, 200);
    assert_eq!(service.revoke_all("alice").await.unwrap(), 204);
    for key in &keys {
        assert_eq!(shop.status(key.text()).await, 401);
    }
    assert_eq!(service.revoke_all("alice").await.unwrap(), 0);
    assert_eq!(service.revoke_all("nobody").await.unwrap(), 0);
    assert_eq!(shop.status(bob.text()).await, 200);
}

pub(super) async fn a_rotation_keeps_all_but_the_secret(shop: Shop) {
    let options = ApiKeyOptions::new().label("export").roles(["r"]).scopes(["s"]).permissions(["p"]);
    let key = shop.service().create("alice", options.expires_in(10 * HOUR)).await.unwrap();
    shop.pass(4 * HOUR).await;
    let next = shop.service().rotate(key.id(), HOUR).await.unwrap();
    assert!(next.id() != key.id() && next.text() != key.text());
    let now = shop.test.auth().now();
    let list = shop.service().list("alice").await.unwrap().keys;
    let [former, latter] = [&key, &next].map(|key| list.iter().find(|listed| listed.id == key.id()).unwrap());
    assert_eq!((former.created_at, former.expires_at), (now - 4 * HOUR, Some(now + HOUR)));
    assert_eq!((latter.created_at, latter.expires_at), (now, Some(now + 10 * HOUR)), "as long as before");
    for key in [former, latter] {
        assert_eq!((&*key.owner, key.label.as_deref()), ("alice", Some("export")));
        assert_eq!((&*key.roles[0], &*key.scopes[0], &*key.permissions[0]), ("r", "s", "p"));
    }
    let of = async |text: &str| {
        let body = shop.get("/who", &[("x-api-key", text)]).await.body;
        body.replace(key.id(), "ID").replace(next.id(), "ID")
    };
    assert_eq!(of(key.text()).await, of(next.text()).await);
    // Once more within the overlap, which does not get longer.
    let third = shop.service().rotate(key.id(), 10 * HOUR).await.unwrap();
    let end = shop.service().find(third.id()).await.unwrap().unwrap().expires_at;
    assert_eq!(end, Some(now + 10 * HOUR), "as long as the first was made for");
    shop.pass(HOUR).await;
    assert_eq!((shop.status(key.text()).await, shop.status(third.text()).await), (401, 200));
}

/// A program with the key would fail later, and no user would have asked for that.
pub(super) async fn a_key_without_an_end_is_replaced_by_such_however_often(shop: Shop) {
    let key = shop.key().await;
    for _ in 0..3 {
        let next = shop.service().rotate(key.id(), HOUR).await.unwrap();
        assert_eq!(shop.service().find(next.id()).await.unwrap().unwrap().expires_at, None);
    }
}

pub(super) async fn of_many_rotations_at_once_one_is_done(shop: Shop) {
    let key = shop.key().await;
    let rotations = (0..20).map(|_| async { shop.service().rotate(key.id(), HOUR).await });
    let mut done = 0;
    for rotated in join_all(rotations).await {
        match rotated {
            Ok(next) => {
                done += 1;
                assert_eq!(shop.status(next.text()).await, 200);
            }
            Err(ApiKeyError::Changed) => {}
            Err(error) => panic!("{error}"),
        }
    }
    // In a store whose answers are immediate each is done after the other.
    let listed = shop.service().list("alice").await.unwrap().keys.len();
    assert!(done >= 1 && listed == 1 + done, "{done} were done, and {listed} are listed");
}

pub(super) async fn what_cannot_be_a_key_is_not_made(shop: Shop) {
    let past = shop.test.auth().now();
    let century = Duration::from_secs(100 * 366 * 24 * 3600);
    let (long, many) = ("x".repeat(1025), vec!["x"; 101]);
    let options = ApiKeyOptions::new;
    for (owner, options, why) in [
        (&*long, options(), "the owner has 1025 bytes, and may have 1024"),
        ("al\nice", options(), "the owner contains a control character"),
        ("alice", options().roles(many.clone()), "the key has 101 roles, and may have 100"),
        ("alice", options().scopes(many.clone()), "the key has 101 scopes, and may have 100"),
        ("alice", options().permissions(many), "the key has 101 permissions, and may have 100"),
        (
            "alice",
            options().permissions([&long[..257]]),
            "a permission of the key has 257 bytes, and may have 256",
        ),
        ("alice", options().roles(["ad\u{7}min"]), "no visible character"),
        ("alice", options().permissions([""]), "it is empty"),
        ("alice", options().expires_in(Duration::MAX), "in more than 100 years"),
        ("alice", options().expires_in(century + Duration::from_secs(1)), "in more than 100 years"),
        ("alice", options().expires_at(past + century + Duration::from_secs(1)), "in more than 100 years"),
        ("", ApiKeyOptions::new(), "the owner is empty"),
        ("alice", ApiKeyOptions::new().scopes(["a b"]), "Pass each by itself to `ApiKeyOptions::scopes`"),
        ("alice", ApiKeyOptions::new().scopes([""]), "Pass each by itself to `ApiKeyOptions::scopes`"),
        ("alice", ApiKeyOptions::new().expires_at(past), "expired already"),
        ("alice", ApiKeyOptions::new().expires_at(UNIX_EPOCH - HOUR), "expired already"),
        ("alice", ApiKeyOptions::new().expires_in(Duration::ZERO), "expired already"),
    ] {
        let error = shop.service().create(owner, options).await.unwrap_err();
        assert!(matches!(&error, ApiKeyError::Invalid(text) if text.contains(why)), "{error}");
    }
    assert!(shop.service().list("alice").await.unwrap().keys.is_empty());
    let names = vec!["x".repeat(256); 100];
    let most = options().roles(names.clone()).scopes(names.clone()).permissions(names).expires_in(century);
    let key = shop.service().create(&long[1..], most).await.unwrap();
    assert_eq!(shop.status(key.text()).await, 200);
    let error = shop.service().rotate(key.id(), Duration::MAX).await.unwrap_err();
    assert!(matches!(&error, ApiKeyError::Invalid(why) if why.contains("longer than 100 years")), "{error}");
}

/// `action subject key actor: outcome`.
fn note(event: &AuditEvent<'_>) -> String {
    let outcome = event.rejection.map_or("ok".into(), |kind| kind.status().as_u16().to_string());
    assert_eq!(event.issuer, Some("urn:auth-runtime:scheme:api_key"));
    assert!(!event.reason.is_empty() && event.session_id.is_none());
    let [subject, key, actor] =
        [event.subject, event.api_key_id, event.actor].map(|text| text.unwrap_or("-").to_owned());
    format!("{} {subject} {key} {actor}: {outcome}", event.action.as_str())
}

pub(super) async fn each_thing_is_reported_once_with_its_actor(shop: Shop) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&events);
    let hook = move |event: &AuditEvent<'_>| noted.lock().unwrap().push(note(event));
    let shop = shop.another(|keys| keys, |builder| builder.audit(hook)).await;
    let take = || std::mem::take(&mut *events.lock().unwrap());
    let admin = TestUser::new("root").principal();
    let service = shop.service().for_caller(&admin);

    let key = service.create("alice", ApiKeyOptions::new()).await.unwrap();
    assert_eq!(take(), [format!("api_key_creation alice {} root: ok", key.id())]);
    assert_eq!(shop.status(key.text()).await, 200);
    assert_eq!(take(), ["request alice - -: ok"]);
    let next = service.rotate(key.id(), HOUR).await.unwrap();
    assert_eq!(take(), [format!("api_key_rotation alice {} root: ok", key.id())]);
    assert!(service.revoke(key.id()).await.unwrap());
    assert_eq!(take(), [format!("api_key_revocation alice {} root: ok", key.id())]);
    assert!(!service.revoke(key.id()).await.unwrap());
    assert_eq!(service.list("alice").await.unwrap().keys.len(), 2);
    assert_eq!(take(), [""; 0], "nothing has changed");
    assert_eq!(service.revoke_all("alice").await.unwrap(), 1);
    assert_eq!(take(), [format!("api_key_revocation alice {} root: ok", next.id())]);

    service.create("", ApiKeyOptions::new()).await.unwrap_err();
    service.rotate("x", HOUR).await.unwrap_err();
    let failed = ["api_key_creation  - root: 400", "api_key_rotation - x root: 404"];
    assert_eq!(take(), failed);
    shop.keys.set_broken(true);
    service.create("bob", ApiKeyOptions::new()).await.unwrap_err();
    service.revoke("x").await.unwrap_err();
    service.revoke_all("bob").await.unwrap_err();
    let failed = [
        "api_key_creation bob - root: 503",
        "api_key_revocation - x root: 503",
        "api_key_revocation bob - root: 503",
    ];
    assert_eq!(take(), failed);
}

pub(super) async fn no_secret_is_printed_or_logged(shop: Shop) {
    let log = CapturedLog::start(Level::TRACE);
    let key = shop.key().await;
    let next = shop.service().rotate(key.id(), HOUR).await.unwrap();
    for text in [key.text(), next.text(), &format!("{}x", key.text())] {
        shop.status(text).await;
    }
    shop.service().revoke(key.id()).await.unwrap();
    shop.status(key.text()).await;
    let debug = format!("{key:?} {next:?} {:?} {:?} {:?}", shop.service(), shop.test.auth(), shop.keys);
    let logged = log.take();
    assert!(logged.contains(key.id()) && logged.contains("api_key_creation"), "{logged}");
    for key in [&key, &next] {
        let secret = key.text().rsplit('_').next().unwrap();
        assert!(!logged.contains(&secret[..27]) && !debug.contains(&secret[..27]), "{logged}\n{debug}");
    }
}
