//! All users at once: what a logout of everybody ends, on every store and every instance, and what it leaves.

use auth_runtime::Auth;
use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::session::{RefreshError, Subject, TokenError};
use auth_runtime::store::{MemoryStore, RedbStore, RefreshTokenStore, RevocationLog};
use auth_runtime::verify::TrustedIssuer;
use auth_tests_servers::RedisServer;
use serde_json::json;
use tempfile::TempDir;

use super::clocks::{DAY, HOUR};
use super::{Shop, part};
use crate::support::flaky::FlakyStore;
use crate::support::people::{AUDIENCE, ISSUER, signing_key};
use crate::support::timeless::TimelessStore;
use crate::support::{postgres, redis};

fn of_issuer(shop: &Shop) -> Revocation {
    Revocation::Issuer { issuer: ISSUER.into(), issued_at_or_before: shop.clock.now() }
}

/// What ends on both instances, and what a login begins in the same second, on the instance that has yet to read the log.
async fn everybody_is_logged_out_and_can_log_in_again(store: impl RevocationLog + RefreshTokenStore + Clone) {
    let (one, two) = (Shop::over(&store).await, Shop::over(&store).await);
    let (first, bob) = (one.log_in("alice").await, two.log_in("bob").await);
    let alice = two.tokens.refresh(&first.refresh_token).await.unwrap();
    let alone = one.tokens.issue_access(&Subject::new("carol")).unwrap();
    let old = [&first.access_token, &alice.access_token, &bob.access_token, &alone];
    // Both have verified them, and remember that.
    for (shop, token) in [&one, &two].into_iter().flat_map(|shop| old.map(|token| (shop, token))) {
        assert!(shop.who(token).await.is_ok());
    }

    two.tokens.log_out_all_users().await.unwrap();
    for token in old {
        assert_eq!(two.who(token).await, Err(401));
        assert_eq!(two.tokens.introspect(token).await.unwrap(), json!({ "active": false }));
    }
    let new = one.log_in("alice").await;
    let new_alone = one.tokens.issue_access(&Subject::new("carol")).unwrap();
    one.auth.start().await.unwrap();
    let restarted = Shop::over(&store).await;
    for shop in [&one, &two, &restarted] {
        for token in old {
            assert_eq!(shop.who(token).await, Err(401));
        }
        for refresh_token in [&alice.refresh_token, &bob.refresh_token] {
            assert_eq!(shop.refused(refresh_token).await, RefreshError::Ended);
            assert_eq!(shop.tokens.introspect(refresh_token).await.unwrap(), json!({ "active": false }));
        }
        shop.auth.start().await.unwrap();
        assert!(shop.who(&new.access_token).await.is_ok() && shop.who(&new_alone).await.is_ok());
    }
    // No row of what has ended is left, and the new session goes on.
    two.auth.revocations().drop_expired().await.unwrap();
    let rows = store.list(ISSUER, None, 100).await.unwrap();
    assert_eq!(rows.into_iter().map(|row| row.subject).collect::<Vec<_>>(), ["alice"]);
    let new = restarted.tokens.refresh(&new.refresh_token).await.unwrap();
    assert!(one.who(&new.access_token).await.is_ok() && two.who(&new.access_token).await.is_ok());

    // Once more, in the same second.
    one.tokens.log_out_all_users().await.unwrap();
    assert_eq!(one.who(&new.access_token).await, Err(401));
    assert_eq!(one.refused(&new.refresh_token).await, RefreshError::Ended);
    let last = two.log_in("bob").await;
    assert_eq!(two.who(&new.access_token).await, Err(401), "a login reads the log");
    assert!(one.who(&last.access_token).await.is_ok() && two.who(&last.access_token).await.is_ok());
}

#[tokio::test]
async fn in_memory() {
    everybody_is_logged_out_and_can_log_in_again(MemoryStore::new()).await;
}

