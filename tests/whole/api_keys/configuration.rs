//! How an engine is given API keys, and what is wrong with a configuration.

use std::time::Duration;

use auth_runtime::api_key::{ApiKeyError, ApiKeyOptions, ApiKeys, NewApiKey};
use auth_runtime::source::CredentialPlace;
use auth_runtime::store::MemoryStore;
use auth_runtime::testing::TestAuth;
use auth_runtime::{Auth, AuthBuilder};
use auth_tests_declared::VOCABULARY;

use super::shop::{Shop, routes};
use crate::support::{request, send};

fn errors(configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Vec<String> {
    match configure(Auth::builder()).build() {
        Ok(_) => Vec::new(),
        Err(error) => error.errors().map(str::to_owned).collect(),
    }
}

fn keys() -> ApiKeys {
    ApiKeys::default().prefix("acme")
}

#[tokio::test]
async fn what_is_wrong_is_reported_at_once() {
    let (key, other) = (NewApiKey::generate("acme").unwrap(), NewApiKey::generate("acme").unwrap());
    let options = ApiKeyOptions::new;
    let unpaired = keys()
        .static_key(key.hash(), "alice", options())
        .static_key(key.hash(), "bob", options())
        .static_key(key.text(), "carol", options())
        .static_key(other.hash(), "", options())
        .static_key(other.hash(), "dan", options().expires_in(Duration::from_secs(1)))
        .cache_for(Duration::from_secs(3601))
        .prefix("a-b");
    let found = errors(|builder| builder.api_keys(unpaired).api_keys(keys()).store(MemoryStore::new()));
    let expected = [
        "`.api_keys(..)` is called twice",
        "the engine has a store, and its API keys have none",
        "`ApiKeys::cache_for` is 3601 s, and must be 3600 s at most",
        "is given twice: remove one",
        "the static API key of \"carol\" has an invalid hash, because it has no `:`",
        "the static API key of \"\" can't be one: the owner is empty",
        "the static API key of \"dan\" can't expire some time after each start",
        "the prefix \"a-b\" of API keys must have 1 to 32 letters",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} and {expected}");
        assert!(!found.contains(&key.text()[27..]), "a secret may have been pasted: {found}");
    }
    for place in [
        CredentialPlace::header("a b"),
        CredentialPlace::cookie("a b"),
        CredentialPlace::dangerously_in_query(""),
    ] {
        let found = errors(|builder| builder.api_keys(ApiKeys::at(place)));
        assert!(found.iter().any(|error| error.contains("\"api_key\"")), "{found:#?}");
    }
    assert_eq!(errors(|builder| builder.api_keys(keys())), [""; 0], "without a store they are in memory");
}

#[tokio::test]
async fn without_api_keys_there_is_no_service() {
    let error = TestAuth::new().auth().api_keys().unwrap_err();
    assert!(error.to_string().contains("`.api_keys(ApiKeys::in_header(..))`"), "{error}");
}

#[tokio::test]
async fn a_key_of_the_configuration_needs_no_store() {
    let shop = Shop::in_memory().await;
    let (key, expires) =
        (NewApiKey::generate("acme_live").unwrap(), NewApiKey::generate("acme_live").unwrap());
    let other = NewApiKey::generate("acme_test").unwrap();
    let now = shop.test.auth().now();
    let options = ApiKeyOptions::new().scopes(["orders:read"]);
    let configured = |keys: ApiKeys| {
        keys.static_key(key.hash(), "nightly", options.clone())
            .static_key(expires.hash(), "nightly", options.clone().expires_at(now + Duration::from_secs(10)))
            .static_key(other.hash(), "nightly", options.clone())
    };
    let shop = shop.another(configured, |builder| builder).await;
    shop.keys.set_broken(true);
    let body = shop.get("/who", &[("x-api-key", key.text())]).await.body;
    assert!(body.contains("scheme:api_key nightly") && body.contains("[orders:read]"), "{body}");
    assert_eq!(shop.status(expires.text()).await, 200);
    assert_eq!(shop.status(other.text()).await, 401, "of another prefix");
    shop.pass(Duration::from_secs(10)).await;
    assert_eq!((shop.status(key.text()).await, shop.status(expires.text()).await), (200, 401));
    for error in [
        shop.service().revoke(key.id()).await.map(drop),
        shop.service().rotate(key.id(), Duration::ZERO).await.map(drop),
    ] {
        assert!(matches!(error, Err(ApiKeyError::Static)), "{error:?}");
    }
    shop.service().record_last_uses().await;
    assert!(shop.keys.take_uses().is_empty());
    assert_eq!(shop.keys.take_reads(), 0);
}

/// An engine may have keys alone, under another name and in another header.
#[tokio::test]
async fn the_name_and_the_place_can_be_chosen() {
    let auth = Auth::builder().api_keys(ApiKeys::in_header("X-Key").named("partner")).build().unwrap();
    let key = auth.api_keys().unwrap().create("acme", ApiKeyOptions::new()).await.unwrap();
    let error = routes().finish(&auth).unwrap_err().to_string();
    assert!(error.contains("api_key"), "{error}");
    #[auth_runtime::auth(source = "partner")]
    async fn who(caller: auth_runtime::Principal) -> String {
        format!("{} {}", caller.scheme(), caller.issuer().unwrap())
    }
    let app = auth_runtime::Router::new().route("/", auth_runtime::routing::get(who)).finish(&auth).unwrap();
    let reply = send(&app, request("GET", "/", &[("x-key", key.text())])).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "partner urn:auth-runtime:scheme:partner"));
    assert!(key.text().starts_with("key_"));
}

/// As for tokens: none is made for a caller that could not be one, and declared roles bring others along.
#[tokio::test]
async fn the_vocabulary_applies_to_keys() {
    let test = TestAuth::with(|builder| builder.vocabulary(&VOCABULARY).api_keys(keys()));
    let service = test.auth().api_keys().unwrap();
    let create = async |roles: [&str; 2]| service.create("alice", ApiKeyOptions::new().roles(roles)).await;
    let error = create(["auditor", "admin"]).await.unwrap_err();
    assert!(matches!(&error, ApiKeyError::Invalid(why) if why.contains("auditor")), "{error}");
    let key = create(["admin", "unknown"]).await.unwrap();
    #[auth_runtime::auth(source = "api_key", roles = ["viewer"], permissions = ["invoice.read"])]
    async fn invoices() {}
    let app = auth_runtime::Router::new().route("/", auth_runtime::routing::get(invoices));
    let reply =
        send(&app.finish(test.auth()).unwrap(), request("GET", "/", &[("x-api-key", key.text())])).await;
    assert_eq!(reply.status, 200, "an admin is a viewer");
}
