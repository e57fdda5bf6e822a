//! Tokens as Auth0, Keycloak and Firebase document them. The keys are fetched over HTTP from a server of the test, at the path where the provider has
//! them. A token that another program made is in `provider`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use reqwest::Url;

use super::claims::changed;
use super::keys_of_issuers::published;
use super::*;

const DOMAIN: &str = "magazine.eu.auth0.com";
const API: &str = "https://api.magazine.example";
const REALM: &str = "https://id.example.com/realms/press";
const PROJECT: &str = "magazine-4711";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::RS256).unwrap().with_id("k1")
}

fn of_auth0() -> Value {
    json!({
        "iss": "https://magazine.eu.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "aud": [API, "https://magazine.eu.auth0.com/userinfo"], "iat": NOW, "exp": NOW + 86_400,
        "azp": "my_client_id", "scope": "openid read", "email": "alice@example.com",
    })
}

fn of_keycloak() -> Value {
    json!({
        "iss": REALM, "sub": "0b7cd3f8-5a17-4a5a-8ec7-6a4e6f9cbd6c", "aud": ["magazine-api", "account"], "typ": "Bearer",
        "iat": NOW, "exp": NOW + 300, "jti": "onrtac:8f1c", "sid": "c0ffee", "azp": "magazine-web", "scope": "openid email",
        "email": "alice@example.com", "realm_access": { "roles": ["editor", "offline_access"] },
        "resource_access": { "magazine-api": { "roles": ["author"] }, "account": { "roles": ["manage-account"] } },
    })
}

fn of_firebase() -> Value {
    json!({
        "iss": "https://securetoken.google.com/magazine-4711", "aud": PROJECT, "sub": "3yXbQFdqk4M9", "user_id": "3yXbQFdqk4M9",
        "iat": NOW, "exp": NOW + 3600, "auth_time": NOW - 60, "email": "alice@example.com", "email_verified": true,
        "firebase": { "identities": { "email": ["alice@example.com"] }, "sign_in_provider": "password" },
    })
}

/// What publishes a key set.
struct KeySetServer {
    service: Service,
    fetches: Arc<AtomicUsize>,
}

async fn key_set(State((fetches, set)): State<(Arc<AtomicUsize>, String)>) -> Response {
    fetches.fetch_add(1, Ordering::SeqCst);
    ([(CONTENT_TYPE, "application/json")], set).into_response()
}