#[tokio::test]
async fn in_a_file() {
    let directory = TempDir::new().unwrap();
    let store = RedbStore::open(directory.path().join("store")).unwrap();
    everybody_is_logged_out_and_can_log_in_again(store).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn in_postgres() {
    let store = postgres::open(&postgres::new_schema()).await;
    everybody_is_logged_out_and_can_log_in_again(TimelessStore(store)).await;
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn in_redis() {
    let server = RedisServer::start();
    everybody_is_logged_out_and_can_log_in_again(TimelessStore(redis::open_redis(&server).await)).await;
}

/// Without a store, and by `Revocation::Issuer`, which is the same.
#[tokio::test]
async fn without_a_store_and_by_the_name_of_the_issuer() {
    let shop = Shop::new();
    for by_name in [false, true] {
        let (alice, alone) =
            (shop.log_in("alice").await, shop.tokens.issue_access(&Subject::new("bob")).unwrap());
        assert!(shop.who(&alice.access_token).await.is_ok() && shop.who(&alone).await.is_ok());
        if by_name {
            assert!(shop.auth.revocations().revoke(of_issuer(&shop)).await.unwrap());
        } else {
            shop.tokens.log_out_all_users().await.unwrap();
        }
        for token in [&alice.access_token, &alone] {
            assert_eq!(shop.who(token).await, Err(401), "{by_name}");
        }
        assert_eq!(shop.refused(&alice.refresh_token).await, RefreshError::Ended, "{by_name}");
    }
    shop.auth.revocations().drop_expired().await.unwrap();
    assert!(shop.tokens.all_sessions().await.unwrap().sessions.is_empty());
}

/// However they are dated: the clock of the instance that issued them may be ahead.
#[tokio::test]
async fn what_is_dated_ahead_ends_too() {
    let store = MemoryStore::new();
    let (ahead, shop) = (Shop::over(&store).await, Shop::over(&store).await);
    ahead.pass(30);
    ahead.auth.start().await.unwrap();
    let (tokens, alone) =
        (ahead.log_in("alice").await, ahead.tokens.issue_access(&Subject::new("bob")).unwrap());
    assert!(shop.who(&tokens.access_token).await.is_ok() && shop.who(&alone).await.is_ok());
    shop.tokens.log_out_all_users().await.unwrap();
    for _ in 0..2 {
        assert_eq!(shop.who(&tokens.access_token).await, Err(401));
        assert_eq!(shop.who(&alone).await, Err(401));
        assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
        shop.pass(30);
        shop.tick().await;
    }
}

/// It is kept as long as the last session could be refreshed, so it does not depend on the removal of rows. Then it is forgotten.
#[tokio::test]
async fn a_session_whose_row_was_not_removed_is_never_refreshed() {
    let days = |days: u64| std::time::Duration::from_secs(days * DAY);
    let store = MemoryStore::new();
    let shop = Shop::with(
        |issuer| issuer.session_lifetime(days(90)).refresh_lifetime(days(90)),
        |builder| builder.store(store.clone()),
    );
    shop.auth.start().await.unwrap();
    let old = shop.log_in("alice").await;
    let rows = store.list(ISSUER, None, 100).await.unwrap();
    shop.tokens.log_out_all_users().await.unwrap();
    let mut new = shop.log_in("bob").await;
    for day in 0..89 {
        if store.find(rows[0].id).await.unwrap().is_none() {
            store.insert(rows[0].clone()).await.unwrap();
        }
        let fresh = Shop::with(
            |issuer| issuer.session_lifetime(days(90)).refresh_lifetime(days(90)),
            |builder| builder.store(store.clone()).clock(shop.clock.clone()),
        );
        fresh.auth.start().await.unwrap();
        assert_eq!(fresh.refused(&old.refresh_token).await, RefreshError::Ended, "after {day} days");
        new = fresh.tokens.refresh(&new.refresh_token).await.unwrap();
        assert!(shop.who(&new.access_token).await.is_ok());
        shop.pass(DAY);
        shop.tick().await;
    }
    assert!(shop.auth.revocations().status().entries > 0);
    // The last session of the new generation outlives what ended those before it.
    let last = shop.log_in("bob").await;
    shop.live_on(60).await;
    let last = shop.tokens.refresh(&last.refresh_token).await.unwrap();
    assert!(shop.who(&last.access_token).await.is_ok());
    assert_eq!((shop.auth.revocations().status().entries, store.revocations()), (0, 0));
    // A generation that was forgotten is not begun again.
    shop.tokens.log_out_all_users().await.unwrap();
    assert_eq!(shop.who(&last.access_token).await, Err(401));
    assert_eq!(shop.refused(&last.refresh_token).await, RefreshError::Ended);
}

/// Of a token without a session no row knows. It may be from before a restart, or of another instance.
#[tokio::test]
async fn a_token_that_is_dated_in_the_future_stays_revoked_after_a_restart() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    shop.set_ahead(20 * DAY);
    let ahead = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()).clock(shop.clock.clone()));
    ahead.auth.start().await.unwrap();
    let (alone, alice) =
        (ahead.tokens.issue_access(&Subject::new("bob")).unwrap(), ahead.log_in("alice").await);
    drop(ahead);
    shop.set_back(20 * DAY);
    shop.tick().await;
    shop.tokens.log_out_all_users().await.unwrap();
    for _ in 0..21 * 24 {
        shop.pass(HOUR);
        shop.tick().await;
        assert_eq!(shop.who(&alone).await, Err(401));
        assert_eq!(shop.who(&alice.access_token).await, Err(401));
    }
}

