//! All tokens of an identity provider at once, such as after its account base was compromised.

use std::time::Duration;

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::session::SigningKey;
use auth_runtime::store::{LogCursor, LogRead, MemoryStore, RevocationLog as _};
use auth_runtime::streams::EndReason;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Principal};
use serde_json::{Value, json};

use super::{app, status};
use crate::support::{caller_of, request};

const STOLEN: &str = "https://stolen.test";
const OTHER: &str = "https://other.test";

/// An instance that trusts two providers, whose users have the same names.
struct Instance {
    auth: Auth,
    app: axum::Router,
    clock: TestClock,
}

struct Providers {
    key: SigningKey,
    store: MemoryStore,
}

impl Providers {
    fn new() -> Self {
        Self { key: SigningKey::generate(Algorithm::EdDSA).unwrap(), store: MemoryStore::new() }
    }

    async fn instance(&self, clock: &TestClock) -> Instance {
        let trusted = |name: &str| TrustedIssuer::new(name).audience("a").key(self.key.verifying_key());
        let builder = Auth::builder().issuer(trusted(STOLEN)).issuer(trusted(OTHER)).clock(clock.clone());
        let auth = builder.store(self.store.clone()).build().unwrap();
        auth.start().await.unwrap();
        Instance { app: app(&auth), auth, clock: clock.clone() }
    }

    fn token(&self, issuer: &str, subject: &str, iat: Option<u64>, exp: u64) -> String {
        let mut claims = json!({
            "iss": issuer, "aud": "a", "sub": subject, "sid": "s", "jti": "t", "exp": exp, "issuer_generation": 7,
        });
        claims["iat"] = iat.map_or(Value::Null, Value::from);
        if iat.is_none() {
            claims.as_object_mut().unwrap().remove("iat");
        }
        self.key.sign(&claims).unwrap()
    }
}

impl Instance {
    fn now(&self) -> u64 {
        self.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
    }

    fn stolen(&self) -> Revocation {
        Revocation::Issuer { issuer: STOLEN.into(), issued_at_or_before: self.clock.now() }
    }

    async fn caller(&self, token: &str) -> Principal {
        let bearer = format!("Bearer {token}");
        caller_of(&self.app, request("GET", "/", &[("authorization", &bearer)])).await
    }
}

#[tokio::test]
async fn all_tokens_of_a_provider_are_revoked_and_those_of_another_are_not() {
    let (providers, clock) = (Providers::new(), TestClock::new());
    let (one, two) = (providers.instance(&clock).await, providers.instance(&clock).await);
    let now = one.now();
    // Its clock may be ahead by the leeway, and a token without `iat` can't be shown to be newer.
    let revoked: Vec<String> = [Some(now - 3600), Some(now), Some(now + 60), None]
        .into_iter()
        .flat_map(|iat| ["alice", "bob"].map(|subject| providers.token(STOLEN, subject, iat, now + 7200)))
        .collect();
    let of_other = providers.token(OTHER, "alice", Some(now), now + 7200);
    // All are remembered.
    for instance in [&one, &two] {
        for token in revoked.iter().chain([&of_other]) {
            assert_eq!(status(&instance.app, token).await, 200);
        }
    }
    let (caller, caller_of_other) = (two.caller(&revoked[0]).await, two.caller(&of_other).await);
    let mut ended = std::pin::pin!(caller.ended());
    assert!(futures_util::poll!(&mut ended).is_pending());

    let revocations = one.auth.revocations();
    assert!(revocations.revoke(one.stolen()).await.unwrap());
    assert!(!revocations.revoke(one.stolen()).await.unwrap(), "up to the same second");
    two.auth.start().await.unwrap();
    assert_eq!(ended.await, EndReason::Revoked);
    assert!(futures_util::poll!(std::pin::pin!(caller_of_other.ended())).is_pending());
    let restarted = providers.instance(&clock).await;
    for instance in [&one, &two, &restarted] {
        for token in &revoked {
            assert_eq!(status(&instance.app, token).await, 401);
        }
        assert_eq!(status(&instance.app, &of_other).await, 200);
    }

    // A login there, after the leeway.
    clock.advance(Duration::from_secs(61));
    for instance in [&one, &two, &restarted] {
        instance.auth.start().await.unwrap();
        let new = providers.token(STOLEN, "alice", Some(now + 61), now + 7200);
        assert_eq!(status(&instance.app, &new).await, 200);
        assert_eq!(status(&instance.app, &revoked[0]).await, 401);
    }
    assert!(revocations.revoke(one.stolen()).await.unwrap(), "it ends more");
}

/// Up to a time in the past, as for a user. It ends no more than what was issued by then.
#[tokio::test]
async fn tokens_of_a_provider_up_to_a_time() {
    let (providers, clock) = (Providers::new(), TestClock::new());
    let one = providers.instance(&clock).await;
    let now = one.now();
    let bound = one.clock.now() - Duration::from_secs(100);
    let past = || Revocation::Issuer { issuer: STOLEN.into(), issued_at_or_before: bound };
    assert!(one.auth.revocations().revoke(past()).await.unwrap());
    assert!(!one.auth.revocations().revoke(past()).await.unwrap());
    for (iat, expected) in [(Some(now - 100), 401), (None, 401), (Some(now - 99), 200)] {
        let token = providers.token(STOLEN, "alice", iat, now + 600);
        assert_eq!(status(&one.app, &token).await, expected, "{iat:?}");
    }
}

/// As long as a token that was issued by now may be accepted, and no longer.
#[tokio::test]
async fn it_is_kept_until_the_last_token_has_expired() {
    const HOUR: u64 = 3600;
    let (providers, clock) = (Providers::new(), TestClock::new());
    let one = providers.instance(&clock).await;
    let token = providers.token(STOLEN, "alice", Some(one.now() + 60), one.now() + 60 + 24 * HOUR);
    assert_eq!(status(&one.app, &token).await, 200);
    one.auth.revocations().revoke(one.stolen()).await.unwrap();
    for hour in 0..24 {
        assert_eq!(status(&one.app, &token).await, 401, "after {hour} hours");
        clock.advance(Duration::from_secs(HOUR));
        one.auth.start().await.unwrap();
        one.auth.revocations().drop_expired().await.unwrap();
    }
    assert_eq!(one.auth.revocations().status().entries, 1);
    clock.advance(Duration::from_secs(4 * HOUR));
    one.auth.start().await.unwrap();
    one.auth.revocations().drop_expired().await.unwrap();
    assert_eq!((one.auth.revocations().status().entries, providers.store.revocations()), (0, 0));
}

/// The entry is of a kind of its own: an instance of a version that does not know it answers 503, as for any other kind.
#[tokio::test]
async fn the_entry_is_of_a_kind_of_its_own() {
    let (providers, clock) = (Providers::new(), TestClock::new());
    let one = providers.instance(&clock).await;
    one.auth.revocations().revoke(one.stolen()).await.unwrap();
    let page = providers.store.read(LogCursor::START, 10).await.unwrap();
    let LogRead::Page(page) = page else { panic!("{page:?}") };
    let text: Value = serde_json::from_slice(&page.entries[0].bytes).unwrap();
    assert_eq!((page.entries.len(), &text["version"]), (1, &json!(1)));
    let bound = one.now() + 60;
    assert_eq!(text["revoke"], json!({ "issuer": { "issuer": STOLEN, "issued_at_or_before": bound } }));
}
