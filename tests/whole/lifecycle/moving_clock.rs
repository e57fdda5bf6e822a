//! "Up to now", by a clock that moves between two readings.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::clock::Clock;
use auth_runtime::revocation::Revocation;
use auth_runtime::session::RefreshError;
use auth_runtime::store::MemoryStore;
use auth_runtime::testing::{TestClock, TestUser};

use super::Shop;
use crate::support::people::ISSUER;

/// A clock that moves on each time it is read, as that of a system does.
#[derive(Debug)]
struct MovingClock(TestClock, AtomicU64);

impl Clock for MovingClock {
    fn now(&self) -> SystemTime {
        self.0.now() + Duration::from_nanos(self.1.fetch_add(1, Ordering::SeqCst))
    }
}

#[tokio::test]
async fn log_out_everywhere_is_up_to_now_by_a_clock_that_moves() {
    let store = MemoryStore::new();
    let moving = || MovingClock(TestClock::new(), AtomicU64::new(1));
    let ahead = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()).clock(moving()));
    ahead.pass(30);
    for shop in [&ahead, &shop] {
        shop.auth.start().await.unwrap();
    }
    let revocations = || shop.auth.revocations();
    let everyone = |bound| Revocation::User {
        issuer: ISSUER.to_owned(),
        subject: "alice".to_owned(),
        issued_at_or_before: bound,
    };
    for way in 0..3 {
        let tokens = [ahead.log_in("alice").await, shop.log_in("alice").await];
        match way {
            0 => shop.tokens.log_out_everywhere("alice").await.unwrap(),
            1 => {
                revocations().revoke(everyone(shop.auth.now())).await.unwrap();
            }
            _ => {
                let alice = TestUser::new("alice").claim("iss", ISSUER).principal();
                revocations().revoke_user(&alice).await.unwrap();
            }
        }
        for tokens in tokens {
            assert_eq!(shop.who(&tokens.access_token).await, Err(401), "way {way}");
            assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended, "way {way}");
        }
    }
}

/// A log must not name the users of a store.
#[tokio::test]
async fn the_debug_text_of_revocations_and_of_their_store_has_no_rows() {
    let store = MemoryStore::new();
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    shop.auth.start().await.unwrap();
    shop.log_in("alice").await;
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    shop.log_in("alice").await;
    for text in [format!("{store:?}"), format!("{:?}", shop.auth.revocations())] {
        assert!(!text.contains("alice"), "{text}");
    }
}