/// The log's order counts, whichever instance learns first that something was recorded.
#[tokio::test]
async fn of_two_at_the_same_time_both_end_what_was_before() {
    let store = FlakyStore::default();
    let (one, two) = (Shop::over(&store).await, Shop::over(&store).await);
    // The first is recorded, and its answer is late.
    store.hold_answers(true);
    let late = one.tokens.clone();
    let late = tokio::spawn(async move { late.log_out_all_users().await });
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    store.hold_answers(false);
    one.auth.start().await.unwrap();
    let between = one.log_in("alice").await;
    two.tokens.log_out_all_users().await.unwrap();
    one.auth.start().await.unwrap();
    assert_eq!(one.who(&between.access_token).await, Err(401));
    store.release_answers();
    late.await.unwrap().unwrap();
    assert_eq!(one.who(&between.access_token).await, Err(401), "the answer that is late takes nothing back");
    let (here, there) = (one.log_in("alice").await, two.log_in("bob").await);
    for shop in [&one, &two] {
        for tokens in [&here, &there] {
            shop.auth.start().await.unwrap();
            assert!(shop.who(&tokens.access_token).await.is_ok());
        }
    }
}

/// Those of one user and those of all are told apart: each ends by its own.
#[tokio::test]
async fn a_user_can_be_logged_out_afterwards_and_before() {
    let shop = Shop::over(&MemoryStore::new()).await;
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    let (alice, bob) = (shop.log_in("alice").await, shop.log_in("bob").await);
    shop.tokens.log_out_all_users().await.unwrap();
    for tokens in [&alice, &bob] {
        assert_eq!(shop.who(&tokens.access_token).await, Err(401));
    }
    let (alice, bob) = (shop.log_in("alice").await, shop.log_in("bob").await);
    let claims = part(&alice.access_token, 1);
    assert!(claims["issuer_generation"].is_u64() && claims["user_generation"].is_u64(), "{claims}");
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    assert_eq!(shop.who(&alice.access_token).await, Err(401));
    assert_eq!(shop.refused(&alice.refresh_token).await, RefreshError::Ended);
    assert!(shop.who(&bob.access_token).await.is_ok());
    let alice = shop.log_in("alice").await;
    for tokens in [&alice, &bob] {
        let next = shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
        assert!(shop.who(&next.access_token).await.is_ok());
    }
}

/// An engine that only verifies ends the sessions of the service with which it shares a store.
#[tokio::test]
async fn an_engine_that_only_verifies_logs_everybody_out_too() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let trusted = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(signing_key(1).verifying_key());
    let other =
        Auth::builder().clock(shop.clock.clone()).issuer(trusted).store(store.clone()).build().unwrap();
    other.start().await.unwrap();
    let old = shop.log_in("alice").await;
    assert!(other.revocations().revoke(of_issuer(&shop)).await.unwrap());
    let new = shop.log_in("alice").await;
    assert!(other.verify(&old.access_token).await.is_err());
    assert_eq!(shop.who(&old.access_token).await, Err(401));
    assert_eq!(shop.refused(&old.refresh_token).await, RefreshError::Ended);
    assert!(shop.who(&new.access_token).await.is_ok());
    // Its clock could be ahead by the leeway, as far as that engine knows.
    shop.pass(61);
    shop.auth.start().await.unwrap();
    let next = shop.tokens.refresh(&new.refresh_token).await.unwrap();
    other.start().await.unwrap();
    assert!(other.verify(&next.access_token).await.is_ok());
    // It does not know how long those sessions last.
    shop.live_on(13).await;
    shop.tokens.refresh(&next.refresh_token).await.unwrap();
    assert_eq!(shop.refused(&old.refresh_token).await, RefreshError::Ended);
}

