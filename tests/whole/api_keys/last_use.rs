//! When keys were last used.

use std::time::Duration;

use tracing::Level;

use super::shop::Shop;
use crate::captured_log::CapturedLog;
use crate::support::until;

const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn last_uses_are_written_once_a_minute(shop: Shop) {
    let (one, other) = (shop.key().await, shop.key().await);
    let now = shop.test.auth().now();
    for _ in 0..10 {
        assert_eq!((shop.status(one.text()).await, shop.status(other.text()).await), (200, 200));
    }
    shop.status("x").await;
    assert!(shop.keys.take_uses().is_empty(), "not yet");
    shop.pass(MINUTE).await;
    until("they are written", async || {
        shop.service().list("alice").await.unwrap().keys[0].last_used_at == Some(now)
    })
    .await;
    let written = shop.keys.take_uses();
    assert_eq!((written.len(), written[0].len()), (1, 2), "one write for both: {written:?}");
    // At the end of a process, and not again.
    assert_eq!(shop.status(one.text()).await, 200);
    shop.service().record_last_uses().await;
    shop.service().record_last_uses().await;
    let written = shop.keys.take_uses();
    assert_eq!((written.len(), &*written[0][0].id), (1, one.id()), "{written:?}");
    let keys = shop.service().list("alice").await.unwrap().keys;
    let last = |id: &str| keys.iter().find(|key| key.id == id).unwrap().last_used_at;
    assert_eq!((last(one.id()), last(other.id())), (Some(now + MINUTE), Some(now)));
}

pub(super) async fn a_store_that_fails_loses_last_uses_alone(shop: Shop) {
    let log = CapturedLog::start(Level::WARN);
    let key = shop.key().await;
    let used_and_written = async |is_broken: bool| {
        assert_eq!(shop.status(key.text()).await, 200);
        shop.keys.set_broken(is_broken);
        shop.service().record_last_uses().await;
        shop.keys.set_broken(false);
        shop.pass(MINUTE).await;
    };
    let said = |log: &CapturedLog| log.take().matches("last used can't be recorded").count();
    for _ in 0..3 {
        used_and_written(true).await;
    }
    assert_eq!(said(&log), 1, "it is said once");
    assert_eq!(shop.service().list("alice").await.unwrap().keys[0].last_used_at, None);
    used_and_written(false).await;
    assert!(shop.service().list("alice").await.unwrap().keys[0].last_used_at.is_some());
    used_and_written(true).await;
    assert_eq!(said(&log), 1, "and again when it begins anew");
}
