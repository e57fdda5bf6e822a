//! The future of a credential's end.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::session::{Subject, TokenService};
use auth_runtime::streams::{EndReason, Ended};
use auth_runtime::testing::{TestAuth, TestClock, TestUser};
use auth_runtime::{Auth, Principal, RequestAuth, Router, auth, routing::get};
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::streams::principal_of;
use crate::support::flaky::FlakyStore;
use crate::support::people::{People, issuer};
use crate::support::request;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(ended: &mut Ended, wakes: &Arc<Wakes>) -> Poll<EndReason> {
    let waker = Waker::from(Arc::clone(wakes));
    Pin::new(ended).poll(&mut Context::from_waker(&waker))
}

/// Nothing else runs meanwhile: there is one thread, and nothing waits.
#[tokio::test]
async fn of_thousands_a_revocation_wakes_its_own_alone() {
    const SESSIONS: usize = 2000;
    let test = TestAuth::new();
    let mut waiters = Vec::new();
    for n in 0..SESSIONS {
        let user = TestUser::new(format!("user {}", n / 2)).claim("sid", format!("session {n}"));
        let (mut ended, wakes) = (test.principal(&user).ended(), Arc::new(Wakes::default()));
        assert_eq!(poll(&mut ended, &wakes), Poll::Pending);
        waiters.push((ended, wakes));
    }
    // The background task looks around for the first time.
    tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await.unwrap_err();
    for (ended, wakes) in &mut waiters {
        assert_eq!(poll(ended, wakes), Poll::Pending);
        wakes.0.store(0, Ordering::SeqCst);
    }

    let (issuer, now) = ("https://issuer.test".to_owned(), test.auth().now());
    for (revocation, range) in [
        (Revocation::Session { issuer: issuer.clone(), session_id: "session 71".into() }, 71..72),
        (Revocation::User { issuer: issuer.clone(), subject: "user 9".into(), issued_at_or_before: now }, 18..20),
        (Revocation::Session { issuer, session_id: "another".into() }, 0..0),
    ] {
        test.auth().revocations().revoke(revocation).await.unwrap();
        for (n, (ended, wakes)) in waiters.iter_mut().enumerate() {
            let is_revoked = range.contains(&n);
            assert_eq!(wakes.0.swap(0, Ordering::SeqCst), usize::from(is_revoked), "{n}");
            if is_revoked {
                assert_eq!(poll(ended, wakes), Poll::Ready(EndReason::Revoked), "{n}");
                assert_eq!(poll(ended, wakes), Poll::Ready(EndReason::Revoked), "the same, whenever it is asked");
            }
        }
    }
}

#[tokio::test]
async fn what_was_revoked_before_it_is_polled_is_seen() {
    let test = TestAuth::new();
    let alice = principal_of(&test, &TestUser::new("alice")).await;
    let ended = alice.ended();
    test.auth().revocations().revoke_user(&alice).await.unwrap();
    assert_eq!(ended.await, EndReason::Revoked);
    assert_eq!(alice.ended().await, EndReason::Revoked);
}

/// The timers' clock goes on by itself while nothing happens.
#[tokio::test(start_paused = true)]
async fn a_token_ends_when_it_is_no_longer_accepted_and_a_clock_that_is_set_is_noticed() {
    let test = TestAuth::new();
    let start = test.clock().now();
    let alice = principal_of(&test, &TestUser::new("alice")).await;
    let mut ended = alice.ended();
    for seconds in [0, 899, 900, 959] {
        test.clock().set(start + Duration::from_secs(seconds));
        assert!(timeout(Duration::from_secs(100), &mut ended).await.is_err(), "{seconds}");
    }
    test.clock().set(start + Duration::from_secs(960));
    assert_eq!(ended.await, EndReason::Expired);

    test.clock().set(start);
    let mut ended = alice.ended();
    assert!(timeout(Duration::from_secs(100), &mut ended).await.is_err());
    test.clock().set(start - Duration::from_secs(61));
    assert_eq!(ended.await, EndReason::Unavailable, "it is not valid yet");
}

