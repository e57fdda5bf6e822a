//! All login routes of one engine count attempts together.

use auth_runtime::session::routes::{LoginError, OwnLogin};
use auth_runtime::store::MemoryStore;
use axum::extract::Json;
use axum::http::request::Parts;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[auth(public)]
async fn code(
    Extension(endpoints): Extension<TokenEndpoints<OwnLogin>>,
    head: Parts,
    Json(sent): Json<Value>,
) -> Result<Response, LoginError> {
    let _attempt = endpoints.attempt(&head, sent["username"].as_str().unwrap()).await?;
    Err(endpoints.fail_with(&head, TokenFailure::InvalidGrant))
}

/// A login for browsers at `/web`, one for programs at `/api`, and one of the application's own at `/code`.
fn app(auth: &Auth, [web, api, own]: [Option<AttemptLimit>; 3], store: Option<MemoryStore>) -> axum::Router {
    let tokens = || auth.tokens().unwrap();
    let people = People::default;
    let (mut for_web, mut for_api) =
        (TokenRoutes::cookies(tokens(), people()), TokenRoutes::json(tokens(), people()));
    let mut for_own = TokenRoutes::json(tokens(), OwnLogin);
    if let Some(store) = store {
        for_web = for_web.attempt_store(store);
    }
    if let Some(limit) = web {
        for_web = for_web.limit_per_account(limit);
    }
    if let Some(limit) = api {
        for_api = for_api.limit_per_account(limit);
    }
    if let Some(limit) = own {
        for_own = for_own.limit_per_account(limit);
    }
    let routes = Router::new()
        .route("/code", post(code))
        .layer(Extension(for_own.endpoints()))
        .nest("/web", for_web.router())
        .nest("/api", for_api.router());
    let app: axum::Router = routes.finish(auth).unwrap();
    app.layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
}

fn engine() -> Auth {
    Auth::builder().token_issuer(issuer(&People::default())).build().unwrap()
}

async fn guess(app: &axum::Router, path: &str, name: &str) -> u16 {
    let mut sent = request("POST", path, &[("content-type", "application/json")]);
    *sent.body_mut() = Body::from(json!({ "username": name, "password": "wrong" }).to_string());
    send(app, sent).await.status.as_u16()
}

const PATHS: [&str; 3] = ["/web/login", "/api/login", "/code"];

#[tokio::test(start_paused = true)]
async fn guesses_of_one_account_are_as_many_as_by_one_login() {
    let auth = engine();
    let app = app(&auth, [None; 3], None);
    for number in 0..10 {
        assert_eq!(guess(&app, PATHS[number % 3], "alice").await, 400, "{number}");
    }
    for path in PATHS {
        assert_eq!(guess(&app, path, "alice").await, 429, "{path}");
        assert_eq!(guess(&app, path, "bob").await, 400, "{path}");
    }
    // As one login: an attempt that was rejected did not count, and 30 seconds later there is one more.
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(guess(&app, "/api/login", "alice").await, 400);
    assert_eq!(guess(&app, "/web/login", "alice").await, 429);
}

/// Otherwise a busy login with wide limits would use up the attempts of one with narrow ones.
#[tokio::test(start_paused = true)]
async fn routes_with_other_limits_count_apart() {
    for store in [None, Some(MemoryStore::new())] {
        let auth = engine();
        let limit = |attempts| Some(AttemptLimit::new(attempts, 20 * MINUTE));
        let app = app(&auth, [limit(3), limit(5), limit(3)], store);
        for (path, expected) in [
            ("/web/login", 400),
            ("/code", 400),
            ("/api/login", 400),
            ("/web/login", 400),
            ("/web/login", 429),
            ("/code", 429),
            ("/api/login", 400),
            ("/api/login", 400),
            ("/api/login", 400),
            ("/api/login", 400),
            ("/api/login", 429),
        ] {
            assert_eq!(guess(&app, path, "alice").await, expected, "{path}");
        }
        assert_eq!(guess(&app, "/web/login", "bob").await, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn another_engine_has_another_count() {
    let apps = [engine(), engine()].map(|auth| app(&auth, [None; 3], None));
    for app in &apps {
        for number in 0..11 {
            let expected = if number < 10 { 400 } else { 429 };
            assert_eq!(guess(app, "/api/login", "alice").await, expected);
        }
    }
}

/// A store that one login was given counts for all of them: otherwise each instance would allow as many guesses at the others.
#[tokio::test(start_paused = true)]
async fn a_store_that_one_login_was_given_counts_for_all() {
    let store = MemoryStore::new();
    let instances = [0; 2].map(|_| {
        let auth = engine();
        let tokens = || auth.tokens().unwrap();
        let programs = TokenRoutes::json(tokens(), People::default());
        let pages = TokenRoutes::cookies(tokens(), People::default()).attempt_store(store.clone());
        let routes = Router::new().nest("/api", programs.router()).nest("/web", pages.router());
        let app: axum::Router = routes.finish(&auth).unwrap();
        app.layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
    });
    for number in 0..10 {
        assert_eq!(guess(&instances[number % 2], "/api/login", "alice").await, 400, "{number}");
    }
    for app in &instances {
        for path in ["/api/login", "/web/login"] {
            assert_eq!(guess(app, path, "alice").await, 429, "{path}");
        }
    }
}
