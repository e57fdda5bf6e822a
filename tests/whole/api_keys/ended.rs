//! Keys that have ended, and stay so.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::api_key::{ApiKeyError, ApiKeyOptions};
use auth_runtime::revocation::Revocation;
use auth_runtime::store::ApiKeyStore as _;
use auth_runtime::streams::{EndReason, Ended};

use super::shop::Shop;
use crate::support::until;

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

pub(super) async fn a_revoked_key_is_refused_at_once(shop: Shop) {
    let (key, other) = (shop.key().await, shop.key().await);
    assert_eq!((shop.status(key.text()).await, shop.status(other.text()).await), (200, 200));
    assert!(shop.service().revoke(key.id()).await.unwrap());
    assert_eq!((shop.status(key.text()).await, shop.status(other.text()).await), (401, 200));
    assert_eq!(shop.get("/optional", &[("x-api-key", key.text())]).await.status, 401);
    assert!(!shop.service().revoke(key.id()).await.unwrap(), "it was before");
    assert!(!shop.service().revoke("0123456789012345678901").await.unwrap(), "there is none");
    let error = shop.service().rotate(key.id(), days(1)).await.unwrap_err();
    assert!(matches!(error, ApiKeyError::NotFound), "{error}");
}

pub(super) async fn a_key_expires_at_its_second(shop: Shop) {
    let options = ApiKeyOptions::new().expires_in(Duration::from_secs(100));
    let short = shop.service().create("alice", options).await.unwrap();
    let at = shop.test.auth().now() + Duration::from_secs(200);
    let long = shop.service().create("alice", ApiKeyOptions::new().expires_at(at)).await.unwrap();
    let answers = async || (shop.status(short.text()).await, shop.status(long.text()).await);
    // It is remembered, and its end is looked at all the same.
    for (advance, expected) in
        [(0, (200, 200)), (99, (200, 200)), (1, (401, 200)), (99, (401, 200)), (1, (401, 401))]
    {
        shop.pass(Duration::from_secs(advance)).await;
        assert_eq!(answers().await, expected);
    }
    let error = shop.service().rotate(short.id(), days(1)).await.unwrap_err();
    assert!(matches!(error, ApiKeyError::NotFound), "{error}");
}

pub(super) async fn a_rotated_key_is_valid_within_the_overlap_and_not_after(shop: Shop) {
    let key = shop.key().await;
    assert_eq!(shop.status(key.text()).await, 200);
    let next = shop.service().rotate(key.id(), Duration::from_secs(30)).await.unwrap();
    let answers = async || (shop.status(key.text()).await, shop.status(next.text()).await);
    assert_eq!(answers().await, (200, 200));
    shop.pass(Duration::from_secs(29)).await;
    assert_eq!(answers().await, (200, 200));
    shop.pass(Duration::from_secs(1)).await;
    assert_eq!(answers().await, (401, 200), "what was remembered knew of no end");

    let last = shop.service().rotate(next.id(), Duration::ZERO).await.unwrap();
    assert_eq!((shop.status(next.text()).await, shop.status(last.text()).await), (401, 200));
    // A rotation never makes a key live longer.
    let options = ApiKeyOptions::new().expires_in(Duration::from_secs(50));
    let short = shop.service().create("alice", options).await.unwrap();
    let _ = shop.service().rotate(short.id(), days(1)).await.unwrap();
    shop.pass(Duration::from_secs(50)).await;
    assert_eq!(shop.status(short.text()).await, 401);
}

