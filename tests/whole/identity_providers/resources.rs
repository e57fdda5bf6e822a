//! Presets as the issuers of a protected resource (RFC 8707 §2, RFC 9728): its URL is the audience, or is added to the names that the provider
//! writes by itself. docs/guide/providers.md has the table.

use auth_runtime::routing::get;
use auth_runtime::verify::{ClaimRule, TrustedIssuer, providers};
use auth_runtime::{Router, auth};
use serde_json::{Value, json};

use super::tokens::{NOW, changed, engine, signed};
use crate::support::{request, send};

const RESOURCE: &str = "https://api.example.com";
const REALM: &str = "https://id.example.com/realms/shop";
const DOMAIN: &str = "shop.eu.auth0.com";
const TENANT: &str = "fa15d692-e9c7-4460-a743-29f2956fd429";
const POOL: &str = "us-west-2_example";
const SERVER: &str = "https://shop.okta.com/oauth2/default";

#[auth]
async fn home() {}

fn router() -> Router {
    Router::new().route("/", get(home)).protected_resource(RESOURCE)
}

/// Each preset whose provider can write the URL into `aud`, its name, and the claims of its tokens besides.
fn presets() -> Vec<(TrustedIssuer, String, Value)> {
    vec![
        (providers::keycloak(REALM, "shop-api").audience(RESOURCE), REALM.into(), json!({"typ": "Bearer"})),
        (providers::auth0(DOMAIN, RESOURCE), format!("https://{DOMAIN}/"), json!({})),
        (
            providers::entra_id_v1(TENANT, RESOURCE),
            format!("https://sts.windows.net/{TENANT}/"),
            json!({"ver": "1.0", "appid": "web", "tid": TENANT, "oid": "o"}),
        ),
        (
            providers::cognito(POOL, "web").audience(RESOURCE).claim("aud", ClaimRule::Present),
            format!("https://cognito-idp.us-west-2.amazonaws.com/{POOL}"),
            json!({"token_use": "access", "client_id": "web"}),
        ),
        (providers::okta(SERVER, RESOURCE), SERVER.into(), json!({"cid": "web", "uid": "u"})),
    ]
}

#[tokio::test]
async fn a_token_for_the_resource_is_accepted_and_the_provider_is_named() {
    for (preset, name, claims) in presets() {
        let auth = engine(preset);
        let app = router().finish(&auth).unwrap();
        let document = send(&app, request("GET", "/.well-known/oauth-protected-resource", &[])).await;
        let document: Value = serde_json::from_str(&document.body).unwrap();
        assert_eq!(document["authorization_servers"], json!([name]));
        let claims = changed(&claims, &json!({"iss": name, "sub": "s", "exp": NOW + 300, "iat": NOW}));
        for (aud, expected) in [
            (json!(RESOURCE), 200),
            (json!([RESOURCE, "https://other.example.com"]), 200),
            (json!("https://other.example.com"), 401),
            (json!(format!("{RESOURCE}/")), 401),
            (Value::Null, 401),
        ] {
            let bearer = format!("Bearer {}", signed(&changed(&claims, &json!({ "aud": aud }))));
            let reply = send(&app, request("GET", "/", &[("authorization", &bearer)])).await;
            assert_eq!(reply.status, expected, "{name} {aud}");
            let leads_there = reply.header("www-authenticate").contains("resource_metadata=");
            assert_eq!(leads_there, expected == 401, "{name} {aud}");
        }
    }
}

/// Without `aud`, a token of Cognito is for each service that its client calls.
#[tokio::test]
async fn a_preset_that_accepts_tokens_without_aud_is_no_issuer_of_a_resource() {
    let preset = || providers::cognito(POOL, "web").audience(RESOURCE);
    for (preset, expected) in [
        (preset(), 1),
        (preset().claim("aud", ClaimRule::absent_or(ClaimRule::equals(RESOURCE))), 1),
        (preset().claim("aud", ClaimRule::Present), 0),
        (preset().claim("aud", ClaimRule::equals(RESOURCE)), 0),
    ] {
        let errors = router().finish(&engine(preset)).err();
        let errors: Vec<String> = errors.iter().flat_map(|error| error.errors()).map(str::to_owned).collect();
        assert_eq!(errors.len(), expected, "{errors:?}");
        for error in errors {
            assert!(error.contains("needs no `aud`"), "{error}");
            assert!(error.contains("needs `.claim(\"aud\", ClaimRule::Present)`"), "{error}");
        }
    }
}
