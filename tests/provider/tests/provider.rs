//! The provider that other tests rely on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use auth_tests_provider::{
    AUDIENCE, EDDSA, ES256, OPAQUE, PS256, Provider, ProviderOptions, RS256, SCOPE, SECRET,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn get(url: &str) -> reqwest::Result<Value> {
    reqwest::get(url).await?.json().await
}

/// What the provider says of a token.
async fn introspect(provider: &Provider, token: &str) -> Value {
    let request = reqwest::Client::new().post(format!("{}/token/introspection", provider.issuer()));
    let request = request.basic_auth("api-basic", Some(SECRET)).form(&[("token", token)]);
    request.send().await.unwrap().json().await.unwrap()
}

/// The header (0) or the claims (1) of a token.
fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The algorithms of the keys that it publishes, and their ids.
async fn published(provider: &Provider) -> Vec<(String, String)> {
    let set = get(&format!("{}/jwks", provider.issuer())).await.unwrap();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    set["keys"].as_array().unwrap().iter().map(|key| (text(key, "alg"), text(key, "kid"))).collect()
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn it_issues_tokens_of_every_form_and_revokes_them() {
    let roles = json!({ "roles": ["editor"] });
    let provider = Provider::start(ProviderOptions::new().claims("alice", roles));
    let document = format!("{}/.well-known/openid-configuration", provider.issuer());
    assert_eq!(get(&document).await.unwrap()["issuer"], provider.issuer());

    for resource in [RS256, PS256, ES256, EDDSA] {
        let token = provider.client_credentials(resource, "orders:read").await;
        assert_eq!(token.split('.').count(), 3, "{resource}");
        let login = provider.log_in("alice", resource, SCOPE).await;
        assert_eq!(login.access_token().split('.').count(), 3, "{resource}");
    }
    let login = provider.log_in("alice", OPAQUE, "orders:read").await;
    let answer = introspect(&provider, login.access_token()).await;
    let expected = [json!(true), json!("alice"), json!(AUDIENCE), json!("orders:read"), json!(["editor"])];
    assert_eq!(["active", "sub", "aud", "scope", "roles"].map(|name| answer[name].clone()), expected);

    let token = provider.client_credentials(OPAQUE, "orders:read").await;
    assert_eq!(introspect(&provider, &token).await["active"], true);
    provider.revoke("machine", &token).await;
    assert_eq!(introspect(&provider, &token).await, json!({ "active": false }));
    assert_eq!(provider.requests("/token/introspection"), 3);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn it_is_as_a_realm_of_keycloak() {
    let access = json!({ "roles": ["editor"] });
    let options = ProviderOptions::new().realm_of_keycloak("press");
    let provider = Provider::start(options.claims("alice", json!({ "realm_access": access })));
    let issuer = provider.issuer();
    assert!(issuer.ends_with("/realms/press"), "{issuer}");
    let metadata = get(&format!("{issuer}/.well-known/openid-configuration")).await.unwrap();
    assert_eq!(metadata["issuer"], issuer);
    assert_eq!(metadata["jwks_uri"], format!("{issuer}/protocol/openid-connect/certs"));
    let login = provider.log_in("alice", RS256, SCOPE).await;
    let [header, claims] = [0, 1].map(|index| part(login.access_token(), index));
    assert_eq!((&header["typ"], &claims["iss"]), (&json!("JWT"), &json!(issuer)));
    assert_eq!((&claims["azp"], &claims["typ"]), (&json!("web"), &json!("Bearer")));
    assert_eq!(claims["realm_access"], access);
    assert_eq!(part(login.id_token(), 1)["typ"], Value::Null, "an ID token is not one of these");
    let outside = issuer.replace("/realms/press", "/.well-known/openid-configuration");
    assert_eq!(reqwest::get(&outside).await.unwrap().status(), 404);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn its_keys_rotate_and_it_comes_back_with_them() {
    let provider = Provider::start(ProviderOptions::new());
    let token = provider.client_credentials(OPAQUE, "orders:read").await;
    let before = published(&provider).await;
    assert_eq!(
        before.iter().map(|(alg, _)| &**alg).collect::<Vec<_>>(),
        ["RS256", "PS256", "ES256", "EdDSA"]
    );
    provider.rotate();
    let both = published(&provider).await;
    assert_eq!((both.len(), &both[4..]), (8, &before[..]));
    provider.withdraw_old_keys();
    assert_eq!(published(&provider).await, &both[..4]);
    // What is stored is not of the keys.
    assert_eq!(introspect(&provider, &token).await["active"], true);

    provider.kill();
    let jwks = format!("{}/jwks", provider.issuer());
    assert!(get(&jwks).await.is_err_and(|error| error.is_connect()));
    provider.start_again();
    assert_eq!(published(&provider).await, &both[..4]);
    provider.client_credentials(OPAQUE, "orders:read").await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn it_answers_nothing_while_it_is_stopped() {
    let provider = Provider::start(ProviderOptions::new());
    provider.stop();
    let jwks = format!("{}/jwks", provider.issuer());
    let asked = tokio::spawn(async move { get(&jwks).await });
    // Its port accepts connections all the same.
    tokio::net::TcpStream::connect(provider.issuer().trim_start_matches("http://")).await.unwrap();
    assert!(!asked.is_finished());
    provider.cont();
    assert!(asked.await.unwrap().unwrap()["keys"].is_array());
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_logout_token_is_sent_to_the_client_with_the_session_of_its_tokens() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/logout", listener.local_addr().unwrap());
    let provider = Provider::start(ProviderOptions::new().backchannel_logout_uri(&uri));
    let login = provider.log_in("alice", OPAQUE, "orders:read").await;
    let session = introspect(&provider, login.access_token()).await["sid"].clone();
    assert!(session.is_string());
    let receive = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        while !request.contains("logout_token=") {
            let mut bytes = [0; 4096];
            let length = connection.read(&mut bytes).await.unwrap();
            assert_ne!(length, 0, "{request}");
            request.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        }
        connection
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        request
    };
    let ((), request) = tokio::join!(login.log_out(), receive);
    assert!(request.starts_with("POST /logout HTTP/1.1\r\n"), "{request}");
    assert_eq!(introspect(&provider, login.access_token()).await, json!({ "active": false }));
}