/// Neither when the log's entry has expired, nor when the clock goes back, nor when the row is dropped.
pub(super) async fn a_key_never_becomes_good_again(shop: Shop) {
    let (key, other) = (shop.key().await, shop.key().await);
    for key in [&key, &other] {
        assert_eq!(shop.status(key.text()).await, 200);
    }
    shop.service().revoke(key.id()).await.unwrap();
    shop.service().revoke_all("alice").await.unwrap();
    let revocations = shop.test.auth().revocations();
    for advance in [0, 1, 60, 61, 3600, 86_400, 2 * 86_400, 40 * 86_400, 400 * 86_400] {
        shop.pass(Duration::from_secs(advance)).await;
        revocations.drop_expired().await.unwrap();
        for key in [&key, &other] {
            assert_eq!(shop.status(key.text()).await, 401, "after {advance} s more");
        }
    }
    assert_eq!(revocations.status().entries, 0, "nothing in the log concerns it any more");
    shop.test.clock().set(UNIX_EPOCH + days(365));
    shop.test.auth().start().await.unwrap();
    assert_eq!(shop.status(key.text()).await, 401, "before it was revoked");
    let next = shop.another(|keys| keys, |builder| builder).await;
    assert_eq!(next.status(key.text()).await, 401, "after a restart");
}

pub(super) async fn to_log_out_everywhere_does_not_concern_keys(shop: Shop) {
    let key = shop.key().await;
    for issuer in ["urn:auth-runtime:scheme:api_key", "https://issuer.test"] {
        let user = Revocation::User {
            issuer: issuer.into(),
            subject: "alice".into(),
            issued_at_or_before: shop.test.auth().now(),
        };
        let _ = shop.test.auth().revocations().revoke(user).await;
        assert_eq!(shop.status(key.text()).await, 200, "{issuer}");
    }
    shop.pass(days(40)).await;
    assert_eq!(shop.status(key.text()).await, 200);
}

pub(super) async fn rows_of_keys_that_ended_are_dropped_after_a_month(shop: Shop) {
    let (revoked, stays) = (shop.key().await, shop.key().await);
    shop.service().revoke(revoked.id()).await.unwrap();
    let is_there = async |id: &str| shop.keys.find(id).await.unwrap().is_some();
    let pass = async |time: Duration| {
        shop.pass(time).await;
        assert_eq!(shop.status(stays.text()).await, 200);
    };
    pass(days(29)).await;
    // What the engine does each second has been done when it has written the next last use but one.
    for _ in 0..2 {
        pass(Duration::from_secs(3601)).await;
        until("a second has passed", async || !shop.keys.take_uses().is_empty()).await;
    }
    assert!(is_there(revoked.id()).await, "within a month it is in lists");
    pass(days(2)).await;
    until("it is dropped", async || !is_there(revoked.id()).await).await;
    assert!(is_there(stays.id()).await);
    assert_eq!((shop.status(revoked.text()).await, shop.status(stays.text()).await), (401, 200));
}

/// A socket of a key ends when the key does, and those of other keys of the same owner go on.
pub(super) async fn a_socket_ends_with_its_key(shop: Shop) {
    let auth = shop.test.auth();
    let (revoked, rotated, stays) = (shop.key().await, shop.key().await, shop.key().await);
    let mut sockets = Vec::new();
    for key in [&revoked, &rotated, &stays] {
        sockets.push(auth.verify_with("api_key", key.text()).await.unwrap().ended());
    }
    for socket in &mut sockets {
        assert!(is_waiting(socket).await);
    }
    shop.service().revoke(revoked.id()).await.unwrap();
    assert_eq!((&mut sockets[0]).await, EndReason::Revoked);
    let next = shop.service().rotate(rotated.id(), Duration::from_secs(30)).await.unwrap();
    assert!(is_waiting(&mut sockets[1]).await && is_waiting(&mut sockets[2]).await);
    shop.pass(Duration::from_secs(30)).await;
    // The caller knew of no end. A look at the row that began before may find that it has ended.
    assert!(matches!((&mut sockets[1]).await, EndReason::Expired | EndReason::Revoked));
    assert!(is_waiting(&mut sockets[2]).await);
    assert_eq!(shop.status(next.text()).await, 200);
}

async fn is_waiting(socket: &mut Ended) -> bool {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *socket).poll(context).is_pending())).await
}
