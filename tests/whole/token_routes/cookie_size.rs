//! Browsers drop a cookie whose name and value have more than 4,096 bytes (RFC 6265bis §5.6), and keep the one before.

use auth_runtime::session::{RefreshKey, SigningKey, TokenIssuer, TokenService};
use auth_runtime::source::CookieTooLarge;
use auth_runtime::store::{MemoryStore, RefreshTokenFamily, RefreshTokenStore as _};
use auth_runtime::verify::Algorithm;

use super::*;
use crate::captured_log::CapturedLog;
use crate::support::people::ISSUER;

/// A shop, and its store.
async fn shop(build: fn(AuthBuilder) -> AuthBuilder, configure: Configure) -> (Shop, MemoryStore) {
    let store = MemoryStore::new();
    let with_store = store.clone();
    let build = |builder: AuthBuilder| build(builder.store(with_store).max_staleness(Duration::MAX));
    let shop = Shop::new(Delivery::Cookies, build, configure);
    shop.auth.start().await.unwrap();
    (shop, store)
}

const BUILDS: [fn(AuthBuilder) -> AuthBuilder; 2] = [|builder| builder, AuthBuilder::renew_transparently];

/// Gives a user so many roles of 30 characters.
fn set_roles(people: &People, name: &str, count: usize) {
    let roles: Vec<_> = (0..count).map(|number| format!("a-role-with-30-characters-{number:04}")).collect();
    let roles: Vec<_> = roles.iter().map(String::as_str).collect();
    assert!(roles.iter().all(|role| role.len() == 30));
    people.set(name, &roles);
}

async fn sessions(store: &MemoryStore, name: &str) -> Vec<RefreshTokenFamily> {
    store.find_by_subject(ISSUER, name).await.unwrap()
}

fn assert_both_are_cleared(reply: &Reply) {
    let cookies = set_cookies(reply);
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for (name, value, attributes) in cookies {
        assert!(value.is_empty() && attributes.contains("Max-Age=0"), "{name}: {attributes}");
    }
}

#[tokio::test]
async fn a_login_that_does_not_fit_is_500_and_clears_both_cookies_and_stores_nothing() {
    for build in BUILDS {
        let (shop, store) = shop(build, |routes| routes).await;
        set_roles(&shop.people, "bob", 120);
        let log = CapturedLog::start(tracing::Level::INFO);
        let reply = shop.log_in("bob").await;
        assert_eq!((reply.status.as_u16(), body(&reply)), (500, json!({ "error": "server_error" })));
        assert_both_are_cleared(&reply);
        assert!(sessions(&store, "bob").await.is_empty());
        let text = log.take();
        for part in ["ERROR", "`__Host-access_token` would have ", " bytes", "4096", "put fewer roles"] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        // As JSON there is no limit.
        let tokens = shop.auth.tokens().unwrap();
        let issued = tokens.issue(&shop.people.find("bob").unwrap().unwrap()).await.unwrap();
        assert!(issued.access_token.len() > CookieTooLarge::LIMIT);
        assert_eq!(sessions(&store, "bob").await.len(), 1);
    }
}

#[tokio::test]
async fn a_refresh_that_does_not_fit_is_500_and_uses_up_nothing() {
    let (shop, store) = shop(|builder| builder, |routes| routes).await;
    let cookies = cookie_header(&shop.log_in("bob").await);
    let before = sessions(&store, "bob").await;
    set_roles(&shop.people, "bob", 120);
    for _ in 0..2 {
        let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
        assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (500, 0));
        assert_eq!(sessions(&store, "bob").await, before);
    }
    set_roles(&shop.people, "bob", 1);
    let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
    assert_eq!((reply.status.as_u16(), given(&reply)), (200, 2));
    // Also within the grace period, where the row is not changed.
    set_roles(&shop.people, "bob", 120);
    let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (500, 0));
}

