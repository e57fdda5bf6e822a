//! The future of a credential's end.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime};

use auth_runtime::authenticator::{Authenticated, BoxError, Credential, CredentialPlace};
use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::{Revocation, RevokeError};
use auth_runtime::session::{Subject, TokenService};
use auth_runtime::streams::{EndReason, Ended};
use auth_runtime::testing::{TestAuth, TestClock, TestUser};
use auth_runtime::{Auth, Principal, Router, auth, routing::get};
use tokio::time::timeout;

use super::streams::principal_of;
use crate::support::flaky::FlakyStore;
use crate::support::people::{People, issuer};
use crate::support::{caller_of, request};

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
        (
            Revocation::User { issuer: issuer.clone(), subject: "user 9".into(), issued_at_or_before: now },
            18..20,
        ),
        (Revocation::Session { issuer, session_id: "another".into() }, 0..0),
    ] {
        test.auth().revocations().revoke(revocation).await.unwrap();
        for (n, (ended, wakes)) in waiters.iter_mut().enumerate() {
            let is_revoked = range.contains(&n);
            assert_eq!(wakes.0.swap(0, Ordering::SeqCst), usize::from(is_revoked), "{n}");
            if is_revoked {
                assert_eq!(poll(ended, wakes), Poll::Ready(EndReason::Revoked), "{n}");
                assert_eq!(
                    poll(ended, wakes),
                    Poll::Ready(EndReason::Revoked),
                    "the same, whenever it is asked"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_waiter_takes_little_memory_and_gives_all_of_it_back() {
    const WAITERS: usize = 1000;
    let test = TestAuth::new();
    let users = (0..WAITERS).map(|n| TestUser::new(format!("user {n}")).claim("sid", format!("session {n}")));
    let principals: Vec<_> = users.map(|user| test.principal(&user)).collect();
    let (mut waiters, wakes) = (Vec::with_capacity(WAITERS), Arc::new(Wakes::default()));
    let waiting = allocation_counter::measure(|| {
        for principal in &principals {
            let mut ended = principal.ended();
            assert!(poll(&mut ended, &wakes).is_pending());
            waiters.push(ended);
        }
    });
    let bytes = waiting.bytes_current / WAITERS as i64 + size_of::<Ended>() as i64;
    println!("{bytes} bytes a waiter, in {} allocations", waiting.count_total / WAITERS as u64);
    assert!(bytes <= 2200, "{bytes}");
    let dropped = allocation_counter::measure(|| drop(waiters));
    assert!(waiting.bytes_current + dropped.bytes_current < 4096, "{waiting:?} {dropped:?}");
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
        auth.start().await.unwrap();
        Self { tokens: auth.tokens().unwrap(), auth, clock, store }
    }

    async fn principal(&self, access_token: &str) -> Principal {
        let app: axum::Router = Router::new().route("/", get(guarded)).finish(&self.auth).unwrap();
        let bearer = format!("Bearer {access_token}");
        caller_of(&app, request("GET", "/", &[("authorization", &bearer)])).await
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

/// What an authenticator says of a credential: its text is the name of the caller.
async fn says(credential: Credential, now: SystemTime) -> Result<Authenticated, BoxError> {
    let caller = Authenticated::new(Subject::new(credential.text())).credential_id("jti").session_id("sid");
    Ok(match credential.text() {
        "expiring" => caller.expires_at(now + Duration::from_secs(100)),
        _ => caller,
    })
}

#[auth(source = "partner")]
async fn by_partner() {}

#[tokio::test(start_paused = true)]
async fn what_an_authenticator_judged_ends_when_it_says_and_is_not_concerned_by_revocations_of_tokens() {
    let clock = TestClock::new();
    let place = CredentialPlace::header("X-Partner");
    let auth = Auth::builder()
        .clock(clock.clone())
        .authenticator_with("partner", place, says, clock.now())
        .build()
        .unwrap();
    let app: axum::Router = Router::new().route("/", get(by_partner)).finish(&auth).unwrap();
    let mut callers = Vec::new();
    for name in ["expiring", "lasting"] {
        callers.push(caller_of(&app, request("GET", "/", &[("x-partner", name)])).await);
    }
    let mut ended: Vec<_> = callers.iter().map(|caller| caller.ended().while_session_lasts()).collect();
    clock.advance(Duration::from_secs(99));
    assert!(timeout(Duration::from_secs(100), &mut ended[0]).await.is_err());
    clock.advance(Duration::from_secs(1));
    assert_eq!((&mut ended[0]).await, EndReason::Expired, "without a leeway");
    let issuer = callers[1].issuer().unwrap().to_owned();
    for revocation in [
        Revocation::Token { issuer: issuer.clone(), token_id: "jti".into() },
        Revocation::Session { issuer: issuer.clone(), session_id: "sid".into() },
        Revocation::User { issuer, subject: "lasting".into(), issued_at_or_before: auth.now() },
    ] {
        assert!(matches!(auth.revocations().revoke(revocation).await, Err(RevokeError::NotAToken(_))));
    }
    clock.advance(Duration::from_secs(1_000_000));
    assert!(timeout(Duration::from_secs(100), &mut ended[1]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_replaced_ends_what_it_verified_and_nothing_else() {
    use auth_runtime::session::SigningKey;
    use auth_runtime::verify::{Algorithm, KeySet, TrustedIssuer};

    let clock = TestClock::new();
    let keys: Vec<_> = (1..=3)
        .map(|n| SigningKey::secret(Algorithm::HS256, &[n; 32]).unwrap().with_id(format!("k{n}")))
        .collect();
    let one = TrustedIssuer::new("https://one.test").audience("a");
    let other = TrustedIssuer::new("https://other.test").audience("a").key(keys[0].verifying_key());
    let auth = Auth::builder()
        .clock(clock.clone())
        .issuer(one.key(keys[0].verifying_key()).key(keys[1].verifying_key()))
        .issuer(other)
        .build()
        .unwrap();
    let app: axum::Router = Router::new().route("/", get(guarded)).finish(&auth).unwrap();
    let now = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut ended = Vec::new();
    for (issuer, key) in [("one", &keys[0]), ("one", &keys[1]), ("other", &keys[0])] {
        let issuer = format!("https://{issuer}.test");
        let claims =
            serde_json::json!({ "iss": issuer, "sub": "alice", "aud": "a", "iat": now, "exp": now + 900 });
        let bearer = format!("Bearer {}", key.sign(claims.as_object().unwrap()).unwrap());
        let principal = caller_of(&app, request("GET", "/", &[("authorization", &bearer)])).await;
        ended.push(principal.ended());
    }
    for waiter in &mut ended {
        assert!(timeout(Duration::from_secs(1), waiter).await.is_err());
    }
    let remaining = KeySet::new().key(keys[1].verifying_key()).key(keys[2].verifying_key());
    auth.replace_keys("https://one.test", remaining).unwrap();
    assert_eq!((&mut ended[0]).await, EndReason::KeyWithdrawn);
    for waiter in &mut ended[1..] {
        assert!(timeout(Duration::from_secs(100), waiter).await.is_err());
    }
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
