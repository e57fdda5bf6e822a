//! Several issuers, each with keys of its own: what becomes of one concerns no other. And what `readiness` says of them.

use std::time::Duration;

use auth_runtime::provider_logout::SecurityEventTransmitter;
use auth_runtime::routing::get;
use auth_runtime::session::readiness;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, AuthBuilder, Router};

use super::{
    ACCEPTED, Answer, INVALID, Provider, UNAVAILABLE, is_remembered, key, kind, pass, tick, token_of,
};
use crate::support::status;

const ONE: &str = "https://one.test";
const OTHER: &str = "https://other.test";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn engine(clock: &TestClock, issuers: impl IntoIterator<Item = TrustedIssuer>) -> Auth {
    let builder = Auth::builder().clock(clock.clone()).max_token_lifetime(30 * DAY);
    issuers.into_iter().fold(builder, AuthBuilder::issuer).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_key_that_goes_or_changes_concerns_the_tokens_of_its_issuer_alone() {
    // The ids are the same: they are those of their issuer.
    let [a, b, changed, of_other] = [key("a"), key("b"), key("b"), key("a")];
    let (one, other) = (Provider::new(&[&a, &b]), Provider::new(&[&of_other]));
    let clock = TestClock::new();
    let auth = engine(&clock, [one.issuer_named(ONE), other.issuer_named(OTHER)]);
    auth.start().await.unwrap();
    let tokens = [token_of(&a, ONE), token_of(&b, ONE), token_of(&of_other, OTHER)];
    for published in [vec![&a, &changed], vec![&a]] {
        one.publish(&[&a, &b]);
        pass(&clock, Duration::from_secs(600)).await;
        for token in &tokens {
            assert_eq!(kind(&auth, token).await, ACCEPTED);
            assert!(is_remembered(&auth, token));
        }
        one.publish(&published);
        let asked = [one.asked(), other.asked()];
        pass(&clock, Duration::from_secs(600)).await;
        assert_eq!([one.asked(), other.asked()], asked.map(|count| count + 1), "both were fetched");
        let [of_a, of_b, of_other] = &tokens;
        assert!(is_remembered(&auth, of_a) && is_remembered(&auth, of_other));
        assert!(kind(&auth, of_b).await.is_err());
    }
    // A key of one issuer is none of the other, whatever its id.
    assert_eq!(kind(&auth, &token_of(&a, OTHER)).await, INVALID);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_concerns_the_tokens_of_its_issuer_alone() {
    let [a, b] = [key("a"), key("b")];
    let (up, down) = (Provider::new(&[&a]), Provider::new(&[&b]));
    down.set(Answer::Failure);
    let clock = TestClock::new();
    let issuers = || [up.issuer_named(ONE), down.issuer_named(OTHER)];
    let error = engine(&clock, issuers()).start().await.unwrap_err();
    assert_eq!(error.issuers().count(), 1, "{error}");
    assert!(error.to_string().contains(OTHER) && !error.to_string().contains(ONE), "{error}");

    let auth = engine(&clock, issuers().map(TrustedIssuer::serve_503_until_reachable));
    auth.start().await.unwrap();
    let [of_a, of_b] = [token_of(&a, ONE), token_of(&b, OTHER)];
    assert_eq!([kind(&auth, &of_a).await, kind(&auth, &of_b).await], [ACCEPTED, UNAVAILABLE]);
    // A token that has one provider asked has the other asked nothing.
    clock.advance(Duration::from_secs(30));
    let asked = [up.asked(), down.asked()];
    assert_eq!(kind(&auth, &token_of(&key("made up"), OTHER)).await, UNAVAILABLE);
    assert_eq!([up.asked(), down.asked()], [asked[0], asked[1] + 1]);

    down.publish(&[&b]);
    pass(&clock, Duration::from_secs(600)).await;
    assert_eq!([kind(&auth, &of_a).await, kind(&auth, &of_b).await], [ACCEPTED, ACCEPTED]);
    down.set(Answer::Failure);
    for _ in 0..24 {
        assert!(is_remembered(&auth, &of_a) && is_remembered(&auth, &of_b), "the last keys serve for a day");
        pass(&clock, Duration::from_secs(3600)).await;
    }
    assert_eq!([kind(&auth, &of_a).await, kind(&auth, &of_b).await], [ACCEPTED, UNAVAILABLE]);
    let ready: Vec<bool> = auth.key_sets().iter().map(|status| status.ready).collect();
    assert_eq!(ready, [true, false]);
}

async fn readiness_of(auth: &Auth) -> u16 {
    let app: axum::Router = Router::new().route("/ready", get(readiness)).finish(auth).unwrap();
    status(&app, "GET", "/ready", None).await
}

#[tokio::test(start_paused = true)]
async fn readiness_is_503_while_an_issuer_has_no_keys_unless_it_may_lack_them() {
    for (may_lack, while_down) in [(false, 503), (true, 204)] {
        let (a, clock) = (key("a"), TestClock::new());
        let [steady, provider] = [(); 2].map(|()| Provider::new(&[&a]));
        let issuer = provider.issuer_named(OTHER);
        let issuer = if may_lack { issuer.serve_503_until_reachable() } else { issuer };
        let auth = engine(&clock, [steady.issuer_named(ONE), issuer]);
        provider.set(Answer::Failure);
        assert_eq!(auth.start().await.is_ok(), may_lack);
        // Whatever `readiness` is, tokens of the issuer are 503, and the status says so.
        let unavailable = async || {
            assert_eq!(kind(&auth, &token_of(&a, OTHER)).await, UNAVAILABLE);
            let status = auth.key_sets().into_iter().find(|status| status.issuer.contains(OTHER)).unwrap();
            assert!(!status.ready && status.failure.is_some(), "{status:?}");
        };
        assert_eq!(readiness_of(&auth).await, while_down, "never fetched");
        unavailable().await;
        provider.publish(&[&a]);
        pass(&clock, Duration::from_secs(31)).await;
        assert_eq!(readiness_of(&auth).await, 204);
        provider.set(Answer::Failure);
        for hours in 1..=24 {
            assert_eq!(readiness_of(&auth).await, 204, "the last keys serve");
            pass(&clock, Duration::from_secs(if hours == 24 { 3600 - 31 } else { 3600 })).await;
        }
        pass(&clock, Duration::from_secs(60)).await;
        assert_eq!(readiness_of(&auth).await, while_down, "too old");
        unavailable().await;
        provider.publish(&[&a]);
        pass(&clock, Duration::from_secs(31)).await;
        tick().await;
        assert_eq!(readiness_of(&auth).await, 204, "it is back");
    }
}

/// The callers of the issuers can be served without it.
#[tokio::test(start_paused = true)]
async fn readiness_does_not_depend_on_a_transmitter_of_security_events() {
    let (a, clock) = (key("a"), TestClock::new());
    let [issuer, transmitter] = [(); 2].map(|()| Provider::new(&[&a]));
    transmitter.set(Answer::Failure);
    let events = SecurityEventTransmitter::new(transmitter.issuer_named(OTHER)).subjects_of(ONE);
    let builder = Auth::builder().clock(clock).issuer(issuer.issuer_named(ONE));
    let auth = builder.security_event_transmitter(events).build().unwrap();
    assert_eq!(readiness_of(&auth).await, 503, "the keys of the issuer were not fetched");
    let error = auth.start().await.unwrap_err().to_string();
    assert!(error.contains(OTHER) && !error.contains(ONE), "{error}");
    assert_eq!(readiness_of(&auth).await, 204);
    let ready: Vec<bool> = auth.key_sets().iter().map(|status| status.ready).collect();
    assert_eq!(ready, [true, false]);
}
