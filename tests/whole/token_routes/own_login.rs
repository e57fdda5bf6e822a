//! A login of the application's own has the limits of the ready one, in each of its steps.

use std::net::IpAddr;
use std::sync::Arc;

use auth_runtime::session::routes::{LoginError, OwnLogin};
use axum::extract::{ConnectInfo, Json};
use axum::http::request::Parts;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// What is in every handler's reach.
#[derive(Clone)]
struct Shared {
    endpoints: TokenEndpoints<People>,
    people: People,
    /// Each code takes a permit before it is looked at.
    gate: Arc<Semaphore>,
}

#[derive(Deserialize)]
struct Step {
    username: String,
    password: Option<String>,
    code: Option<String>,
}

/// The first step: a password, which is not enough.
#[auth(public)]
async fn password(
    Extension(shared): Extension<Shared>,
    head: Parts,
    Json(sent): Json<Step>,
) -> Result<Response, LoginError> {
    let _attempt = shared.endpoints.attempt(&head, &sent.username).await?;
    if sent.password == Some(format!("password of {}", sent.username)) {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(shared.endpoints.fail_with(&head, TokenFailure::InvalidGrant))
    }
}

/// The second: a code.
#[auth(public)]
async fn code(
    Extension(shared): Extension<Shared>,
    head: Parts,
    Json(sent): Json<Step>,
) -> Result<Response, LoginError> {
    let attempt = shared.endpoints.attempt(&head, &sent.username).await?;
    shared.gate.acquire().await.unwrap().forget();
    let user = shared.people.find(&sent.username).unwrap().filter(|_| sent.code.as_deref() == Some("123456"));
    let Some(user) = user else {
        return Err(shared.endpoints.fail_with(&head, TokenFailure::InvalidGrant));
    };
    attempt.succeed();
    Ok(shared.endpoints.log_in_as(&head, user).await)
}

#[auth(public)]
async fn ready(Extension(shared): Extension<Shared>, request: Request) -> Response {
    shared.endpoints.log_in(request).await
}

struct OwnShop {
    app: axum::Router,
    gate: Arc<Semaphore>,
    people: People,
}

impl OwnShop {
    fn new(delivery: Delivery, configure: Configure) -> Self {
        let (people, gate) = (People::default(), Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)));
        let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
        let tokens = auth.tokens().unwrap();
        let routes = match delivery {
            Delivery::Cookies => TokenRoutes::cookies(tokens, people.clone()),
            _ => TokenRoutes::json(tokens, people.clone()),
        };
        let endpoints = configure(routes).endpoints();
        let shared = Shared { endpoints, people: people.clone(), gate: Arc::clone(&gate) };
        let app = Router::new()
            .route("/password", post(password))
            .route("/code", post(code))
            .route("/ready", post(ready))
            .layer(Extension(shared))
            .finish(&auth)
            .unwrap();
        Self { app, gate, people }
    }

    async fn send(&self, path: &str, from: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        send(&self.app, sent_from(path, from, headers, &body)).await
    }

    async fn status(&self, path: &str, body: Value) -> u16 {
        self.send(path, "192.0.2.1", &[], body).await.status.as_u16()
    }

    /// Sends a code, and lets the login go as far as it can.
    async fn begin(&self, name: &str, from: &str) -> JoinHandle<u16> {
        let (app, sent) = (self.app.clone(), sent_from("/code", from, &[], &right_code(name)));
        let login = tokio::spawn(async move { send(&app, sent).await.status.as_u16() });
        settle().await;
        login
    }
}

fn sent_from(path: &str, from: &str, headers: &[(&str, &str)], body: &Value) -> Request {
    let address: IpAddr = from.parse().unwrap();
    let mut sent = request("POST", path, headers);
    sent.headers_mut().insert("content-type", "application/json".parse().unwrap());
    sent.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 4711))));
    *sent.body_mut() = Body::from(body.to_string());
    sent
}

fn right_code(name: &str) -> Value {
    json!({ "username": name, "code": "123456" })
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn guesses_are_limited_in_each_step_and_together() {
    let shop = OwnShop::new(Delivery::Json, |routes| routes);
    let wrong_password = |name: &str| json!({ "username": name, "password": "wrong" });
    let wrong_code = |name: &str| json!({ "username": name, "code": "000000" });
    for number in 0..15 {
        let expected = if number < 10 { 400 } else { 429 };
        assert_eq!(shop.status("/password", wrong_password("alice")).await, expected, "guess {number}");
    }
    let reply = shop.send("/code", "192.0.2.2", &[], right_code("ALICE ")).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "30"));
    assert_eq!(body(&reply), json!({ "error": "temporarily_unavailable" }));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(shop.status("/ready", credentials("alice")).await, 429, "the ready login counts the same");

    // Eight codes after a right password and a ready login.
    assert_eq!(shop.status("/password", credentials("bob")).await, 202);
    assert_eq!(shop.status("/ready", credentials("bob")).await, 200);
    for number in 0..12 {
        let expected = if number < 8 { 400 } else { 429 };
        assert_eq!(shop.status("/code", wrong_code("bob")).await, expected, "guess {number}");
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(shop.status("/code", right_code("bob")).await, 200);
    assert_eq!(shop.status("/code", right_code("bob")).await, 429);
}