impl KeySetServer {
    /// At the path of this URL, and nowhere else.
    async fn start(url: &str, key: &SigningKey) -> Self {
        let fetches = Arc::new(AtomicUsize::new(0));
        let path = Url::parse(url).unwrap().path().to_owned();
        let app = axum::Router::new().route(&path, axum::routing::get(key_set));
        let app = app.with_state((Arc::clone(&fetches), published(key).await));
        Self { service: Service::start(app, tempfile::tempdir().unwrap()).await, fetches }
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

/// This issuer, whose keys are fetched from a server of the test: the host is another one, and the path is that of the issuer.
async fn served(issuer: TrustedIssuer, host: &str, key: &SigningKey) -> (TrustedIssuer, KeySetServer) {
    let url = Url::parse(issuer.key_set_url().unwrap()).unwrap();
    assert_eq!((url.scheme(), url.host_str()), ("https", Some(host)));
    let server = KeySetServer::start(url.as_str(), key).await;
    let here = format!("{}{}", server.service.origin(), url.path());
    (issuer.jwks_url(here), server)
}

/// A service that trusts this provider, and knows alice there by this subject.
async fn trusting(issuer: TrustedIssuer, name: &str, subject: &str) -> Magazine {
    let magazine = Magazine::with(|builder| builder.issuer(issuer)).await;
    let database = Database::open(magazine.service.folder()).await.unwrap();
    database.identify("alice", name, subject).await.unwrap();
    magazine
}

/// What `/me` answers tokens with one claim changed.
async fn statuses(
    magazine: &Magazine,
    key: &SigningKey,
    claims: &Value,
    changes: &[(&str, Value)],
) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (claim, value) in changes {
        let token = key.sign(&changed(claims, claim, value)).unwrap();
        statuses.push(magazine.service.get("/me", Some(&token)).await.status);
    }
    statuses
}

#[tokio::test]
async fn a_token_of_auth0_is_alice() {
    let key = key();
    let (issuer, server) = served(issuers::auth0(DOMAIN, API), DOMAIN, &key).await;
    let magazine = trusting(issuer, "https://magazine.eu.auth0.com/", "auth0|5f7c8ec7c33c6c004bbafe82").await;
    let token = key.sign(&of_auth0()).unwrap();
    assert!(magazine.service.get("/me", Some(&token)).await.body.starts_with("alice, of the herald."));
    let context = magazine.service.get("/context", Some(&token)).await.json();
    assert_eq!((&context["sub"], &context["email"]), (&of_auth0()["sub"], &json!("alice@example.com")));
    let rejected = [
        ("iss", json!("https://magazine.eu.auth0.com")), // without the slash
        ("aud", json!("my_client_id")),                  // an ID token
        ("nonce", json!("n-0S6_WzA2Mj")),                // an ID token as well
        ("sub", json!("google-oauth2|5f7c8ec7c33c6c004bbafe82")),
    ];
    assert_eq!(statuses(&magazine, &key, &of_auth0(), &rejected).await, [401; 4]);
    assert_eq!(server.fetches(), 1);
}

/// However many requests there are, and again for a key that is new.
#[tokio::test]
async fn the_keys_of_auth0_are_fetched_once() {
    let key = key();
    let (issuer, server) = served(issuers::auth0(DOMAIN, API), DOMAIN, &key).await;
    let magazine = trusting(issuer, "https://magazine.eu.auth0.com/", "auth0|5f7c8ec7c33c6c004bbafe82").await;
    let token = key.sign(&of_auth0()).unwrap();
    for _ in 0..20 {
        assert_eq!(magazine.service.get("/me", Some(&token)).await.status, 200);
    }
    assert_eq!(server.fetches(), 1);
    magazine.test.clock().advance(Duration::from_secs(30));
    let unknown = SigningKey::generate(Algorithm::RS256).unwrap().with_id("k2").sign(&of_auth0()).unwrap();
    assert_eq!(magazine.service.get("/me", Some(&unknown)).await.status, 401);
    assert_eq!(server.fetches(), 2);
}

#[tokio::test]
async fn a_token_of_keycloak_is_alice() {
    let key = key();
    let issuer = issuers::keycloak(REALM, "magazine-api", "magazine-web");
    let (issuer, server) = served(issuer, "id.example.com", &key).await;
    let magazine = trusting(issuer, REALM, "0b7cd3f8-5a17-4a5a-8ec7-6a4e6f9cbd6c").await;
    let me = magazine.service.get("/me", Some(&key.sign(&of_keycloak()).unwrap())).await;
    assert!(
        me.body.starts_with("alice, of the herald. Roles: author."),
        "the roles of the database: {}",
        me.body
    );
    let rejected = [
        ("azp", json!("another-client")),
        ("azp", Value::Null),
        ("aud", json!("account")), // for another service of the realm
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("iss", json!("https://id.example.com/realms/other")),
    ];
    assert_eq!(statuses(&magazine, &key, &of_keycloak(), &rejected).await, [401; 6]);
    assert_eq!(server.fetches(), 1);
}

/// Where the application has no roles of its own, they are those of the realm and of this client, and of no other.
#[tokio::test]
async fn the_roles_of_keycloak_are_those_of_the_realm_and_of_the_client() {
    let key = key();
    let issuer = issuers::keycloak(REALM, "magazine-api", "magazine-web").jwks(published(&key).await);
    let test = TestAuth::with(|builder| builder.issuer(issuer));
    let caller = test.auth().verify(&key.sign(&of_keycloak()).unwrap()).await.unwrap();
    let mut roles: Vec<_> = caller.roles().collect();
    roles.sort_unstable();
    assert_eq!(roles, ["author", "editor", "offline_access"]);
}

#[tokio::test]
async fn a_token_of_firebase_is_alice() {
    let key = key();
    let (issuer, server) = served(issuers::firebase(PROJECT), "www.googleapis.com", &key).await;
    let magazine = trusting(issuer, "https://securetoken.google.com/magazine-4711", "3yXbQFdqk4M9").await;
    let me = magazine.service.get("/me", Some(&key.sign(&of_firebase()).unwrap())).await;
    assert!(me.body.starts_with("alice, of the herald."), "{me:?}");
    let rejected = [
        ("aud", json!("another-project")), // the keys are those of all projects
        ("iss", json!("https://securetoken.google.com/another-project")),
        ("auth_time", Value::Null),
        ("sub", json!("anybody-who-signed-up")),
    ];
    assert_eq!(statuses(&magazine, &key, &of_firebase(), &rejected).await, [401; 4]);
    assert_eq!(server.fetches(), 1);
}
