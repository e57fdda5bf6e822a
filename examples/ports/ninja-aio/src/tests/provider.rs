//! A real provider: its users log in, its keys change, and it goes down.

use std::time::SystemTime;

use auth_runtime::testing::TestClock;
use auth_tests_provider::{Provider, ProviderOptions};

use super::*;

/// The service with a provider whose users it knows, and a clock that shows the time of the provider.
struct Running {
    provider: Provider,
    service: Service,
    clock: TestClock,
}

impl Running {
    async fn start() -> Self {
        let options = lines::options().lifetime_seconds(6 * 60 * 60);
        Self::with(options, |provider| issuers::provider(provider, issuers::AUDIENCE)).await
    }

    /// The service that trusts this provider, by its name.
    async fn with(options: ProviderOptions, trust: impl FnOnce(&str) -> TrustedIssuer) -> Self {
        let provider = Provider::start(options);
        let folder = tempfile::tempdir().unwrap();
        let accounts = accounts(folder.path()).await;
        for name in ["alice", "bob", "carol", "dave"] {
            accounts.database.identify(name, provider.issuer(), name).await.unwrap();
        }
        let clock = TestClock::new();
        clock.set(SystemTime::now());
        let store = RedbStore::open(folder.path().join("auth.redb")).unwrap();
        let issuer = trust(provider.issuer());
        let builder = Auth::builder().issuer(issuer).clock(clock.clone()).max_staleness(Duration::MAX);
        let auth = configure(builder, &accounts, &store, secrets(folder.path())).build().unwrap();
        let service = Service::start(serve_with(&auth, accounts).await, folder).await;
        Self { provider, service, clock }
    }

    async fn token(&self, name: &str) -> String {
        self.provider.log_in(name, lines::RESOURCE, "read write").await.access_token().to_owned()
    }

    async fn me(&self, token: &str) -> u16 {
        self.service.get("/me", Some(token)).await.status
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn users_log_in_at_a_provider() {
    let running = Running::start().await;
    let login = running.provider.log_in("alice", lines::RESOURCE, "read write").await;
    let me = running.service.get("/me", Some(login.access_token())).await;
    assert!(me.body.starts_with("alice, of the herald."), "{me:?}");
    assert_eq!(running.service.get("/desk/article/2", Some(login.access_token())).await.status, 200);
    let written = running.service.post("/article", Some(login.access_token()), &a_draft()).await;
    assert_eq!(written.status, 201);
    assert_eq!(running.me(login.id_token()).await, 401, "an ID token is for the client");
    assert_eq!(running.me(&running.token("dave").await).await, 401, "the account is not active");
    assert_eq!(running.me(&running.token("stranger").await).await, 401, "there is no account");
    let elsewhere = running.provider.log_in("alice", auth_tests_provider::RS256, "orders:read").await;
    assert_eq!(running.me(elsewhere.access_token()).await, 401, "it is for another service");
    // A token for reading writes nothing.
    let reading = running.provider.log_in("alice", lines::RESOURCE, "read").await;
    assert_eq!(running.service.post("/article", Some(reading.access_token()), &a_draft()).await.status, 403);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_new_key_of_the_provider_is_fetched() {
    let running = Running::start().await;
    let old = running.token("alice").await;
    assert_eq!(running.me(&old).await, 200);
    running.clock.advance(Duration::from_secs(30));
    running.provider.rotate();
    let new = running.token("alice").await;
    assert_eq!((running.me(&new).await, running.me(&old).await), (200, 200));
    assert_eq!(running.provider.requests("/jwks"), 2);
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn a_provider_that_is_down_is_503_for_keys_that_are_not_known() {
    let running = Running::start().await;
    let known = running.token("alice").await;
    assert_eq!(running.me(&known).await, 200);
    running.provider.rotate();
    let unknown = running.token("alice").await;
    running.clock.advance(Duration::from_secs(30));
    running.provider.kill();
    let reply = running.service.get("/me", Some(&unknown)).await;
    assert_eq!((reply.status, reply.json()), (503, json!({ "detail": "Service Unavailable" })));
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(running.me(&known).await, 200, "a known key needs no provider");
    running.provider.start_again();
    running.clock.advance(Duration::from_secs(30));
    assert_eq!(running.me(&unknown).await, 200);
}

/// Another program makes the tokens, and publishes the keys where Keycloak does: below the realm.
#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn users_log_in_at_a_realm_of_keycloak() {
    const KEYS: &str = "/realms/press/protocol/openid-connect/certs";
    let alice = json!({ "tenant_id": "herald", "realm_access": { "roles": ["editor"] } });
    let options = lines::options().realm_of_keycloak("press").claims("alice", alice);
    let running = Running::with(options, |realm| issuers::keycloak(realm, issuers::AUDIENCE, "web")).await;
    assert!(running.provider.issuer().ends_with("/realms/press"));
    assert_eq!(running.provider.requests(KEYS), 1, "fetched when the service starts");
    let login = running.provider.log_in("alice", lines::RESOURCE, "read write").await;
    let me = running.service.get("/me", Some(login.access_token())).await;
    assert!(me.body.starts_with("alice, of the herald. Roles: author."), "those of the database: {me:?}");
    assert_eq!(running.me(login.id_token()).await, 401, "its `aud` is the client, and it has no `typ`");
    assert_eq!(running.me(&running.token("stranger").await).await, 401, "there is no account");
    let elsewhere = running.provider.log_in("alice", auth_tests_provider::RS256, "orders:read").await;
    assert_eq!(running.me(elsewhere.access_token()).await, 401, "it is for another service of the realm");
    // That client may not call this service: `azp`.
    let machine = running.provider.client_credentials(lines::RESOURCE, "read").await;
    assert_eq!(running.me(&machine).await, 401);

    // The roles, where the application has none of its own.
    let realm = issuers::keycloak(running.provider.issuer(), issuers::AUDIENCE, "web");
    let auth = Auth::builder().issuer(realm).build().unwrap();
    auth.start().await.unwrap();
    let caller = auth.verify(login.access_token()).await.unwrap();
    assert!(caller.has_role("editor"), "{:?}", caller.roles().collect::<Vec<_>>());

    // A new key is fetched from the same place.
    let before = running.provider.requests(KEYS);
    running.clock.advance(Duration::from_secs(30));
    running.provider.rotate();
    assert_eq!(running.me(&running.token("alice").await).await, 200);
    assert_eq!(running.provider.requests(KEYS), before + 1);
}