#[tokio::test(start_paused = true)]
async fn an_address_and_an_ipv6_site_are_limited() {
    let shop = OwnShop::new(Delivery::Json, few_per_address);
    for (number, (from, expected)) in FROM_ADDRESSES.into_iter().enumerate() {
        let wrong = json!({ "username": format!("nobody{number}"), "code": "000000" });
        assert_eq!(shop.send("/code", from, &[], wrong).await.status.as_u16(), expected, "{from}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_and_an_unknown_address_are_rejected() {
    let shop = OwnShop::new(Delivery::Cookies, |routes| routes);
    let foreign = [("origin", "https://evil.example"), ("host", "shop.test")];
    for step in ["/password", "/code"] {
        let reply = shop.send(step, "192.0.2.1", &foreign, right_code("alice")).await;
        assert_eq!(
            (reply.status.as_u16(), body(&reply)),
            (403, json!({ "error": "access_denied" })),
            "{step}"
        );
    }
    let reply = shop.send("/code", "192.0.2.1", &[], right_code("alice")).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (200, 2));

    let mut unknown = sent_from("/code", "192.0.2.1", &[], &right_code("alice"));
    unknown.extensions_mut().clear();
    assert_eq!(send(&shop.app, unknown).await.status, 500);
}

/// A second factor has no way around it.
#[tokio::test]
async fn without_a_ready_login_there_is_no_route_for_it() {
    let auth = Auth::builder().token_issuer(issuer(&People::default())).build().unwrap();
    let routes = || TokenRoutes::json(auth.tokens().unwrap(), OwnLogin);
    let shared = Arc::new(routes().endpoints());
    let app = Router::new()
        .nest("/auth", routes().router())
        .nest("/arc", TokenRoutes::json(auth.tokens().unwrap(), Arc::new(OwnLogin)).router())
        .route("/ready", post(ready_of_own_login))
        .layer(Extension(shared))
        .finish(&auth)
        .unwrap();
    for (path, status) in [
        ("/auth/login", 404),
        ("/arc/login", 404),
        ("/auth/refresh", 400),
        ("/auth/logout", 204),
        ("/ready", 400),
    ] {
        let body = if path == "/auth/logout" { json!({}) } else { credentials("alice") };
        assert_eq!(send(&app, sent_from(path, "192.0.2.1", &[], &body)).await.status, status, "{path}");
    }
}

#[auth(public)]
async fn ready_of_own_login(
    Extension(endpoints): Extension<Arc<TokenEndpoints<OwnLogin>>>,
    request: Request,
) -> Response {
    endpoints.log_in(request).await
}

/// A place is held while the code is looked at, and an account that has logged in from an address goes before others.
#[tokio::test(start_paused = true)]
async fn an_attempt_holds_its_place_and_is_remembered_when_it_succeeds() {
    let configure: Configure = |routes| {
        let unlimited = AttemptLimit::new(100_000, Duration::from_millis(1));
        routes.logins_at_once(1).limit_per_account(unlimited)
    };
    let shop = OwnShop::new(Delivery::Json, configure);
    assert_eq!(shop.status("/password", credentials("bob")).await, 202);
    assert_eq!(shop.begin("alice", "203.0.113.1").await.await.unwrap(), 200);

    shop.gate.forget_permits(Semaphore::MAX_PERMITS);
    let held = shop.begin("bob", "198.51.100.1").await;
    let mut waiting = Vec::new();
    for number in 0..256 {
        waiting.push(shop.begin("nobody", &format!("10.0.{}.{}", number / 250, number % 250)).await);
    }
    assert!(!held.is_finished() && waiting.iter().all(|login| !login.is_finished()));
    // Bob's password was right, but he was not logged in by it.
    for (name, from) in [("bob", "192.0.2.1"), ("alice", "203.0.113.2")] {
        assert_eq!(shop.begin(name, from).await.await.unwrap(), 503, "{name} from {from}");
    }
    let known = shop.begin("alice", "203.0.113.1").await;
    shop.gate.add_permits(2);
    settle().await;
    assert_eq!((held.await.unwrap(), known.await.unwrap()), (200, 200));
    assert_eq!(shop.people.asked(), 0, "the ready login's verifier is not called");
}
