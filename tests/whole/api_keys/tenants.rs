//! Several engines on one store.

use std::time::Duration;

use auth_runtime::api_key::{ApiKeyError, ApiKeyOptions};

use super::shop::{Shop, body, with_checksum};

pub(super) async fn engines_with_another_prefix_see_nothing_of_each_other(live: Shop) {
    let test = live.another(|keys| keys.prefix("acme_test"), |builder| builder).await;
    let key = live.key().await;
    assert_eq!((live.status(key.text()).await, test.status(key.text()).await), (200, 401));
    // Somebody who knows the form writes the other prefix.
    let moved = with_checksum(&body(&key).replacen("acme_live", "acme_test", 1));
    assert!(moved.starts_with("acme_test_"));
    assert_eq!((live.status(&moved).await, test.status(&moved).await), (401, 401));

    assert!(test.service().list("alice").await.unwrap().keys.is_empty());
    assert!(!test.service().revoke(key.id()).await.unwrap());
    assert_eq!(test.service().revoke_all("alice").await.unwrap(), 0);
    let error = test.service().rotate(key.id(), Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, ApiKeyError::NotFound), "{error}");
    assert_eq!(live.status(key.text()).await, 200);
    assert_eq!(live.service().list("alice").await.unwrap().keys.len(), 1);
}

/// Another instance of the same service: what one makes and ends, the other sees when it has read the log, however long it remembers.
pub(super) async fn instances_with_one_prefix_share_keys(shop: Shop) {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let one = shop.another(|keys| keys.cache_for(HOUR), |builder| builder).await;
    let other = shop.another(|keys| keys.cache_for(HOUR), |builder| builder).await;
    let (ends, stays) = (one.key().await, one.key().await);
    let bob = one.service().create("bob", ApiKeyOptions::new()).await.unwrap();
    for key in [&ends, &stays, &bob] {
        assert_eq!((one.status(key.text()).await, other.status(key.text()).await), (200, 200));
    }
    one.service().revoke(ends.id()).await.unwrap();
    assert_eq!(one.status(ends.text()).await, 401);
    other.test.auth().start().await.unwrap();
    assert_eq!(other.status(ends.text()).await, 401);
    for key in [&stays, &bob] {
        assert_eq!((one.status(key.text()).await, other.status(key.text()).await), (200, 200));
    }
    other.service().revoke_all("alice").await.unwrap();
    assert_eq!(other.status(stays.text()).await, 401);
    one.test.auth().start().await.unwrap();
    assert_eq!(one.status(stays.text()).await, 401);
    assert_eq!((one.status(bob.text()).await, other.status(bob.text()).await), (200, 200));
}