#[tokio::test(start_paused = true)]
async fn without_an_engine_it_never_ends_and_with_one_that_is_gone_it_ends_at_once() {
    let alone = TestUser::new("alice").principal();
    assert!(timeout(Duration::from_secs(1_000_000), alone.ended()).await.is_err());

    let test = TestAuth::new();
    let alice = principal_of(&test, &TestUser::new("alice")).await;
    let mut kept = pin!(alice.ended());
    assert!(timeout(Duration::from_secs(1), &mut kept).await.is_err());
    let clock = test.clock().clone();
    drop(test);
    clock.advance(Duration::from_secs(960));
    assert_eq!(kept.await, EndReason::Expired, "it keeps the engine");
    assert_eq!(alice.ended().await, EndReason::Unavailable);
}

#[auth]
async fn guarded() {}

struct Shop {
    auth: Auth,
    tokens: TokenService,
    clock: TestClock,
    store: FlakyStore,
}

impl Shop {
    async fn new() -> Self {
        let (store, clock) = (FlakyStore::default(), TestClock::new());
        let builder = Auth::builder().clock(clock.clone()).token_issuer(issuer(&People::default()));
        let auth = builder.store(store.clone()).build().unwrap();
        auth.catch_up().await.unwrap();
        Self { tokens: auth.tokens().unwrap(), auth, clock, store }
    }

    async fn principal(&self, access_token: &str) -> Principal {
        let app: axum::Router = Router::new().route("/", get(guarded)).finish(&self.auth).unwrap();
        let bearer = format!("Bearer {access_token}");
        let answer = app.oneshot(request("GET", "/", &[("authorization", &bearer)])).await.unwrap();
        answer.extensions().get::<RequestAuth>().unwrap().principal().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_expiry_a_store_that_fails_is_asked_again_and_not_for_longer_than_a_view_may_be_old() {
    let shop = Shop::new().await;
    let tokens = shop.tokens.issue(&Subject::new("alice")).await.unwrap();
    let alice = shop.principal(&tokens.access_token).await;
    let (mut plain, mut prolonged) = (alice.ended(), alice.ended().while_session_lasts());
    shop.clock.advance(Duration::from_secs(930));
    assert!(timeout(Duration::from_secs(40), &mut plain).await.is_err());
    assert!(timeout(Duration::from_secs(40), &mut prolonged).await.is_err());
    shop.tokens.refresh(&tokens.refresh_token).await.unwrap();

    // The log was read a moment ago, and now the store fails.
    shop.store.set_broken(true);
    shop.clock.advance(Duration::from_secs(30));
    assert_eq!(plain.await, EndReason::Expired);
    assert!(timeout(Duration::from_secs(40), &mut prolonged).await.is_err(), "within the grace");
    shop.store.set_broken(false);
    assert!(timeout(Duration::from_secs(40), &mut prolonged).await.is_err(), "the session was refreshed");

    shop.store.set_broken(true);
    shop.clock.set(shop.clock.now() + Duration::from_secs(900 + 60));
    assert_eq!(prolonged.await, EndReason::Unavailable);
}

/// A token that is not of a session of the engine's own issuer is not prolonged.
#[tokio::test(start_paused = true)]
async fn tokens_of_others_end_when_they_expire() {
    let test = TestAuth::new();
    let user = TestUser::new("alice").claim("sid", "AAAAAAAAAAAAAAAAAAAAAA");
    let alice = principal_of(&test, &user).await;
    test.clock().advance(Duration::from_secs(960));
    assert_eq!(alice.ended().while_session_lasts().await, EndReason::Expired);
}

/// Tasks that begin to wait while others revoke: none is left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_at_the_same_moment_is_not_lost() {
    let test = TestAuth::new();
    let principals: Vec<_> = (0..1000).map(|n| test.principal(&TestUser::new(format!("user {n}")))).collect();
    let waiting: Vec<_> = principals
        .iter()
        .cloned()
        .map(|principal| tokio::spawn(async move { principal.ended().await }))
        .collect();
    let auth = test.auth().clone();
    let revoking = tokio::spawn(async move {
        for principal in &principals {
            auth.revocations().revoke_token(principal).await.unwrap();
        }
    });
    for task in waiting {
        assert_eq!(timeout(super::PATIENCE, task).await.expect("it ends").unwrap(), EndReason::Revoked);
    }
    revoking.await.unwrap();
}
