//! The generations of a user's sessions: what a logout everywhere ends, whichever instance learns of it first.

use auth_runtime::Auth;
use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::session::Subject;
use auth_runtime::store::MemoryStore;
use auth_runtime::verify::TrustedIssuer;

use super::Shop;
use super::clocks::{DAY, HOUR};
use crate::support::flaky::FlakyStore;
use crate::support::people::{AUDIENCE, ISSUER, signing_key};

/// The generation is known by every instance, also after a restart, and a login on another instance is not ended by a logout that
/// was acknowledged before.
#[tokio::test]
async fn a_login_on_another_instance_after_a_logout_everywhere() {
    let store = MemoryStore::new();
    let (one, two) = (Shop::over(&store).await, Shop::over(&store).await);
    let old = two.log_in("alice").await;
    one.tokens.log_out_everywhere("alice").await.unwrap();
    // It has not read the log since.
    assert!(two.who(&old.access_token).await.is_ok());
    let new = two.log_in("alice").await;
    let restarted = Shop::over(&store).await;
    for shop in [&one, &two, &restarted] {
        assert_eq!(shop.who(&old.access_token).await, Err(401));
        assert!(shop.who(&new.access_token).await.is_ok());
    }
    assert!(restarted.tokens.refresh(&new.refresh_token).await.is_ok());
}

/// An engine that only verifies logs out all the same, and does not keep out who logs in afterwards.
#[tokio::test]
async fn a_logout_everywhere_by_an_engine_that_only_verifies() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let trusted = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(signing_key(1).verifying_key());
    let other = Auth::builder().clock(shop.clock.clone()).issuer(trusted).store(store).build().unwrap();
    other.start().await.unwrap();
    let old = shop.log_in("alice").await;
    let user = Revocation::User {
        issuer: ISSUER.into(),
        subject: "alice".into(),
        issued_at_or_before: shop.clock.now(),
    };
    other.revocations().revoke(user).await.unwrap();
    let new = shop.log_in("alice").await;
    assert_eq!(shop.who(&old.access_token).await, Err(401));
    assert!(shop.who(&new.access_token).await.is_ok());
}

/// The log's order counts, whichever instance learns first that something was recorded.
#[tokio::test]
async fn of_two_logouts_everywhere_the_last_in_the_log_counts() {
    let store = FlakyStore::default();
    let (one, two) = (Shop::over(&store).await, Shop::over(&store).await);
    // The first is recorded, and its answer is late.
    store.hold_answers(true);
    let late = one.tokens.clone();
    let late = tokio::spawn(async move { late.log_out_everywhere("alice").await });
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    store.hold_answers(false);
    one.auth.start().await.unwrap();
    let alone = one.tokens.issue_access(&Subject::new("alice")).unwrap();
    two.tokens.log_out_everywhere("alice").await.unwrap();
    one.auth.start().await.unwrap();
    assert_eq!(one.who(&alone).await, Err(401));
    store.release_answers();
    late.await.unwrap().unwrap();
    assert_eq!(one.who(&alone).await, Err(401), "the answer that is late takes nothing back");
    let (here, there) = (one.log_in("alice").await, two.log_in("alice").await);
    for shop in [&one, &two] {
        for tokens in [&here, &there] {
            shop.auth.start().await.unwrap();
            assert!(shop.who(&tokens.access_token).await.is_ok());
        }
    }
}

/// The time by which an instance forgets may be days behind that of another: a machine that was paused.
#[tokio::test]
async fn an_instance_that_forgets_later_accepts_the_sessions_of_one_that_has_forgotten() {
    let store = MemoryStore::new();
    let (one, two) = (Shop::over(&store).await, Shop::over(&store).await);
    one.tokens.log_out_everywhere("alice").await.unwrap();
    two.auth.start().await.unwrap();
    for day in 0..60 {
        one.pass(DAY);
        // Its monotonic clock stands still for a week.
        if day < 7 {
            two.set_ahead(DAY);
        } else {
            two.pass(DAY);
        }
        one.tick().await;
        two.tick().await;
        let tokens = one.log_in("alice").await;
        two.auth.start().await.unwrap();
        assert!(two.who(&tokens.access_token).await.is_ok(), "after {day} days");
        assert!(one.who(&tokens.access_token).await.is_ok(), "after {day} days");
    }
    assert_eq!(one.auth.revocations().status().entries, 0);
}

/// Of a token without a session no row knows. It may be from before a restart, or of another instance.
#[tokio::test]
async fn a_token_without_a_session_that_is_dated_in_the_future_stays_revoked_after_a_restart() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    shop.set_ahead(20 * DAY);
    let ahead = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()).clock(shop.clock.clone()));
    ahead.auth.start().await.unwrap();
    let alone = ahead.tokens.issue_access(&Subject::new("alice")).unwrap();
    drop(ahead);
    shop.set_back(20 * DAY);
    shop.tick().await;
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    for _ in 0..21 * 24 {
        shop.pass(HOUR);
        shop.tick().await;
        assert_eq!(shop.who(&alone).await, Err(401));
    }
}

#[tokio::test]
async fn nobody_but_the_engine_sets_a_generation() {
    let shop = Shop::over(&MemoryStore::new()).await;
    let old = shop.log_in("alice").await;
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    let (issuer, subject) = (ISSUER.to_owned(), "alice".to_owned());
    let lifted = Revocation::OtherGenerations { issuer, subject, generation: 0 };
    let error = shop.auth.revocations().revoke(lifted).await.unwrap_err().to_string();
    assert!(error.contains("revoke a `Revocation::User`"), "{error}");
    assert_eq!(shop.who(&old.access_token).await, Err(401));
}

/// An instance that has not read of the last logout everywhere does not end the sessions that began after it.
#[tokio::test]
async fn a_session_after_a_second_log_out_everywhere_is_refreshed_by_every_instance() {
    let store = MemoryStore::new();
    let [first, second] =
        [(); 2].map(|()| Shop::with(|issuer| issuer, |builder| builder.store(store.clone())));
    first.auth.start().await.unwrap();
    first.tokens.log_out_everywhere("alice").await.unwrap();
    second.auth.start().await.unwrap();
    first.tokens.log_out_everywhere("alice").await.unwrap();
    let tokens = first.log_in("alice").await;
    // A client refreshes then.
    assert_eq!(second.who(&tokens.access_token).await, Err(401), "it has not read of the second one");
    let tokens = second.tokens.refresh(&tokens.refresh_token).await.unwrap();
    for shop in [&first, &second] {
        assert!(shop.who(&tokens.access_token).await.is_ok());
    }
}
