//! What a key costs: the same, however many there are.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use auth_runtime::api_key::NewApiKey;
use tower::Service as _;

use super::shop::{Shop, body, with_checksum};
use crate::support::request;

/// The allocations of a request with a key that is remembered. Nothing in it waits.
fn allocations(shop: &Shop, key: &NewApiKey) -> u64 {
    let (mut app, request) = (shop.app.clone(), request("GET", "/key-first", &[("x-api-key", key.text())]));
    let counted = measure(|| {
        let answer = pin!(app.call(request)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(answer)) = answer else { panic!("it waits") };
        assert_eq!(answer.status(), 200);
    });
    counted.count_total
}

#[tokio::test]
async fn ten_thousand_keys_cost_as_much_as_one() {
    let shop = Shop::in_memory().await;
    let first = shop.key().await;
    assert_eq!(shop.status(first.text()).await, 200);
    let _ = allocations(&shop, &first);
    let alone = [0; 3].map(|_| allocations(&shop, &first));
    let mut keys = Vec::new();
    for _ in 0..9_999 {
        keys.push(shop.key().await);
    }
    shop.keys.take_reads();
    for key in &keys {
        assert_eq!(shop.status(key.text()).await, 200);
    }
    assert_eq!(shop.keys.take_reads(), keys.len(), "one look-up each");
    for key in [&keys[9_998], &keys[5_000], &keys[0]] {
        // Others may have taken its place.
        assert_eq!(shop.status(key.text()).await, 200);
        assert!(shop.keys.take_reads() <= 1);
        assert_eq!([0; 3].map(|_| allocations(&shop, key)), alone);
        assert_eq!(shop.keys.take_reads(), 0, "what is remembered is not looked up");
    }
}

#[tokio::test]
async fn a_key_is_looked_up_once_in_the_time_that_it_is_remembered() {
    let shop = Shop::in_memory().await;
    let key = shop.key().await;
    for (advance, reads) in [(0, 1), (59, 0), (1, 1), (1, 0), (58, 0), (1, 1)] {
        shop.pass(Duration::from_secs(advance)).await;
        assert_eq!(shop.status(key.text()).await, 200);
        assert_eq!(shop.status(key.text()).await, 200);
        assert_eq!(shop.keys.take_reads(), reads, "after {advance} s more");
    }
    // A key that is refused is remembered too, and so is that there is none.
    shop.service().revoke(key.id()).await.unwrap();
    let (start, other) = ("acme_live_".len(), if key.id().starts_with('a') { "b" } else { "a" });
    let unknown = with_checksum(&format!("acme_live_{other}{}", &body(&key)[start + 1..]));
    shop.keys.take_reads();
    for refused in [key.text(), &unknown] {
        for reads in [1, 0, 0] {
            assert_eq!(shop.status(refused).await, 401);
            assert_eq!(shop.keys.take_reads(), reads, "{refused}");
        }
        shop.pass(Duration::from_secs(60)).await;
        assert_eq!(shop.status(refused).await, 401);
        assert_eq!(shop.keys.take_reads(), 1);
    }
    let key = shop.key().await;
    let always = shop.another(|keys| keys.cache_for(Duration::ZERO), |builder| builder).await;
    for _ in 0..3 {
        assert_eq!(always.status(key.text()).await, 200);
        assert_eq!(shop.keys.take_reads(), 1);
    }
}
