//! Tokens of keys that are not known here: one fetch in a cool-down, and what is answered meanwhile.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::{Principal, Router, auth};
use axum::body::Body;
use axum::http::{Request, header};
use futures_util::future::join_all;
use futures_util::poll;
use tower::ServiceExt as _;

use super::{
    ACCEPTED, Answer, INVALID, ISSUER, NOW, Provider, UNAVAILABLE, engine, is_remembered, key, kind, pass,
    started, token,
};
use crate::support::people::AUDIENCE;
use auth_runtime::session::SigningKey;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::Algorithm;
use serde_json::json;

/// How long a request waits for keys.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_new_key_is_fetched_once_and_then_its_tokens_are_accepted() {
    let [a, b, c] = [key("a"), key("b"), key("c")];
    let provider = Provider::new(&[&a]);
    let (auth, clock) = started(&provider).await;
    provider.publish(&[&a, &b]);
    assert_eq!(kind(&auth, &token(&b)).await, ACCEPTED);
    assert_eq!(provider.asked(), 2);
    // The next key comes too early for another fetch: it may be a good one.
    provider.publish(&[&a, &b, &c]);
    assert_eq!((kind(&auth, &token(&c)).await, provider.asked()), (UNAVAILABLE, 2));
    pass(&clock, Duration::from_secs(29)).await;
    assert_eq!((kind(&auth, &token(&c)).await, provider.asked()), (UNAVAILABLE, 2));
    pass(&clock, Duration::from_secs(1)).await;
    assert_eq!((kind(&auth, &token(&c)).await, provider.asked()), (ACCEPTED, 3));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_exist_is_refused_after_a_fetch_without_it_alone() {
    let [a, made_up] = [key("a"), key("made up")];
    let provider = Provider::new(&[&a]);
    let (auth, clock) = started(&provider).await;
    assert_eq!((kind(&auth, &token(&made_up)).await, provider.asked()), (INVALID, 2));
    assert_eq!((kind(&auth, &token(&made_up)).await, provider.asked()), (UNAVAILABLE, 2));
    pass(&clock, Duration::from_secs(30)).await;
    for answer in [Answer::Failure, Answer::Panic, Answer::Set(r#"{"keys":[]}"#.into())] {
        provider.set(answer);
        let asked = provider.asked();
        assert_eq!((kind(&auth, &token(&made_up)).await, provider.asked()), (UNAVAILABLE, asked + 1));
        assert_eq!(
            (kind(&auth, &token(&made_up)).await, provider.asked()),
            (UNAVAILABLE, asked + 1),
            "a failure cools down"
        );
        clock.advance(Duration::from_secs(30));
    }
    provider.set(Answer::Silence);
    let asked = tokio::time::Instant::now();
    assert_eq!(kind(&auth, &token(&made_up)).await, UNAVAILABLE);
    assert_eq!(asked.elapsed(), LONGEST_WAIT);
}

/// What no new key can mend is refused without a fetch.
#[tokio::test(start_paused = true)]
async fn other_invalid_tokens_have_nothing_fetched() {
    let [a, of_that_id] = [key("a"), key("a")];
    let provider = Provider::new(&[&a]);
    let (auth, _) = started(&provider).await;
    let of_another_algorithm = SigningKey::generate(Algorithm::EdDSA).unwrap().with_id("a");
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 600});
    let secret = SigningKey::secret(Algorithm::HS256, &[7; 32]).unwrap().with_id("s");
    let other_issuer =
        json!({"iss": "https://other.test", "aud": AUDIENCE, "sub": "alice", "exp": NOW + 600});
    let cut = token(&a).rsplit_once('.').map(|(start, _)| start.to_owned()).unwrap();
    for (what, token) in [
        ("a wrong signature of a known key", token(&of_that_id)),
        ("another algorithm of a known key", token(&of_another_algorithm)),
        ("a secret", secret.sign(&claims).unwrap()),
        ("another issuer", key("new").sign(&other_issuer).unwrap()),
        ("no signature", cut.clone()),
        ("an empty signature", format!("{cut}.")),
        ("no token", "x".to_owned()),
    ] {
        assert_eq!((kind(&auth, &token).await, provider.asked()), (INVALID, 1), "{what}");
    }
    // A token that names an address of keys has only the configured one asked.
    assert_eq!(kind(&auth, &token(&a)).await, ACCEPTED);
}

