//! Revoking again: nothing is written, unless the log may not have it.

use auth_runtime::api_key::{ApiKeyError, ApiKeyOptions, ApiKeys};
use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::store::{LogCursor, MemoryStore, RevocationLog};
use auth_runtime::testing::TestAuth;

use super::shop::{Kept, Shop};
use crate::support::flaky::FlakyStore;

async fn entries(log: &impl RevocationLog) -> usize {
    log.read(LogCursor::START, 1000).await.unwrap().page().unwrap().entries.len()
}

async fn logged(shop: &Shop) -> usize {
    match &shop.kept {
        Kept::Memory(store) => entries(store).await,
        Kept::Redb(store) => entries(store).await,
    }
}

/// The owner of a key can ask as often as it likes, also for keys that are not there.
pub(super) async fn a_revoked_key_does_not_end_again(shop: Shop) {
    let (key, other) = (shop.key().await, shop.key().await);
    let service = shop.service();
    let again = async |shop: &Shop| {
        for _ in 0..5 {
            assert!(!shop.service().revoke(key.id()).await.unwrap());
            assert_eq!(shop.service().revoke_all("alice").await.unwrap(), 0);
        }
    };
    assert!(!service.revoke("0123456789012345678901").await.unwrap());
    assert_eq!(service.revoke_all("nobody").await.unwrap(), 0);
    assert_eq!(logged(&shop).await, 0);
    assert!(service.revoke(key.id()).await.unwrap());
    assert_eq!(logged(&shop).await, 1);
    assert_eq!(service.revoke_all("alice").await.unwrap(), 1);
    assert_eq!(logged(&shop).await, 2);
    again(&shop).await;
    assert_eq!(logged(&shop).await, 2);

    // Another process does not know that the log has it: it could be the one that is asked again after a failure.
    let next = shop.another(|keys| keys, |builder| builder).await;
    again(&next).await;
    let (of_one, of_all) = (1, 1);
    assert_eq!(logged(&shop).await, 2 + of_one + of_all);
    assert_eq!(shop.status(other.text()).await, 401);
}

/// The row says that the key is revoked, and another process remembers that it is valid.
#[tokio::test]
async fn a_revocation_that_the_log_did_not_take_is_made_again() {
    let (store, keys) = (FlakyStore::default(), MemoryStore::new());
    let engine = || {
        let api_keys = ApiKeys::default().store(keys.clone());
        TestAuth::with(|builder| builder.store(store.clone()).api_keys(api_keys))
    };
    for all in [false, true] {
        let [one, other] = [engine(), engine()];
        let catch_up = async || {
            for test in [&one, &other] {
                test.auth().start().await.unwrap();
            }
        };
        catch_up().await;
        let service = one.auth().api_keys().unwrap();
        let key = service.create("alice", ApiKeyOptions::new()).await.unwrap();
        let revoke = async || match all {
            false => service.revoke(key.id()).await.map(usize::from),
            true => service.revoke_all("alice").await,
        };
        let verify = async || {
            let caller = other.auth().verify_with("api_key", key.text()).await;
            caller.map(drop).map_err(|error| error.kind())
        };
        verify().await.unwrap();
        store.set_takes_no_revocation(true);
        assert!(matches!(revoke().await, Err(ApiKeyError::Store(_))));
        store.set_takes_no_revocation(false);
        catch_up().await;
        verify().await.unwrap();

        assert_eq!(revoke().await.unwrap(), 0, "its row is revoked");
        catch_up().await;
        assert_eq!(verify().await, Err(CallerErrorKind::Invalid));
        let logged = entries(&store).await;
        assert_eq!(revoke().await.unwrap(), 0);
        assert_eq!(entries(&store).await, logged);
    }
}
