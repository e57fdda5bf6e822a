//! When a user is loaded, and what happens if it can't be.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use auth_runtime::rule;

use super::*;
use crate::captured_log::CapturedLog;

#[tokio::test]
async fn a_remembered_user_is_loaded_once_in_the_time_of_the_cache() {
    let accounts = Accounts::new();
    for (path, seconds) in [("/plain", 300), ("/name", 300)] {
        let (test, app) = service(&accounts);
        let before = accounts.loads();
        for _ in 0..3 {
            // Another token each time.
            assert_eq!(get_as(&app, &test, &alice(), path).await.status, 200);
        }
        test.clock().advance(Duration::from_secs(seconds - 1));
        assert_eq!(get_as(&app, &test, &alice(), path).await.status, 200);
        assert_eq!(accounts.loads(), before + 1);
        test.clock().advance(Duration::from_secs(1));
        assert_eq!(get_as(&app, &test, &alice(), path).await.status, 200);
        assert_eq!(accounts.loads(), before + 2);
    }
}

#[tokio::test]
async fn that_there_is_none_is_remembered_for_a_shorter_time() {
    let accounts = Accounts::new();
    let (test, app) = service(&accounts);
    let bob = TestUser::new("bob");
    assert_eq!(get_as(&app, &test, &bob, "/plain").await.status, 401);
    accounts.set(TEST_ISSUER, "bob", "Bob", true);
    test.clock().advance(Duration::from_secs(29));
    assert_eq!(get_as(&app, &test, &bob, "/plain").await.status, 401);
    assert_eq!(accounts.loads(), 1);
    test.clock().advance(Duration::from_secs(1));
    assert_eq!(get_as(&app, &test, &bob, "/plain").await.status, 200);
}

#[tokio::test]
async fn a_clock_that_is_set_does_not_make_an_entry_older_or_younger() {
    let accounts = Accounts::new();
    let (test, app) = service(&accounts);
    assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 200);
    let now = auth_runtime::clock::Clock::now(test.clock());
    for time in [now + Duration::from_secs(86_400), now - Duration::from_secs(86_400)] {
        test.clock().set(time);
        assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 200);
    }
    assert_eq!(accounts.loads(), 1);
}

/// Two gates: one beside the route, and that of the handler.
#[tokio::test]
async fn a_request_loads_its_user_once_also_without_a_cache() {
    let accounts = Accounts::new();
    let (test, _) = service_without_cache(&accounts);
    let twice = (axum::routing::get(name), rule!(source = ["bearer", "cookie"]));
    let app: axum::Router = Router::new().route("/twice", twice).finish(test.auth()).unwrap();
    for requests in 1..=3 {
        let reply = get_as(&app, &test, &alice(), "/twice").await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, "Alice"), "{}", reply.body);
        assert_eq!(accounts.loads(), requests);
    }
}

#[tokio::test]
async fn while_users_can_not_be_loaded_those_who_are_remembered_are_served() {
    let accounts = Accounts::new();
    accounts.set(TEST_ISSUER, "bob", "Bob", true);
    let (test, app) = service(&accounts);
    assert_eq!(get_as(&app, &test, &alice(), "/name").await.status, 200);
    accounts.set_broken(true);
    for path in ["/plain", "/name", "/optional", "/optional-with-user"] {
        assert_eq!(get_as(&app, &test, &alice(), path).await.status, 200, "{path}");
        let bob = TestUser::new("bob");
        let reply = get_as(&app, &test, &bob, path).await;
        assert_eq!(reply.status, 503, "{path}");
        assert!(!reply.body.contains("fire"), "{}", reply.body);
        // A cookie that may be valid is not cleared, and is not passed over.
        let reply = by_cookie(&app, &test.token(&bob), path).await;
        assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (503, ""), "{path}");
    }
    assert_eq!(get_as(&app, &test, &TestUser::new("bob"), "/open").await.status, 200);
    accounts.set_broken(false);
    assert_eq!(get_as(&app, &test, &TestUser::new("bob"), "/name").await.body, "Bob");
}

#[tokio::test]
async fn a_store_that_panics_is_500_and_the_next_request_is_served() {
    let log = CapturedLog::start(tracing::Level::ERROR);
    let accounts = Accounts::new();
    let (test, app) = service(&accounts);
    accounts.0.panics.store(true, Ordering::SeqCst);
    for path in ["/plain", "/name", "/optional"] {
        assert_eq!(get_as(&app, &test, &alice(), path).await.status, 500, "{path}");
    }
    accounts.0.panics.store(false, Ordering::SeqCst);
    assert_eq!(get_as(&app, &test, &alice(), "/name").await.body, "Alice");
    assert!(log.text().contains("the table is gone"), "{}", log.text());
}

/// Polls once.
async fn starts<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn many_requests_of_one_user_load_it_once() {
    let accounts = Accounts::new();
    let (test, app) = service(&accounts);
    let gate = accounts.close_gate();
    let user = alice();
    let mut all: Vec<_> = (0..200).map(|_| Box::pin(get_as(&app, &test, &user, "/name"))).collect();
    for one in &mut all {
        assert!(starts(one.as_mut()).await);
    }
    gate.add_permits(1);
    for one in all {
        assert_eq!(one.await.body, "Alice");
    }
    assert_eq!(accounts.loads(), 1);
}

#[tokio::test]
async fn no_more_than_64_loads_run_and_a_request_that_needs_another_is_503_at_once() {
    for is_cached in [true, false] {
        let accounts = Accounts::new();
        let (test, app) = if is_cached { service(&accounts) } else { service_without_cache(&accounts) };
        let gate = accounts.close_gate();
        let users: Vec<_> = (0..64).map(|number| TestUser::new(format!("user {number}"))).collect();
        let mut waiting: Vec<_> =
            users.iter().map(|user| Box::pin(get_as(&app, &test, user, "/plain"))).collect();
        for one in &mut waiting {
            assert!(starts(one.as_mut()).await);
        }
        assert_eq!(accounts.loads(), 64);
        let one_more = pin!(get_as(&app, &test, &alice(), "/plain")).await;
        assert_eq!(one_more.status, 503);
        assert_eq!(accounts.loads(), 64);
        // A client that goes away makes room.
        drop(waiting.pop());
        gate.add_permits(64);
        assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 200);
        for one in waiting {
            assert_eq!(one.await.status, 401, "there is no such user");
        }
    }
}
