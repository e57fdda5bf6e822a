//! What a preset is made from: where keys are, that the audience is asked for, and what is reported when the engine is built.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::Auth;
use auth_runtime::session::BoxError;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Tenants, TrustedIssuer, providers};
use futures_util::FutureExt as _;
use serde_json::json;

use super::tokens::{NOW, described, engine, key_set, signed};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// The errors of `build`.
fn problems(issuer: TrustedIssuer) -> String {
    let built = Auth::builder().issuer(issuer.jwks(key_set(&json!({})))).build();
    built.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn each_knows_where_the_key_set_of_its_provider_is() {
    for (issuer, url) in [
        (
            providers::keycloak("https://id.example.com/realms/shop/", "a"),
            "https://id.example.com/realms/shop/protocol/openid-connect/certs",
        ),
        (
            providers::auth0("https://shop.eu.auth0.com/", "a"),
            "https://shop.eu.auth0.com/.well-known/jwks.json",
        ),
        (
            providers::entra_id(TENANT, "a"),
            "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/discovery/v2.0/keys",
        ),
        (
            providers::entra_id(Tenants::dangerously_accept_any(), "a"),
            "https://login.microsoftonline.com/common/discovery/v2.0/keys",
        ),
        (
            providers::entra_id_v1(Tenants::accepted_by(|_| true), "a"),
            "https://login.microsoftonline.com/common/discovery/keys",
        ),
        (
            providers::cognito("us-west-2_example", "a"),
            "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example/.well-known/jwks.json",
        ),
        (
            providers::firebase("shop-4711"),
            "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        ),
        (
            providers::okta("https://x.okta.com/oauth2/default", "a"),
            "https://x.okta.com/oauth2/default/v1/keys",
        ),
        (providers::zitadel("https://x.zitadel.cloud/", "1"), "https://x.zitadel.cloud/oauth/v2/keys"),
    ] {
        assert_eq!(issuer.key_set_url(), Some(url));
        assert_eq!(problems(issuer), "");
    }
    assert_eq!(TrustedIssuer::new("https://id.example.com").key_set_url(), None);
}

/// With the feature `jwks`: a provider on this machine, which is asked for its keys alone.
#[tokio::test]
async fn keys_are_fetched_from_the_provider_unless_they_are_given() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let realm = format!("http://{}/realms/shop", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let certs = async move || {
        count.fetch_add(1, Ordering::Relaxed);
        ([("content-type", "application/json")], key_set(&json!({})))
    };
    let provider =
        axum::Router::new().route("/realms/shop/protocol/openid-connect/certs", axum::routing::get(certs));
    tokio::spawn(async { axum::serve(listener, provider).await });
    let token = signed(&json!({"iss": realm, "aud": "a", "sub": "s", "typ": "Bearer", "exp": NOW + 60}));
    let engine = |issuer| Auth::builder().clock(TestClock::new()).issuer(issuer).build().unwrap();

    let auth = engine(providers::keycloak(&realm, "a"));
    auth.start().await.unwrap();
    assert_eq!(described(&auth.verify(&token).await.unwrap()), "s r= s= p=");
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    let given = engine(providers::keycloak(&realm, "a").jwks(key_set(&json!({}))));
    given.start().await.unwrap();
    assert!(given.verify(&token).await.is_ok());
    let from_elsewhere =
        engine(providers::keycloak(&realm, "a").jwks_from(async || Ok::<_, BoxError>(key_set(&json!({})))));
    from_elsewhere.start().await.unwrap();
    assert!(from_elsewhere.verify(&token).await.is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn what_names_no_issuer_of_the_provider_is_an_error_of_build() {
    for (issuer, expected) in [
        (providers::keycloak("https://id.example.com", "a"), "is not the URL of a realm"),
        (providers::keycloak("id.example.com/realms/shop", "a"), "is not the URL of a realm"),
        (providers::keycloak("https://id.example.com/realms/shop?x", "a"), "is not the URL of a realm"),
        (providers::keycloak("https://a@b.example.com/realms/shop", "a"), "is not the URL of a realm"),
        (providers::keycloak("https://id.example.com/realms/shop", ""), "an audience is empty"),
        (providers::auth0("shop.eu.auth0.com/api", "a"), "is not a domain"),
        (providers::auth0("", "a"), "is not a domain"),
        (providers::auth0("http://shop.eu.auth0.com", "a"), "is not a domain"),
        (providers::auth0("shop.eu.auth0.com", ""), "an audience is empty"),
        (providers::entra_id("common", "a"), "`common` is not the id of a tenant"),
        (providers::entra_id("contoso.onmicrosoft.com", "a"), "is not the id of a tenant"),
        (providers::entra_id(TENANT.to_uppercase(), "a"), "in lower case"),
        (providers::entra_id([TENANT, "organizations"], "a"), "`organizations` is not the id of a tenant"),
        (providers::entra_id(Vec::<String>::new(), "a"), "has no tenant"),
        (providers::entra_id_v1(TENANT, ""), "an audience is empty"),
        (providers::cognito("example", "a"), "is not the id of a user pool"),
        (providers::cognito("us-west-2.evil.com/_x", "a"), "is not the id of a user pool"),
        (providers::cognito("us-west-2_", "a"), "is not the id of a user pool"),
        (providers::cognito("us-west-2_example", ""), "an audience is empty"),
        (providers::firebase(""), "is not the id of a project"),
        (providers::firebase("shop/4711"), "is not the id of a project"),
        (providers::firebase_tenant("shop-4711", ""), "the tenant is empty"),
        (providers::okta("https://shop.okta.com", "a"), "is not the URL of a custom authorization server"),
        (providers::okta("https://shop.okta.com/oauth2/default", ""), "an audience is empty"),
        (providers::zitadel("x.zitadel.cloud", "1"), "is not the URL of an instance"),
        (providers::zitadel("https://x.zitadel.cloud", ""), "is not the id of a project"),
    ] {
        let found = problems(issuer);
        assert!(found.contains(expected), "{found:?} without {expected:?}");
    }
}

#[test]
fn the_first_claim_of_roles_that_is_added_replaces_those_of_the_preset() {
    let token = signed(&json!({
        "iss": "https://id.example.com/realms/shop", "aud": "a", "sub": "s", "typ": "Bearer", "exp": NOW + 60,
        "realm_access": {"roles": ["realm"]}, "resource_access": {"a": {"roles": ["client"]}}, "roles": ["own"], "groups": ["group"],
    }));
    let preset = || providers::keycloak("https://id.example.com/realms/shop", "a");
    for (issuer, expected) in [
        (preset(), "s r=realm,client s= p="),
        (preset().roles_at("roles"), "s r=own s= p="),
        (preset().roles_at("roles").roles_at("groups"), "s r=own,group s= p="),
        (preset().roles_at("roles").roles_at_keys_of("resource_access"), "s r=own,a s= p="),
    ] {
        let caller = engine(issuer).verify(&token).now_or_never().unwrap().unwrap();
        assert_eq!(described(&caller), expected);
    }
}
