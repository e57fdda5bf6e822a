//! Key sets that are fetched: when, by whom, and what is answered meanwhile. The provider is a function here; `provider` has one that
//! is asked over HTTP.

mod attack;
mod configuration;
mod hostile;
mod issuers;
mod provider;
mod proxy;
mod reports;
mod server;
mod tls;
mod unknown_keys;
mod withdrawn;

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use auth_runtime::Auth;
use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::session::SigningKey;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, FetchedKeySet, TrustedIssuer};
use serde_json::{Value, json};

use crate::captured_log::CapturedLog;
use crate::replace_keys::jwk;
use crate::support::people::AUDIENCE;

const ISSUER: &str = "https://id.test";
/// The time of a new `TestClock`.
const NOW: i64 = 1_800_000_000;

fn key(id: &str) -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap().with_id(id)
}

/// The public keys as the provider publishes them.
fn set(keys: &[&SigningKey]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| jwk(key)).collect();
    json!({ "keys": keys }).to_string()
}

fn token(key: &SigningKey) -> String {
    token_of(key, ISSUER)
}

fn token_of(key: &SigningKey, issuer: &str) -> String {
    key.sign(&json!({"iss": issuer, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 7 * 24 * 3600})).unwrap()
}

fn engine(clock: &TestClock, issuer: TrustedIssuer) -> Auth {
    let longest = Duration::from_secs(30 * 24 * 3600);
    Auth::builder().clock(clock.clone()).max_token_lifetime(longest).issuer(issuer).build().unwrap()
}

/// What a provider does when it is asked.
#[derive(Clone, Debug)]
enum Answer {
    Set(String),
    /// A set, after this time.
    Late(Duration, String),
    Failure,
    Panic,
    /// No answer.
    Silence,
}

/// A provider that counts how often it is asked.
#[derive(Clone)]
struct Provider {
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
    /// What its answers say.
    fresh_for: Option<Duration>,
}

impl Provider {
    fn new(keys: &[&SigningKey]) -> Self {
        let answer = Answer::Set(set(keys));
        Self { answer: Arc::new(Mutex::new(answer)), asked: Arc::default(), fresh_for: None }
    }

    fn saying(self, fresh_for: Duration) -> Self {
        Self { fresh_for: Some(fresh_for), ..self }
    }

    fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn publish(&self, keys: &[&SigningKey]) {
        self.set(Answer::Set(set(keys)));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn issuer(&self) -> TrustedIssuer {
        self.issuer_named(ISSUER)
    }

    fn issuer_named(&self, name: &str) -> TrustedIssuer {
        let provider = self.clone();
        TrustedIssuer::new(name).audience(AUDIENCE).jwks_from(move || {
            provider.asked.fetch_add(1, Ordering::SeqCst);
            let answer = provider.answer.lock().unwrap().clone();
            let fresh_for = provider.fresh_for;
            async move {
                let set = match answer {
                    Answer::Set(set) => set,
                    Answer::Late(time, set) => {
                        tokio::time::sleep(time).await;
                        set
                    }
                    Answer::Failure => return Err("the provider is down"),
                    Answer::Panic => panic!("the function has a fault"),
                    Answer::Silence => std::future::pending().await,
                };
                let set = FetchedKeySet::new(set);
                Ok(match fresh_for {
                    Some(time) => set.fresh_for(time),
                    None => set,
                })
            }
        })
    }
}

/// An engine whose keys were fetched, with its clock.
async fn started(provider: &Provider) -> (Auth, TestClock) {
    let clock = TestClock::new();
    let auth = engine(&clock, provider.issuer());
    auth.start().await.unwrap();
    (auth, clock)
}

/// The clock goes on, and the background task ticks.
async fn pass(clock: &TestClock, time: Duration) {
    clock.advance(time);
    tick().await;
}

/// The background task ticks, and what it starts ends, if it does not wait for a timer.
async fn tick() {
    tokio::time::sleep(Duration::from_millis(2100)).await;
}

async fn kind(auth: &Auth, token: &str) -> Result<(), CallerErrorKind> {
    auth.verify(token).await.map(drop).map_err(|error| error.kind())
}

/// Whether a token is accepted at once, and nothing is allocated for it: it is remembered.
fn is_remembered(auth: &Auth, token: &str) -> bool {
    let mut is_accepted = false;
    let info = measure(|| {
        let verified = pin!(auth.verify(token)).poll(&mut Context::from_waker(Waker::noop()));
        is_accepted = matches!(verified, Poll::Ready(Ok(_)));
    });
    is_accepted && info.count_total == 0
}

const ACCEPTED: Result<(), CallerErrorKind> = Ok(());
const INVALID: Result<(), CallerErrorKind> = Err(CallerErrorKind::Invalid);
const UNAVAILABLE: Result<(), CallerErrorKind> = Err(CallerErrorKind::Unavailable);

#[tokio::test(start_paused = true)]
async fn keys_are_refreshed_every_ten_minutes_and_a_withdrawn_one_is_refused_from_then_on() {
    let [a, b] = [key("a"), key("b")];
    let provider = Provider::new(&[&a, &b]);
    let (auth, clock) = started(&provider).await;
    assert_eq!(provider.asked(), 1);
    for token in [token(&a), token(&b)] {
        assert_eq!(kind(&auth, &token).await, ACCEPTED);
    }
    provider.publish(&[&a]);
    pass(&clock, Duration::from_secs(599)).await;
    assert_eq!((provider.asked(), kind(&auth, &token(&b)).await), (1, ACCEPTED));
    let [of_a, of_b] = [token(&a), token(&b)];
    assert_eq!([kind(&auth, &of_a).await, kind(&auth, &of_b).await], [ACCEPTED, ACCEPTED]);
    pass(&clock, Duration::from_secs(1)).await;
    assert_eq!(provider.asked(), 2);
    assert!(is_remembered(&auth, &of_a), "the tokens of the key that stayed need not be verified again");
    assert_eq!(kind(&auth, &of_b).await, INVALID);
}

/// The greater bound leaves time to fetch the keys before the hour is over.
#[tokio::test(start_paused = true)]
async fn an_answer_says_for_how_long_it_is_fresh_within_a_minute_and_less_than_an_hour() {
    let a = key("a");
    for (says, expected) in [(0, 60), (90, 90), (3600, 3510), (86_400, 3510)] {
        let provider = Provider::new(&[&a]).saying(Duration::from_secs(says));
        let (_auth, clock) = started(&provider).await;
        pass(&clock, Duration::from_secs(expected - 1)).await;
        assert_eq!(provider.asked(), 1, "{says}");
        pass(&clock, Duration::from_secs(1)).await;
        assert_eq!(provider.asked(), 2, "{says}");
    }
}

/// An empty set, one that can't be read, one without a usable key: none replaces a good one.
#[tokio::test(start_paused = true)]
async fn the_last_good_keys_serve_for_a_day_and_then_tokens_are_unavailable() {
    let a = key("a");
    let known = token(&a);
    for bad in [
        Answer::Failure,
        Answer::Panic,
        Answer::Silence,
        Answer::Set(String::new()),
        Answer::Set(r#"{"keys":[]}"#.into()),
        Answer::Set("<html>".into()),
        Answer::Set(r#"{"keys":[{"kty":"RSA","kid":"x"}]}"#.into()),
        Answer::Set(
            r#"{"keys":[{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","alg":"HS256"}]}"#
                .into(),
        ),
        Answer::Set(format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(512 * 1024))),
    ] {
        let shown: String = format!("{bad:?}").chars().take(60).collect();
        let provider = Provider::new(&[&a]);
        let (auth, clock) = started(&provider).await;
        assert_eq!(kind(&auth, &known).await, ACCEPTED);
        provider.set(bad);
        pass(&clock, Duration::from_secs(600)).await;
        // A fetch that does not end is given up after 30 s.
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert!(is_remembered(&auth, &known), "{shown}");
        let status = auth.key_sets().remove(0);
        assert!(status.ready && status.failure.is_some() && status.keys == 1, "{shown} {status:?}");
        // The clock of the engine is set ahead in one go: the keys are overdue until another fetch has failed.
        pass(&clock, Duration::from_secs(24 * 3600 - 601)).await;
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert_eq!(kind(&auth, &known).await, ACCEPTED, "{shown}");
        clock.advance(Duration::from_secs(1));
        assert_eq!([kind(&auth, &known).await, kind(&auth, &token(&a)).await], [UNAVAILABLE; 2], "{shown}");
        assert!(!auth.key_sets()[0].ready, "{shown}");
        provider.publish(&[&a]);
        // What does not end is given up by the engine's clock, and what failed is tried again after the cool-down.
        for _ in 0..3 {
            pass(&clock, Duration::from_secs(31)).await;
        }
        assert_eq!(kind(&auth, &known).await, ACCEPTED, "{shown}: it is back");
        assert_eq!(auth.key_sets()[0].failure, None, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_can_not_be_used_is_skipped_with_a_line_in_the_log() {
    let a = key("a");
    let provider = Provider::new(&[&a]);
    let mut keys: Value = serde_json::from_str(&set(&[&a])).unwrap();
    keys["keys"].as_array_mut().unwrap().insert(0, json!({"kty": "EC", "crv": "P-999", "kid": "odd"}));
    provider.set(Answer::Set(keys.to_string()));
    let log = CapturedLog::start(tracing::Level::WARN);
    let (auth, clock) = started(&provider).await;
    assert_eq!(kind(&auth, &token(&a)).await, ACCEPTED);
    assert_eq!(log.take().matches("a key of the JWKS is not used").count(), 1);
    pass(&clock, Duration::from_secs(600)).await;
    assert_eq!((provider.asked(), log.take().as_str()), (2, ""), "the same set says nothing new");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_an_error_of_the_start_or_503_until_it_is_up() {
    let a = key("a");
    let provider = Provider::new(&[&a]);
    provider.set(Answer::Failure);
    let clock = TestClock::new();
    let auth = engine(&clock, provider.issuer());
    let error = auth.start().await.unwrap_err();
    assert_eq!(error.issuers().collect::<Vec<_>>(), ["https://id.test"]);
    let text = error.to_string();
    assert!(text.contains("the provider is down") && text.contains("serve_503_until_reachable"), "{text}");
    provider.publish(&[&a]);
    auth.start().await.expect("a second start tries again");
    assert_eq!(kind(&auth, &token(&a)).await, ACCEPTED);

    provider.set(Answer::Failure);
    let issuer = provider.issuer().serve_503_until_reachable();
    let auth = engine(&clock, issuer);
    auth.start().await.expect("it starts all the same");
    assert_eq!(kind(&auth, &token(&a)).await, UNAVAILABLE);
    provider.publish(&[&a]);
    pass(&clock, Duration::from_secs(31)).await;
    assert_eq!(kind(&auth, &token(&a)).await, ACCEPTED);
}

#[tokio::test(start_paused = true)]
async fn before_the_start_keys_are_fetched_by_the_background_task_or_the_first_token() {
    let a = key("a");
    let provider = Provider::new(&[&a]);
    let auth = engine(&TestClock::new(), provider.issuer());
    assert_eq!(provider.asked(), 0, "`build` does no I/O");
    assert_eq!(kind(&auth, &token(&a)).await, ACCEPTED);
    assert_eq!(provider.asked(), 1);
    tick().await;
    assert_eq!(provider.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_socket_ends_when_its_key_is_withdrawn_and_when_the_keys_are_too_old() {
    use auth_runtime::streams::EndReason;
    let [a, b] = [key("a"), key("b")];
    for (withdraws, expected) in [(true, EndReason::KeyWithdrawn), (false, EndReason::Unavailable)] {
        let provider = Provider::new(&[&a]);
        let (auth, clock) = started(&provider).await;
        let caller = auth.verify(&token(&a)).await.unwrap();
        let mut ended = pin!(caller.ended());
        assert!(ended.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        if withdraws {
            provider.publish(&[&b]);
            pass(&clock, Duration::from_secs(600)).await;
        } else {
            provider.set(Answer::Failure);
            pass(&clock, Duration::from_secs(24 * 3600)).await;
        }
        assert_eq!(ended.await, expected);
    }
}