/// Such a key is left out of every set, so that a fetch would not bring it.
#[tokio::test(start_paused = true)]
async fn a_key_of_an_algorithm_that_is_not_named_has_nothing_fetched() {
    let a = key("a");
    let left_out = SigningKey::generate(Algorithm::EdDSA).unwrap().with_id("left out");
    let provider = Provider::new(&[&a, &left_out]);
    let clock = TestClock::new();
    let auth = engine(&clock, provider.issuer().jwks_algorithms([Algorithm::ES256]));
    auth.start().await.unwrap();
    for _ in 0..2 {
        assert_eq!((kind(&auth, &token(&left_out)).await, provider.asked()), (INVALID, 1));
    }
    assert_eq!(
        (kind(&auth, &token(&key("new"))).await, provider.asked()),
        (INVALID, 2),
        "it may be a new key"
    );
    assert_eq!(kind(&auth, &token(&a)).await, ACCEPTED);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_ids_causes_one_fetch_in_a_cool_down_and_costs_known_callers_nothing() {
    let a = key("a");
    let provider = Provider::new(&[&a]);
    let (auth, clock) = started(&provider).await;
    let known = token(&a);
    assert_eq!(kind(&auth, &known).await, ACCEPTED);
    let forger = key("any");
    let made_up: Vec<String> =
        (0..100).map(|n| super::token(&forger.clone().with_id(format!("made up {n}")))).collect();
    for round in 1..=3 {
        let asked = provider.asked();
        // 10,000 at once: at most 1,000 of them wait.
        let all = join_all((0..100).flat_map(|_| &made_up).map(|token| kind(&auth, token))).await;
        assert_eq!(provider.asked(), asked + 1, "{round}");
        let refused = all.iter().filter(|answer| **answer == INVALID).count();
        assert_eq!(refused, 1, "the one that had the keys fetched");
        assert!(all.iter().all(|answer| *answer == INVALID || *answer == UNAVAILABLE));
        assert!(is_remembered(&auth, &known));
        clock.advance(Duration::from_secs(30));
    }
}

#[auth]
pub(super) async fn page(user: Principal) -> String {
    user.subject().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_request_during_the_cool_down_is_answered_503_with_the_rest_of_it() {
    let [a, made_up] = [key("a"), key("made up")];
    let provider = Provider::new(&[&a]);
    let (auth, clock) = started(&provider).await;
    let app: axum::Router = Router::new().route("/", get(page)).finish(&auth).unwrap();
    let ask = async |key: &SigningKey| {
        let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {}", token(key)));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let retry_after =
            response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), retry_after)
    };
    assert_eq!(ask(&a).await, (200, None));
    assert_eq!(ask(&made_up).await, (401, None));
    assert_eq!(ask(&made_up).await, (503, Some("30".into())));
    clock.advance(Duration::from_secs(23));
    assert_eq!(ask(&made_up).await, (503, Some("7".into())));
    clock.advance(Duration::from_secs(7));
    assert_eq!(ask(&made_up).await, (401, None));
}

/// Of 1,001 that are sent at once, the last one finds 1,000 waiting.
#[tokio::test(start_paused = true)]
async fn a_thousand_requests_wait_for_two_seconds_and_the_next_one_is_answered_503_at_once() {
    let [a, made_up] = [key("a"), key("made up")];
    let provider = Provider::new(&[&a]);
    let (auth, _) = started(&provider).await;
    let app: axum::Router = Router::new().route("/", get(page)).finish(&auth).unwrap();
    provider.set(Answer::Silence);
    let ask = |key: &SigningKey| {
        let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {}", token(key)));
        app.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let sent = tokio::time::Instant::now();
    let mut requests: Vec<_> = (0..1001).map(|_| Box::pin(ask(&made_up))).collect();
    let mut at_once = Vec::new();
    for (index, request) in requests.iter_mut().enumerate() {
        if let Poll::Ready(answer) = poll!(request) {
            at_once.push((index, answer.unwrap().status().as_u16()));
        }
    }
    assert_eq!(at_once, [(1000, 503)]);
    // A caller with a known key does not wait among them.
    let answer = poll!(Box::pin(ask(&a)));
    assert!(matches!(&answer, Poll::Ready(Ok(answer)) if answer.status() == 200), "{answer:?}");
    requests.truncate(1000);
    let answers = join_all(requests).await;
    assert_eq!(sent.elapsed(), LONGEST_WAIT);
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 503)));
    assert_eq!(provider.asked(), 2);
}

/// A provider without ids of keys, which rotates: its tokens name no key.
#[tokio::test(start_paused = true)]
async fn keys_without_ids_are_rotated_too() {
    let [old, new] =
        [Algorithm::ES256, Algorithm::ES256].map(|algorithm| SigningKey::generate(algorithm).unwrap());
    let provider = Provider::new(&[&old]);
    let clock = TestClock::new();
    let auth = engine(&clock, provider.issuer());
    auth.start().await.unwrap();
    assert_eq!(kind(&auth, &token(&old)).await, ACCEPTED);
    provider.publish(&[&new]);
    assert_eq!(kind(&auth, &token(&new)).await, ACCEPTED);
    assert_eq!((kind(&auth, &token(&old)).await, provider.asked()), (UNAVAILABLE, 2));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_end_the_fetch() {
    let [a, b] = [key("a"), key("b")];
    let provider = Provider::new(&[&a]);
    let (auth, _) = started(&provider).await;
    provider.publish(&[&a, &b]);
    let of_b = token(&b);
    let mut asking = Box::pin(kind(&auth, &of_b));
    assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(asking);
    assert_eq!((kind(&auth, &of_b).await, provider.asked()), (ACCEPTED, 2));
}