/// A time in the past would need the beginning of each session, and is refused as a whole.
#[tokio::test]
async fn what_can_not_be_done_is_refused_and_changes_nothing() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let old = shop.log_in("alice").await;
    let trusted = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(signing_key(1).verifying_key());
    let other =
        Auth::builder().clock(shop.clock.clone()).issuer(trusted).store(store.clone()).build().unwrap();
    other.start().await.unwrap();
    let past = Revocation::Issuer {
        issuer: ISSUER.into(),
        issued_at_or_before: shop.clock.now() - std::time::Duration::from_secs(10),
    };
    let lifted = Revocation::OtherIssuerGenerations { issuer: ISSUER.into(), generation: 0 };
    for (refused, says) in [(past, "pass the present time"), (lifted, "revoke a `Revocation::Issuer`")] {
        for auth in [&shop.auth, &other] {
            let error = auth.revocations().revoke(refused.clone()).await.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
    assert_eq!(store.revocations(), 0);
    assert!(shop.who(&old.access_token).await.is_ok());
    let error = shop.tokens.issue(&Subject::new("alice").claim("issuer_generation", 0)).await.unwrap_err();
    assert!(error.to_string().contains("`issuer_generation` is set by the library"), "{error}");
}

/// What failed can be asked again. What was recorded is enforced, also while no row can be removed.
#[tokio::test]
async fn a_store_that_fails() {
    let store = FlakyStore::default();
    let shop = Shop::over(&store).await;
    let old = shop.log_in("alice").await;
    store.set_takes_no_revocation(true);
    let failed = shop.tokens.log_out_all_users().await;
    assert!(matches!(failed, Err(TokenError::Store(_))), "{failed:?}");
    assert!(shop.who(&old.access_token).await.is_ok(), "nothing was acknowledged");
    store.set_takes_no_revocation(false);
    store.set_removes_no_family(true);
    shop.tokens.log_out_all_users().await.unwrap();
    shop.auth.revocations().drop_expired().await.unwrap_err();
    assert_eq!(shop.who(&old.access_token).await, Err(401));
    assert!(shop.tokens.sessions("alice").await.unwrap().sessions.is_empty());
    assert!(shop.tokens.all_sessions().await.unwrap().sessions.is_empty());
    // The row can't be removed, which a refresh does too.
    assert!(matches!(shop.tokens.refresh(&old.refresh_token).await, Err(TokenError::Store(_))));
    store.set_removes_no_family(false);
    store.clear_calls();
    shop.auth.revocations().drop_expired().await.unwrap();
    assert_eq!(store.calls(), [("remove", 1)]);
    assert_eq!(shop.refused(&old.refresh_token).await, RefreshError::Ended);
}

/// The log has one entry, however many sessions there are, and the rows go in parts.
#[tokio::test]
async fn many_sessions_are_one_entry() {
    let store = FlakyStore::default();
    let shop =
        Shop::with(|issuer| issuer.max_sessions_per_user(usize::MAX), |builder| builder.store(store.clone()));
    shop.auth.start().await.unwrap();
    let mut tokens = Vec::new();
    for number in 0..1200 {
        tokens.push(shop.tokens.issue(&Subject::new(format!("user {}", number % 7))).await.unwrap());
    }
    store.clear_calls();
    shop.tokens.log_out_all_users().await.unwrap();
    assert_eq!(store.calls(), [("append", 1)]);
    let new = shop.log_in("alice").await;
    shop.auth.revocations().drop_expired().await.unwrap();
    let removed: usize =
        store.calls().iter().filter(|(call, _)| *call == "remove").map(|(_, count)| count).sum();
    let most = store.calls().iter().map(|(_, count)| *count).max();
    assert_eq!((removed, most), (1200, Some(500)));
    for tokens in tokens.iter().step_by(50) {
        assert_eq!(shop.who(&tokens.access_token).await, Err(401));
        assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
    }
    let new = shop.tokens.refresh(&new.refresh_token).await.unwrap();
    assert!(shop.who(&new.access_token).await.is_ok());
}

/// What another instance began meanwhile is not taken for what has ended.
#[tokio::test]
async fn the_removal_of_rows_leaves_the_sessions_of_a_later_generation() {
    let store = MemoryStore::new();
    let (one, two) = (Shop::over(&store).await, Shop::over(&store).await);
    one.log_in("alice").await;
    one.tokens.log_out_all_users().await.unwrap();
    two.tokens.log_out_all_users().await.unwrap();
    let new = two.log_in("bob").await;
    // It has not read the log since.
    one.auth.revocations().drop_expired().await.unwrap();
    let next = two.tokens.refresh(&new.refresh_token).await.unwrap();
    one.auth.start().await.unwrap();
    assert!(two.who(&next.access_token).await.is_ok() && one.who(&next.access_token).await.is_ok());
    assert_eq!(store.families(), 1);
}
