//! A provider that others wrote: its keys are discovered and fetched, they rotate while requests run, and it goes down and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::routing::get;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, Principal, Router, auth};
use auth_tests_provider::{AUDIENCE, EDDSA, ES256, PS256, Provider, ProviderOptions, RS256};
use serde_json::json;

use crate::support::{Reply, request, send, until};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The bound of a withdrawn key.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What lies between two fetches for unknown keys.
const COOL_DOWN: Duration = Duration::from_secs(30);

#[auth]
async fn who(caller: Principal) -> String {
    let names = |names: Vec<&str>| names.join(" ");
    format!(
        "{} [{}] [{}]",
        caller.subject(),
        names(caller.roles().collect()),
        names(caller.scopes().collect())
    )
}

fn options() -> ProviderOptions {
    ProviderOptions::new().lifetime_seconds(2 * DAY.as_secs())
}

fn issuer(provider: &Provider) -> TrustedIssuer {
    TrustedIssuer::discover(provider.issuer()).audience(AUDIENCE)
}

#[derive(Clone)]
struct App {
    auth: Auth,
    router: axum::Router,
    clock: TestClock,
}

impl App {
    /// An app whose clock shows the time of the provider. It has not started.
    fn new(issuer: TrustedIssuer) -> Self {
        let clock = TestClock::new();
        clock.set(SystemTime::now());
        let builder = Auth::builder().issuer(issuer).clock(clock.clone()).max_token_lifetime(3 * DAY);
        let auth = builder.build().unwrap();
        let router = Router::new().route("/who", get(who)).finish(&auth).unwrap();
        Self { auth, router, clock }
    }

    async fn started(provider: &Provider) -> Self {
        let app = Self::new(issuer(provider));
        app.auth.start().await.unwrap();
        app
    }

    async fn get(&self, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        send(&self.router, request("GET", "/who", &[("authorization", &bearer)])).await
    }

    async fn status(&self, token: &str) -> u16 {
        self.get(token).await.status.as_u16()
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn tokens_of_programs_and_of_users_with_every_algorithm() {
    let provider = Provider::start(options().claims("alice", json!({ "roles": ["editor"] })));
    let app = App::started(&provider).await;
    for resource in [RS256, PS256, ES256, EDDSA] {
        let token = provider.client_credentials(resource, "orders:read").await;
        let reply = app.get(&token).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, "machine [] [orders:read]"), "{resource}");
        let login = provider.log_in("alice", resource, "orders:read orders:write").await;
        let reply = app.get(login.access_token()).await;
        let expected = "alice [editor] [orders:read orders:write]";
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, expected), "{resource}");
        // An ID token is for the client, and no access token.
        assert_eq!(app.status(login.id_token()).await, 401, "{resource}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        assert_eq!(app.status(&format!("{signed}.{other}{}", &signature[1..])).await, 401, "{resource}");
    }
    assert_eq!(provider.requests("/jwks"), 1);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn keys_rotate_while_requests_run_and_no_valid_token_is_refused() {
    let provider = Provider::start(options());
    let app = App::started(&provider).await;
    let old = provider.client_credentials(ES256, "orders:read").await;
    let is_over = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (app, old, is_over) = (app.clone(), old.clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut count = 0;
                while !is_over.load(Ordering::SeqCst) {
                    assert_eq!(app.status(&old).await, 200);
                    count += 1;
                    tokio::task::yield_now().await;
                }
                count
            })
        })
        .collect();

    app.clock.advance(COOL_DOWN);
    provider.rotate();
    let new = provider.client_credentials(ES256, "orders:read").await;
    // Of 20 that need the new key at once, each waits for the one fetch.
    let asked = (0..20).map(|_| app.status(&new));
    let statuses = futures_util::future::join_all(asked).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(provider.requests("/jwks"), 2);

    // Within the cool-down another new key can't be fetched: it is not known to be wrong.
    provider.rotate();
    let newest = provider.client_credentials(ES256, "orders:read").await;
    let reply = app.get(&newest).await;
    assert_eq!(reply.status, 503);
    assert!(
        reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds <= 30),
        "{:?}",
        reply.headers
    );
    assert_eq!(provider.requests("/jwks"), 2);
    app.clock.advance(COOL_DOWN);
    assert_eq!(app.status(&newest).await, 200);
    assert_eq!(provider.requests("/jwks"), 3);

    is_over.store(true, Ordering::SeqCst);
    for worker in workers {
        assert!(worker.await.unwrap() > 0);
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_withdrawn_key_is_refused_within_an_hour() {
    let provider = Provider::start(options());
    let app = App::started(&provider).await;
    let old = provider.client_credentials(EDDSA, "orders:read").await;
    assert_eq!(app.status(&old).await, 200);
    provider.rotate();
    provider.withdraw_old_keys();
    let new = provider.client_credentials(EDDSA, "orders:read").await;
    app.clock.advance(HOUR);
    // Without a token of a new key: the refresh in the background finds it.
    until("the old key is withdrawn", async || app.status(&old).await == 401).await;
    assert_eq!(app.status(&new).await, 200);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_provider_that_is_down_for_a_day_is_503_and_what_it_signed_counts_again_when_it_is_back() {
    let provider = Provider::start(options());
    let app = App::started(&provider).await;
    let token = provider.client_credentials(ES256, "orders:read").await;
    provider.kill();
    app.clock.advance(DAY - HOUR);
    assert_eq!(app.status(&token).await, 200);
    app.clock.advance(HOUR + COOL_DOWN);
    until("the keys are too old", async || app.status(&token).await == 503).await;
    provider.start_again();
    app.clock.advance(2 * COOL_DOWN);
    until("the keys are fetched again", async || app.status(&token).await == 200).await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_service_that_starts_before_its_provider() {
    let provider = Provider::start(options());
    let token = provider.client_credentials(ES256, "orders:read").await;
    provider.kill();
    let error = App::new(issuer(&provider)).auth.start().await.unwrap_err().to_string();
    assert!(error.contains(provider.issuer()), "{error}");

    let app = App::new(issuer(&provider).serve_503_until_reachable());
    app.auth.start().await.unwrap();
    assert_eq!(app.status(&token).await, 503);
    provider.start_again();
    app.clock.advance(2 * COOL_DOWN);
    until("it is reachable", async || app.status(&token).await == 200).await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_provider_that_is_stopped_delays_the_tokens_of_unknown_keys_alone() {
    let provider = Provider::start(options());
    let app = App::started(&provider).await;
    let known = provider.client_credentials(ES256, "orders:read").await;
    app.clock.advance(COOL_DOWN);
    provider.rotate();
    let unknown = provider.client_credentials(ES256, "orders:read").await;
    provider.stop();
    let waiting = tokio::spawn({
        let (app, unknown) = (app.clone(), unknown.clone());
        async move { app.status(&unknown).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(app.status(&known).await, 200);
    // It is waited for 2 seconds, which pass at once.
    tokio::time::pause();
    assert_eq!(waiting.await.unwrap(), 503);
    tokio::time::resume();
    provider.cont();
    app.clock.advance(2 * COOL_DOWN);
    until("it answers again", async || app.status(&unknown).await == 200).await;
    assert_eq!(app.status(&known).await, 200);
}
