//! Logins that come together. The passwords are looked at when the test says so.

use std::net::IpAddr;
use std::sync::Arc;

use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, Subject};
use axum::extract::ConnectInfo;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

const UNLIMITED: AttemptLimit = AttemptLimit::new(100_000, Duration::from_millis(1));

/// Each login takes one permit of the gate before its password is looked at.
struct Slow {
    people: People,
    gate: Arc<Semaphore>,
}

impl LoginVerifier for Slow {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        self.gate.acquire().await?.forget();
        self.people.authenticate(sent).await
    }
}

struct SlowShop {
    app: axum::Router,
    people: People,
    gate: Arc<Semaphore>,
}

impl SlowShop {
    /// With twelve users, `user0` to `user11`.
    fn new(configure: fn(TokenRoutes<Slow>) -> TokenRoutes<Slow>) -> Self {
        let (people, gate) = (People::default(), Arc::new(Semaphore::new(0)));
        for number in 0..12 {
            people.set(&format!("user{number}"), &[]);
        }
        let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
        let slow = Slow { people: people.clone(), gate: Arc::clone(&gate) };
        let routes = TokenRoutes::json(auth.tokens().unwrap(), slow).limit_per_address(UNLIMITED);
        let app = Router::new().nest("/auth", configure(routes).router()).finish(&auth).unwrap();
        Self { app, people, gate }
    }

    /// Sends a login, and lets it go as far as it can: the status and `Retry-After`.
    async fn send(&self, from: &str, credentials: Value) -> JoinHandle<(u16, String)> {
        let address: IpAddr = from.parse().unwrap();
        let mut sent = request("POST", "/auth/login", &[("content-type", "application/json")]);
        sent.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 4711))));
        *sent.body_mut() = Body::from(credentials.to_string());
        let app = self.app.clone();
        let login = tokio::spawn(async move {
            let reply = send(&app, sent).await;
            (reply.status.as_u16(), reply.header("retry-after").to_owned())
        });
        settle().await;
        login
    }

    async fn wrong(&self, from: &str, number: usize) -> JoinHandle<(u16, String)> {
        self.send(from, json!({ "username": format!("nobody{number}"), "password": "wrong" })).await
    }

    /// Lets so many more passwords be looked at.
    async fn let_through(&self, count: usize) {
        self.gate.add_permits(count);
        settle().await;
    }
}

/// Lets every task run as far as it can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn status(login: JoinHandle<(u16, String)>) -> u16 {
    assert!(login.is_finished());
    login.await.unwrap().0
}

/// How many of the answers that have come are of this status.
async fn count(logins: Vec<JoinHandle<(u16, String)>>, expected: u16) -> usize {
    let mut count = 0;
    for login in logins {
        if login.is_finished() {
            count += usize::from(login.await.unwrap().0 == expected);
        } else {
            login.abort();
        }
    }
    count
}

#[tokio::test(start_paused = true)]
async fn a_flood_from_one_network_keeps_no_other_address_out() {
    let shop = SlowShop::new(|routes| routes);
    let mut flood = Vec::new();
    for number in 0..300 {
        flood.push(shop.wrong(&format!("2001:db8::{number:x}"), number).await);
    }
    // 16 are verified and 256 wait
    assert_eq!(flood.iter().filter(|login| login.is_finished()).count(), 28);
    let last = flood.pop().unwrap();
    assert_eq!(last.await.unwrap(), (429, "1".into()));

    let mut others = Vec::new();
    for number in 0..12 {
        let from = if number < 6 { format!("203.0.113.{number}") } else { format!("2001:db8:0:{number}::1") };
        others.push(shop.send(&from, credentials(&format!("user{number}"))).await);
    }
    // Those that are verified already, and one of the flood before each of the others at most.
    shop.let_through(16 + 13).await;
    for other in others {
        assert_eq!(status(other).await, 200);
    }
    assert_eq!(shop.people.asked(), 16 + 13, "the flood's other passwords were not looked at");
    shop.let_through(1_000).await;
    assert_eq!(count(flood, 429).await, 27 + 12);
}

#[tokio::test(start_paused = true)]
async fn a_flood_from_many_networks_keeps_no_other_address_out() {
    let shop = SlowShop::new(|routes| routes);
    let mut flood = Vec::new();
    for number in 0..600 {
        flood.push(shop.wrong(&format!("198.51.100.{}", number % 100), number).await);
    }
    let mut others = Vec::new();
    for number in 0..12 {
        let login = credentials(&format!("user{number}"));
        others.push(shop.send(&format!("203.0.113.{number}"), login).await);
    }
    // After at most one of each of the hundred networks.
    shop.let_through(16 + 100 + 12).await;
    for other in others {
        assert_eq!(status(other).await, 200);
    }
    drop(flood);
}

#[tokio::test(start_paused = true)]
async fn more_networks_than_there_is_room_for_keep_out_no_address_that_has_logged_in() {
    let shop = SlowShop::new(|routes| routes);
    let mut others = Vec::new();
    for number in 0..12 {
        let login = credentials(&format!("user{number}"));
        others.push(shop.send(&format!("203.0.113.{number}"), login).await);
    }
    shop.let_through(12).await;
    assert_eq!(count(others, 200).await, 12);

    let mut flood = Vec::new();
    for number in 0..400 {
        flood.push(shop.wrong(&format!("10.0.{}.{}", number / 250, number % 250), number).await);
    }
    assert_eq!(flood.iter().filter(|login| login.is_finished()).count(), 400 - 272);
    assert_eq!(flood.pop().unwrap().await.unwrap(), (503, "5".into()));
    let stranger = shop.send("203.0.113.99", credentials("alice")).await;
    assert_eq!(status(stranger).await, 503, "this is not promised");

    let mut known = Vec::new();
    for number in 0..12 {
        let login = credentials(&format!("user{number}"));
        known.push(shop.send(&format!("203.0.113.{number}"), login).await);
    }
    // Every fourth place is for the others.
    shop.let_through(16 + 12 + 4).await;
    for login in known {
        assert_eq!(status(login).await, 200);
    }
    drop(flood);
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_client_has_gone_frees_its_place() {
    let shop = SlowShop::new(|routes| routes.logins_at_once(1));
    let verified = shop.wrong("203.0.113.1", 1).await;
    let waits = shop.wrong("203.0.113.2", 2).await;
    let bob = shop.send("203.0.113.3", credentials("bob")).await;
    for gone in [verified, waits] {
        gone.abort();
        settle().await;
    }
    shop.let_through(1).await;
    assert_eq!(status(bob).await, 200);
    assert_eq!(shop.people.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_waits_for_five_seconds() {
    let shop = SlowShop::new(|routes| routes.logins_at_once(0));
    let _verified = shop.wrong("203.0.113.1", 1).await;
    let waits = shop.send("203.0.113.2", credentials("bob")).await;
    tokio::time::advance(Duration::from_millis(4_999)).await;
    settle().await;
    assert!(!waits.is_finished());
    tokio::time::advance(Duration::from_millis(1)).await;
    settle().await;
    assert_eq!(waits.await.unwrap(), (503, "5".into()));
}
