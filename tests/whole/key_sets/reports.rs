//! What an operator learns of keys that can't be fetched: in the log, by `key_sets`, and as the error of the start.

use std::fmt;
use std::time::Duration;

use auth_runtime::testing::TestClock;
use auth_runtime::verify::{KeySetKind, TrustedIssuer};

use super::{Answer, INVALID, ISSUER, Provider, UNAVAILABLE, engine, key, kind, pass, started, token};
use crate::captured_log::CapturedLog;
use crate::support::people::AUDIENCE;

#[tokio::test(start_paused = true)]
async fn the_log_says_what_a_failure_means_and_when_it_is_over() {
    let [a, b] = [key("a"), key("b")];
    let provider = Provider::new(&[&a]);
    provider.set(Answer::Failure);
    let log = CapturedLog::start(tracing::Level::INFO);
    let clock = TestClock::new();
    let auth = engine(&clock, provider.issuer());
    auth.start().await.unwrap_err();
    let text = log.take();
    assert!(
        text.contains("WARN") && text.contains("never were") && text.contains("the provider is down"),
        "{text}"
    );
    provider.publish(&[&a, &b]);
    pass(&clock, Duration::from_secs(31)).await;
    let text = log.take();
    assert!(text.contains("fetched again") && text.contains("failures=1"), "{text}");
    assert!(text.contains(r#"new=2: "a", "b""#), "{text}");
    provider.publish(&[&a]);
    pass(&clock, Duration::from_secs(600)).await;
    let text = log.take();
    assert!(text.contains(r#"withdrawn=1: "b""#), "{text}");
    provider.set(Answer::Failure);
    pass(&clock, Duration::from_secs(600)).await;
    let text = log.take();
    assert!(text.contains("WARN") && text.contains("those from before serve"), "{text}");
    assert!(text.contains("fetched_seconds_ago=600"), "{text}");
    pass(&clock, Duration::from_secs(24 * 3600)).await;
    let text = log.take();
    assert!(text.contains("ERROR") && text.contains("serve no longer"), "{text}");
    assert_eq!(auth.key_sets()[0].issuer, ISSUER);
    assert_eq!(auth.key_sets()[0].kind, KeySetKind::Issuer);
}

/// RFC 7517 §4.5 leaves it to the provider whether an id is given again. Everyone can send such a token, so nothing is fetched for it.
#[tokio::test(start_paused = true)]
async fn a_wrong_signature_of_a_known_id_says_that_the_id_may_be_of_another_key() {
    let [a, other] = [key("a"), key("a")];
    let provider = Provider::new(&[&a]);
    let (auth, clock) = started(&provider).await;
    let why = async |token: &str| auth.verify(token).await.unwrap_err().to_string();
    let hint = "given this id to another key";
    assert!(why(&token(&other)).await.contains(hint));
    assert_eq!(provider.asked(), 1);
    let text = why(&token(&key("made up"))).await;
    assert!(!text.contains(hint), "{text}");
    provider.publish(&[&other]);
    pass(&clock, Duration::from_secs(600)).await;
    assert_eq!(kind(&auth, &token(&other)).await, super::ACCEPTED);
}

/// Everyone can send tokens with ids that are made up.
#[tokio::test(start_paused = true)]
async fn a_thousand_unknown_ids_are_a_few_lines() {
    let a = key("a");
    let provider = Provider::new(&[&a]);
    let (auth, clock) = started(&provider).await;
    let app: axum::Router = auth_runtime::Router::new()
        .route("/", auth_runtime::routing::get(super::unknown_keys::page))
        .finish(&auth)
        .unwrap();
    let log = CapturedLog::start(tracing::Level::WARN);
    let made_up = token(&key("made up"));
    let bearer = format!("Bearer {made_up}");
    let ask = async || {
        let request = crate::support::request("GET", "/", &[("authorization", &bearer)]);
        crate::support::send(&app, request).await.status.as_u16()
    };
    assert_eq!(ask().await, 401);
    for _ in 0..1000 {
        assert_eq!(ask().await, 503);
    }
    let text = log.take();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("WARN") && text.contains(r#"`kid` \"made up\""#) && text.contains(ISSUER),
        "{text}"
    );
    clock.advance(Duration::from_secs(31));
    assert_eq!(ask().await, 401);
    assert_eq!(ask().await, 503);
    assert!(log.text().contains("count=1000"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_reason_names_the_failure_and_the_next_attempt() {
    let a = key("a");
    let provider = Provider::new(&[&a]);
    provider.set(Answer::Failure);
    let clock = TestClock::new();
    let auth = engine(&clock, provider.issuer());
    auth.start().await.unwrap_err();
    clock.advance(Duration::from_secs(10));
    let error = auth.verify(&token(&a)).await.unwrap_err().to_string();
    assert!(error.contains("can't be fetched: the provider is down; the next attempt is in 20 s"), "{error}");
}

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the set was not fetched")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was refused")
    }
}

impl std::error::Error for Inner {}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn the_causes_of_an_error_of_the_application_are_reported() {
    let issuer =
        TrustedIssuer::new(ISSUER).audience(AUDIENCE).jwks_from(async || Err::<String, _>(Outer(Inner)));
    let error = engine(&TestClock::new(), issuer).start().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("the set was not fetched: the connection was refused"), "{text}");
    assert_eq!((error.issuers().count(), error.transmitters().count()), (1, 0));
}

/// A key that is withdrawn is accepted for an hour at most, while the provider answers: also where the runtime that refreshed the keys has
/// ended, and where the machine was suspended.
#[test]
fn keys_are_refreshed_before_use_where_nothing_did() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for is_suspended in [false, true] {
        let [a, b] = [key("a"), key("b")];
        let provider = Provider::new(&[&a, &b]);
        let clock = TestClock::new();
        let auth = engine(&clock, provider.issuer());
        let first = runtime();
        first.block_on(auth.start()).unwrap();
        drop(first);
        provider.publish(&[&a]);
        let time = Duration::from_secs(3660);
        if is_suspended {
            let day = auth.now() + time;
            clock.set(day);
        } else {
            clock.advance(time);
        }
        runtime().block_on(async {
            assert_eq!(kind(&auth, &token(&b)).await, INVALID, "{is_suspended}");
            assert_eq!(kind(&auth, &token(&a)).await, Ok(()), "{is_suspended}");
            assert_eq!(provider.asked(), 2, "{is_suspended}");
        });
    }
}

/// Without a start, and built where no runtime is: the first token starts what refreshes the keys.
#[test]
fn keys_are_refreshed_where_nothing_was_started() {
    let [a, b] = [key("a"), key("b")];
    let provider = Provider::new(&[&a, &b]);
    let clock = TestClock::new();
    let auth = engine(&clock, provider.issuer());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        assert_eq!(kind(&auth, &token(&b)).await, Ok(()));
        provider.publish(&[&a]);
        pass(&clock, Duration::from_secs(600)).await;
        assert_eq!(provider.asked(), 2);
        assert!([INVALID, UNAVAILABLE].contains(&kind(&auth, &token(&b)).await));
    });
}
