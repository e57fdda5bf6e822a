//! A person logs out at a provider that others wrote, and the sockets of that session close: on the instance that the provider sends the
//! logout token to, and on another one.

use auth_runtime::provider_logout::back_channel_logout;
use auth_runtime::store::MemoryStore;
use auth_runtime::verify::{Introspection, TrustedIssuer};
use auth_runtime::{Auth, Router, routing::get};
use auth_tests_provider::{AUDIENCE, ES256, Login, OPAQUE, Provider, ProviderOptions, SCOPE, SECRET};
use tokio::net::TcpListener;

use super::sockets::{echo, opened};
use crate::sockets::{Client, assert_closed, is_echoed};

/// An instance of the service.
async fn engine(provider: &Provider, store: MemoryStore) -> Auth {
    let introspection = Introspection::discovered().client_secret_basic("api-basic", SECRET);
    let issuer = TrustedIssuer::discover(provider.issuer())
        .audience(AUDIENCE)
        .introspection(introspection)
        .logout_audience("web")
        .access_tokens_have_sid();
    let auth = Auth::builder().issuer(issuer).store(store).build().unwrap();
    auth.start().await.unwrap();
    auth
}

/// A provider that sends logout tokens to the first of two instances, and the addresses of their sockets.
async fn provider_and_instances() -> (Provider, [String; 2]) {
    let listeners =
        [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
    let uri = format!("http://{}/logout", addresses[0]);
    let provider = Provider::start(ProviderOptions::new().backchannel_logout_uri(&uri));
    let store = MemoryStore::new();
    for listener in listeners {
        let auth = engine(&provider, store.clone()).await;
        let routes = Router::new().route("/echo", get(echo));
        let app: axum::Router =
            routes.route("/logout", back_channel_logout(&auth).unwrap()).finish(&auth).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    (provider, addresses.map(|address| format!("ws://{address}/echo")))
}

/// A login, with a socket at each instance.
async fn logged_in(
    provider: &Provider,
    user: &str,
    resource: &str,
    instances: &[String; 2],
) -> (Login, [Client; 2]) {
    let login = provider.log_in(user, resource, SCOPE).await;
    let token = login.access_token();
    let sockets = [opened(&instances[0], token).await, opened(&instances[1], token).await];
    (login, sockets)
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_logout_at_the_provider_closes_the_sockets_of_its_session_on_every_instance() {
    let (provider, instances) = provider_and_instances().await;
    for resource in [ES256, OPAQUE] {
        let (login, mut ended) = logged_in(&provider, "alice", resource, &instances).await;
        let (_other_login, mut of_other_device) = logged_in(&provider, "alice", resource, &instances).await;
        let (_bobs_login, mut of_bob) = logged_in(&provider, "bob", resource, &instances).await;
        login.log_out().await;
        for socket in &mut ended {
            assert_closed(socket, resource).await;
        }
        for socket in of_other_device.iter_mut().chain(&mut of_bob) {
            assert!(is_echoed(socket).await, "{resource}");
        }
        // A login that comes after is another session.
        let (_, mut again) = logged_in(&provider, "alice", resource, &instances).await;
        for socket in &mut again {
            assert!(is_echoed(socket).await, "{resource}");
        }
    }
}