#[tokio::test]
async fn a_renewal_that_does_not_fit_is_500_and_uses_up_nothing() {
    let (shop, store) = shop(AuthBuilder::renew_transparently, |routes| routes).await;
    let cookies = cookie_header(&shop.log_in("bob").await);
    let before = sessions(&store, "bob").await;
    set_roles(&shop.people, "bob", 120);
    shop.clock.advance(Duration::from_secs(7200));
    for path in ["/who", "/"] {
        let log = CapturedLog::start(tracing::Level::INFO);
        let reply = send(&shop.app, request("GET", path, &[("cookie", &cookies)])).await;
        assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (500, 0), "{path}");
        assert_eq!(sessions(&store, "bob").await, before, "{path}");
        assert!(log.take().contains("`__Host-access_token` would have "), "{path}");
    }
    set_roles(&shop.people, "bob", 1);
    let reply = send(&shop.app, request("GET", "/who", &[("cookie", &cookies)])).await;
    assert_eq!((reply.body.as_str(), set_cookies(&reply).len()), ("bob", 2));
}

#[auth(public)]
async fn own_log_in(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    Extension(tokens): Extension<TokenService>,
    Extension(people): Extension<People>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let issued = tokens.issue(&people.find("bob").unwrap().unwrap()).await.unwrap();
    endpoints.respond_with(&head, &issued).await
}

#[tokio::test]
async fn an_own_login_that_does_not_fit_is_500_and_its_session_is_ended() {
    let (people, store) = (People::default(), MemoryStore::new());
    let builder = Auth::builder().token_issuer(issuer(&people)).store(store.clone());
    let auth = builder.max_staleness(Duration::MAX).build().unwrap();
    auth.start().await.unwrap();
    let tokens = auth.tokens().unwrap();
    let app = Router::new()
        .route("/in", post(own_log_in))
        .layer(Extension(TokenRoutes::cookies(tokens.clone(), people.clone()).endpoints()))
        .layer(Extension(tokens))
        .layer(Extension(people.clone()))
        .finish(&auth)
        .unwrap();
    let reply = send(&app, request("POST", "/in", &[])).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (200, 2));
    assert!(set_cookies(&reply).iter().all(|(_, value, _)| !value.is_empty()));
    set_roles(&people, "bob", 120);
    let reply = send(&app, request("POST", "/in", &[])).await;
    assert_eq!((reply.status.as_u16(), body(&reply)), (500, json!({ "error": "server_error" })));
    assert_both_are_cleared(&reply);
    assert_eq!(sessions(&store, "bob").await.len(), 1, "that of the first login");
}

/// RFC 6265bis §5.6: more than 4,096 bytes, of the name and the value together.
#[tokio::test]
async fn a_cookie_of_4096_bytes_fits_and_one_of_4097_does_not() {
    let shop = Shop::cookies();
    let cookie = shop.auth.access_cookie();
    let token = "x".repeat(CookieTooLarge::LIMIT - cookie.cookie_name().len());
    assert!(cookie.set(&token, Duration::from_secs(900)).unwrap().contains(&token));
    let error = cookie.set(&format!("{token}x"), None).unwrap_err();
    assert_eq!((error.name.as_str(), error.bytes), ("__Host-access_token", 4097));
}

/// How many roles of this length fit into the access cookie with a key for this algorithm.
async fn roles_that_fit(algorithm: Algorithm, length: usize) -> usize {
    let people = People::default();
    let key = SigningKey::generate(algorithm).unwrap();
    let issuer = TokenIssuer::new("https://shop.example", "orders", key, people.clone())
        .refresh_key(RefreshKey::new("2026", [1; 32]));
    let auth = Auth::builder().token_issuer(issuer).build().unwrap();
    let name_length = auth.access_cookie().cookie_name().len();
    let mut count = 0;
    loop {
        let roles: Vec<_> = (0..=count).map(|number| format!("{number:0length$}")).collect();
        // As long as the id of a user is that often is, a UUID.
        let id = "8c2a1f5e-3b7d-4c19-9e60-5d4f2b8a7c31";
        let subject = auth_runtime::session::Subject::new(id).roles(roles);
        let tokens = auth.tokens().unwrap().issue(&subject).await.unwrap();
        if name_length + tokens.access_token.len() > CookieTooLarge::LIMIT {
            return count;
        }
        count += 1;
    }
}

#[tokio::test]
async fn as_many_roles_fit_as_the_guide_says() {
    let guide = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/sessions.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for (algorithm, names) in
        [(Algorithm::EdDSA, "EdDSA, ES256"), (Algorithm::RS256, "RS256 with 2,048 bits")]
    {
        let (short, long) = (roles_that_fit(algorithm, 12).await, roles_that_fit(algorithm, 30).await);
        let row = format!("| {names} | {short} | {long} |");
        assert!(guide.contains(&row), "the guide has no row {row:?}");
    }
}
