//! For how long a key that its provider has withdrawn is accepted: an hour at most, whatever the answers say and however late they come.

use std::time::Duration;

use auth_runtime::Auth;
use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::testing::TestClock;
use futures_util::future::join_all;
use futures_util::poll;

use super::{
    ACCEPTED, Answer, INVALID, Provider, UNAVAILABLE, is_remembered, key, kind, pass, set, started, token,
};
use crate::support::flaky::FlakyStore;

const HOUR: Duration = Duration::from_secs(3600);

/// Both clocks go on, second by second, and a request arrives in each. Returns what the last one is answered.
async fn with_requests(
    (auth, clock): (&Auth, &TestClock),
    token: &str,
    time: Duration,
) -> Result<(), CallerErrorKind> {
    let mut last = ACCEPTED;
    for _ in 0..time.as_secs() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        clock.advance(Duration::from_secs(1));
        last = kind(auth, token).await;
    }
    last
}

/// The first refresh is not answered at all, and the next one as late as a fetch may be.
#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_is_refused_within_the_hour_while_requests_run() {
    let [a, b] = [key("a"), key("b")];
    for says in [3600, 86_400] {
        let provider = Provider::new(&[&a, &b]).saying(Duration::from_secs(says));
        let (auth, clock) = started(&provider).await;
        let (engine, [of_a, of_b]) = ((&auth, &clock), [token(&a), token(&b)]);
        // It is withdrawn right after it was fetched.
        provider.set(Answer::Silence);
        let before = HOUR - Duration::from_secs(80);
        assert_eq!(with_requests(engine, &of_b, before).await, ACCEPTED, "{says}");
        assert_eq!(provider.asked(), 2, "the refresh began: {says}");
        provider.set(Answer::Late(Duration::from_secs(29), set(&[&a])));
        // That it was withdrawn is known, and each request looks for it among newer keys.
        assert_eq!(with_requests(engine, &of_b, Duration::from_secs(80)).await, UNAVAILABLE, "{says}");
        assert_eq!(kind(&auth, &of_a).await, ACCEPTED, "{says}");
        provider.publish(&[&a]);
        pass(&clock, Duration::from_secs(31)).await;
        assert_eq!(kind(&auth, &of_b).await, INVALID, "{says}");
    }
}

/// The machine was suspended, and its first fetch is answered late: nothing is decided by the keys from before.
#[tokio::test(start_paused = true)]
async fn nothing_is_decided_by_overdue_keys_while_a_slow_fetch_goes_on() {
    let [a, b] = [key("a"), key("b")];
    let provider = Provider::new(&[&a, &b]).saying(HOUR);
    let (auth, clock) = started(&provider).await;
    let [of_a, of_b] = [token(&a), token(&b)];
    for token in [&of_a, &of_b] {
        assert_eq!(kind(&auth, token).await, ACCEPTED);
    }
    provider.set(Answer::Late(Duration::from_secs(20), set(&[&a])));
    clock.advance(HOUR);
    let asked = tokio::time::Instant::now();
    assert_eq!([kind(&auth, &of_a).await, kind(&auth, &of_b).await], [UNAVAILABLE; 2]);
    assert_eq!(asked.elapsed().as_secs(), 4, "each waits for 2 s");
    assert_eq!(provider.asked(), 2, "for one fetch");
    tokio::time::sleep(Duration::from_secs(17)).await;
    provider.publish(&[&a]);
    assert_eq!([kind(&auth, &of_a).await, kind(&auth, &of_b).await], [ACCEPTED, INVALID]);
    assert!(is_remembered(&auth, &of_a));
}

/// A provider that is down is another case: the last keys serve, as soon as it is known.
#[tokio::test(start_paused = true)]
async fn overdue_keys_serve_again_once_their_fetch_has_failed() {
    let a = key("a");
    for (answer, at_first) in [(Answer::Failure, ACCEPTED), (Answer::Silence, UNAVAILABLE)] {
        let provider = Provider::new(&[&a]);
        let (auth, clock) = started(&provider).await;
        provider.set(answer);
        clock.advance(HOUR);
        assert_eq!(kind(&auth, &token(&a)).await, at_first);
        pass(&clock, Duration::ZERO).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(kind(&auth, &token(&a)).await, ACCEPTED);
    }
}

/// The store of revocations is another server than the provider.
#[tokio::test(start_paused = true)]
async fn keys_are_refreshed_while_the_store_does_not_answer() {
    let [a, b] = [key("a"), key("b")];
    let (provider, store, clock) = (Provider::new(&[&a, &b]), FlakyStore::default(), TestClock::new());
    let builder =
        Auth::builder().clock(clock.clone()).max_token_lifetime(Duration::from_secs(30 * 24 * 3600));
    let auth = builder.issuer(provider.issuer()).store(store.clone()).build().unwrap();
    auth.start().await.unwrap();
    store.hang_when_dropping();
    // Nothing is forgotten in the first hour.
    for _ in 0..7 {
        pass(&clock, Duration::from_secs(600)).await;
    }
    assert_eq!(store.hanging(), 1, "it waits for the store");
    let asked = provider.asked();
    provider.publish(&[&a]);
    pass(&clock, Duration::from_secs(600)).await;
    assert_eq!((provider.asked(), store.hanging()), (asked + 1, 1));
    assert_eq!(auth.key_sets()[0].keys, 1);
}

/// Those that find 1,000 waiting are not let in either.
#[tokio::test(start_paused = true)]
async fn a_thousand_wait_for_overdue_keys_and_the_next_one_is_answered_503_at_once() {
    let a = key("a");
    let provider = Provider::new(&[&a]);
    let (auth, clock) = started(&provider).await;
    let known = token(&a);
    assert_eq!(kind(&auth, &known).await, ACCEPTED);
    provider.set(Answer::Silence);
    clock.advance(HOUR);
    let mut waiting: Vec<_> = (0..1000).map(|_| Box::pin(kind(&auth, &known))).collect();
    for one in &mut waiting {
        assert!(poll!(one).is_pending());
    }
    let asked = tokio::time::Instant::now();
    assert_eq!(kind(&auth, &known).await, UNAVAILABLE);
    assert!(asked.elapsed().is_zero(), "it did not wait");
    assert!(join_all(waiting).await.iter().all(|answer| *answer == UNAVAILABLE));
    assert_eq!((asked.elapsed().as_secs(), provider.asked()), (2, 2));
}
