//! Keys that are fetched, of a provider and of a transmitter: a new one has them fetched, and what can't be verified now is 503.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::Auth;
use auth_runtime::provider_logout::SecurityEventTransmitter;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use serde_json::{Value, json};

use super::{
    API, CLIENT, NOW, PROVIDER, RECEIVER, RISC, Signer, TRANSMITTER, app, assert_event_rejected,
    assert_logout_rejected, event_claims, form, logout_claims, pushed, user,
};
use crate::support::{Reply, send};

/// Where keys are published. `None`: it does not answer.
#[derive(Clone, Default)]
struct Published {
    keys: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
}

impl Published {
    fn set(&self, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        *self.keys.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    fn fetched_by(&self, issuer: TrustedIssuer) -> TrustedIssuer {
        let published = self.clone();
        issuer.jwks_from(move || {
            published.asked.fetch_add(1, Ordering::SeqCst);
            let keys = published.keys.lock().unwrap().as_ref().map(Value::to_string);
            async move { keys.ok_or("the provider is down") }
        })
    }
}

struct Service {
    auth: Auth,
    app: axum::Router,
    clock: TestClock,
    provider: Published,
    transmitter: Published,
}

impl Service {
    fn new() -> Self {
        let (provider, transmitter) = (Published::default(), Published::default());
        let clock = TestClock::new();
        let issuer = TrustedIssuer::new(PROVIDER).audience(API).logout_audience(CLIENT);
        let events = TrustedIssuer::new(TRANSMITTER).audience(RECEIVER);
        let events = SecurityEventTransmitter::new(transmitter.fetched_by(events)).subjects_of(PROVIDER);
        let auth = Auth::builder()
            .clock(clock.clone())
            .issuer(provider.fetched_by(issuer))
            .security_event_transmitter(events)
            .build()
            .unwrap();
        Self { app: app(&auth), auth, clock, provider, transmitter }
    }

    async fn log_out(&self, by: &Signer, typ: &str) -> Reply {
        let token = by.sign(Some(typ), &logout_claims(NOW, json!({"sub": "alice", "exp": NOW + 400_000})));
        send(&self.app, form(&format!("logout_token={token}"))).await
    }

    async fn push(&self, by: &Signer) -> Reply {
        let events = json!({format!("{RISC}account-disabled"): {}});
        let token = by.sign(Some("secevent+jwt"), &event_claims(NOW, user("alice"), events));
        send(&self.app, pushed(&token, &[])).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_key_has_the_keys_fetched_and_what_can_not_be_verified_now_is_503() {
    let service = Service::new();
    let [old, new] = [Signer::new("old"), Signer::new("new")];
    service.auth.start().await.expect_err("neither answers");
    for published in [&service.provider, &service.transmitter] {
        published.set(&[&old]);
    }
    service.clock.advance(Duration::from_secs(31));
    service.auth.start().await.unwrap();
    assert_eq!(service.auth.key_sets().len(), 2);
    assert_eq!(service.log_out(&old, "logout+jwt").await.status, 200);
    assert_eq!(service.push(&old).await.status, 202);

    let asked = service.provider.asked.load(Ordering::SeqCst);
    assert_logout_rejected(&service.log_out(&new, "at+jwt").await, "of no type that could help");
    assert_eq!(service.provider.asked.load(Ordering::SeqCst), asked);
    for published in [&service.provider, &service.transmitter] {
        published.set(&[&old, &new]);
    }
    assert_eq!(service.log_out(&new, "logout+jwt").await.status, 200);
    assert_eq!(service.push(&new).await.status, 202);
    assert_eq!(service.provider.asked.load(Ordering::SeqCst), asked + 1);

    // In the cool-down it is not known whether there is such a key.
    let unknown = Signer::new("unknown");
    for reply in [service.log_out(&unknown, "logout+jwt").await, service.push(&unknown).await] {
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "30"));
    }
    service.clock.advance(Duration::from_secs(31));
    assert_logout_rejected(&service.log_out(&unknown, "logout+jwt").await, "it is known then");
    assert_event_rejected(&service.push(&unknown).await, 400, "invalid_key", "it is known then");
}

/// What refreshes the keys did not run, as while the machine was suspended: no text is believed by the keys from before.
#[tokio::test(start_paused = true)]
async fn overdue_keys_are_fetched_before_a_text_is_believed() {
    let service = Service::new();
    let [old, new] = [Signer::new("old"), Signer::new("new")];
    let publish = |signer: &Signer| {
        for published in [&service.provider, &service.transmitter] {
            published.set(&[signer]);
        }
    };
    publish(&old);
    service.auth.start().await.unwrap();
    publish(&new);
    service.clock.advance(Duration::from_secs(3600));
    assert_logout_rejected(&service.log_out(&old, "logout+jwt").await, "its key was withdrawn");
    assert_event_rejected(&service.push(&old).await, 400, "invalid_key", "its key was withdrawn");
    assert_eq!(service.log_out(&new, "logout+jwt").await.status, 200);
    assert_eq!(service.push(&new).await.status, 202);
}

/// Keys serve for 24 hours after they were last fetched.
#[tokio::test(start_paused = true)]
async fn keys_that_were_fetched_too_long_ago_verify_nothing() {
    let service = Service::new();
    let old = Signer::new("old");
    for published in [&service.provider, &service.transmitter] {
        published.set(&[&old]);
    }
    service.auth.start().await.unwrap();
    for published in [&service.provider, &service.transmitter] {
        *published.keys.lock().unwrap() = None;
    }
    service.clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(service.log_out(&old, "logout+jwt").await.status, 200);
    service.clock.advance(Duration::from_secs(1));
    for reply in [service.log_out(&old, "logout+jwt").await, service.push(&old).await] {
        assert_eq!(reply.status, 503);
    }
}
