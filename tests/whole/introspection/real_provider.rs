//! The same with a provider that others wrote.

use std::time::{Duration, SystemTime};

use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, Introspection, TrustedIssuer};
use auth_tests_provider::{AUDIENCE, ES256, OPAQUE, Provider, ProviderOptions, SECRET};
use serde_json::json;

use super::App;
use crate::replace_keys::jwk;
use crate::support::until;

fn endpoint(provider: &Provider) -> Introspection {
    Introspection::at(format!("{}/token/introspection", provider.issuer()))
}

/// An app whose clock shows the time of the provider.
fn app(provider: &Provider, introspection: Introspection) -> App {
    let issuer = TrustedIssuer::new(provider.issuer())
        .audience(AUDIENCE)
        .accept_client_as_subject()
        .introspection(introspection);
    let app = App::new(issuer);
    app.clock.set(SystemTime::now());
    app
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn it_accepts_each_way_to_prove_who_this_service_is() {
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA] {
        let key = SigningKey::generate(algorithm).unwrap().with_id("k1");
        let options = ProviderOptions::new().introspection_key(&jwk(&key));
        let provider = Provider::start(options.claims("alice", json!({ "roles": ["editor"] })));
        let token = provider.client_credentials(OPAQUE, "orders:read").await;
        let login = provider.log_in("alice", OPAQUE, "orders:read orders:write").await;
        let at = || endpoint(&provider);
        for introspection in [
            at().private_key_jwt("api-jwt", key.clone()),
            at().client_secret_basic("api-basic", SECRET),
            at().client_secret_post("api-post", SECRET),
        ] {
            let shown = format!("{algorithm} {introspection:?}");
            let app = app(&provider, introspection);
            let issuer = provider.issuer();
            let expected = format!("{issuer} machine [] [orders:read] []");
            assert_eq!(app.get(&token).await, (200, expected), "{shown}");
            let expected = format!("{issuer} alice [editor] [orders:read orders:write] []");
            assert_eq!(app.get(login.access_token()).await, (200, expected), "{shown}");
            assert_eq!(app.status("made-up").await, 401, "{shown}");
        }
        if algorithm == Algorithm::EdDSA {
            let wrong = app(&provider, at().client_secret_basic("api-basic", "another secret"));
            assert_eq!(wrong.status(&token).await, 503);
            // Another key than the one that the provider has.
            let other = SigningKey::generate(algorithm).unwrap().with_id("k1");
            let wrong = app(&provider, at().private_key_jwt("api-jwt", other));
            assert_eq!(wrong.status(&token).await, 503);
        }
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn its_metadata_name_the_endpoint_and_its_jwts_are_verified_with_its_keys() {
    let provider = Provider::start(ProviderOptions::new());
    let introspection = Introspection::discovered().client_secret_basic("api-basic", SECRET);
    let issuer = TrustedIssuer::discover(provider.issuer())
        .audience(AUDIENCE)
        .accept_client_as_subject()
        .introspection(introspection);
    let app = App::new(issuer);
    app.clock.set(SystemTime::now());
    app.auth.start().await.unwrap();
    let expected = (200, format!("{} machine [] [orders:read] []", provider.issuer()));
    for resource in [OPAQUE, ES256] {
        let token = provider.client_credentials(resource, "orders:read").await;
        assert_eq!(app.get(&token).await, expected, "{resource}");
    }
    let other = provider.client_credentials(OPAQUE, "orders:read").await;
    assert_eq!(app.get(&other).await, expected);
    assert_eq!(provider.requests("/token/introspection"), 2);
    // By the keys, and by the first opaque token.
    assert_eq!(provider.requests("/.well-known/openid-configuration"), 2);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_token_that_is_revoked_there_is_refused_when_the_answer_is_forgotten() {
    let provider = Provider::start(ProviderOptions::new());
    let app = app(&provider, endpoint(&provider).client_secret_basic("api-basic", SECRET));
    let token = provider.client_credentials(OPAQUE, "orders:read").await;
    assert_eq!(app.status(&token).await, 200);
    provider.revoke("machine", &token).await;
    app.clock.advance(Duration::from_secs(59));
    assert_eq!(app.status(&token).await, 200);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.status(&token).await, 401);
    assert_eq!(provider.requests("/token/introspection"), 2);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_token_for_another_service_and_one_without_audience_are_refused() {
    let options = ProviderOptions::new();
    let mail = auth_tests_provider::TokenFormat::Opaque;
    let provider = Provider::start(options.resource("https://mail.test", "mail", "orders:read", mail));
    let app = app(&provider, endpoint(&provider).client_secret_basic("api-basic", SECRET));
    let token = provider.client_credentials("https://mail.test", "orders:read").await;
    assert_eq!(app.status(&token).await, 401);
    // Its JWTs are for its keys, and this app has none.
    let jwt = provider.client_credentials(ES256, "orders:read").await;
    assert_eq!(app.status(&jwt).await, 401);
    assert_eq!(provider.requests("/token/introspection"), 1);
    // A refresh token is active too, and it has no audience.
    let login = provider.log_in("alice", OPAQUE, "offline_access orders:read").await;
    let refresh_token = login.refresh_token().unwrap();
    assert_eq!(app.status(refresh_token).await, 401);
    assert_eq!(app.status(login.access_token()).await, 200);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn it_is_killed_and_comes_back() {
    let provider = Provider::start(ProviderOptions::new());
    let app = app(&provider, endpoint(&provider).client_secret_basic("api-basic", SECRET));
    let token = provider.client_credentials(OPAQUE, "orders:read").await;
    let other = provider.client_credentials(OPAQUE, "orders:read").await;
    assert_eq!(app.status(&token).await, 200);
    provider.kill();
    assert_eq!((app.status(&token).await, app.status(&other).await), (200, 503));
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(app.status(&token).await, 503);
    provider.start_again();
    // It has lost its opaque tokens.
    assert_eq!(app.status(&token).await, 401);
    let new = provider.client_credentials(OPAQUE, "orders:read").await;
    assert_eq!(app.status(&new).await, 200);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn it_is_stopped_and_continues() {
    let provider = Provider::start(ProviderOptions::new());
    let app =
        std::sync::Arc::new(app(&provider, endpoint(&provider).client_secret_basic("api-basic", SECRET)));
    let token = provider.client_credentials(OPAQUE, "orders:read").await;
    assert_eq!(app.status(&token).await, 200);
    app.clock.advance(Duration::from_secs(60));
    provider.stop();
    let asked = tokio::spawn({
        let (app, token) = (std::sync::Arc::clone(&app), token.clone());
        async move { app.status(&token).await }
    });
    tokio::task::yield_now().await;
    tokio::time::pause();
    assert_eq!(asked.await.unwrap(), 503);
    tokio::time::resume();
    provider.cont();
    until("it answers again", async || app.status(&token).await == 200).await;
}
