//! A service with sockets in a process of its own. The test that starts it sets its clock, makes and revokes API keys, and has its store
//! stop answering, through requests to another port.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys};
use auth_runtime::routing::get;
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::store::{ApiKeyStore, RefreshTokenStore, RevocationLog};
use auth_runtime::streams::GuardedWebSocket;
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, Principal, Router, auth};
use axum::Json;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{post, put};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch::Sender;

use crate::support::people::{People, issuer};
use crate::support::silent::SilentStore;

/// Time passes in steps that are shorter than the view of revocations may be old.
const STEP: u64 = 20;

/// What the process prints when it listens: where.
#[derive(Debug, Serialize, Deserialize)]
pub struct Addresses {
    pub service: SocketAddr,
    pub control: SocketAddr,
}

/// An API key, as the test gets it.
#[derive(Debug, Serialize, Deserialize)]
pub struct MadeKey {
    pub id: String,
    pub text: String,
}

#[auth(source = ["bearer", "api_key"])]
async fn echo(user: Principal, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let mut socket = GuardedWebSocket::new(socket, &user);
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

/// The service, before it serves.
#[derive(Debug)]
pub struct SocketService {
    service: (TcpListener, axum::Router),
    control: (TcpListener, axum::Router),
}

impl SocketService {
    /// Starts it on this store, when this time has passed on its clock, in seconds.
    pub async fn start<S>(store: S, passed: u64) -> Self
    where
        S: RevocationLog + RefreshTokenStore + ApiKeyStore + Clone,
    {
        let (clock, people) = (TestClock::new(), People::default());
        clock.advance(Duration::from_secs(passed));
        let followed = SilentStore::new(store.clone());
        let is_silent = followed.is_silent();
        let auth = Auth::builder()
            .clock(clock.clone())
            .token_issuer(issuer(&people))
            .api_keys(ApiKeys::default().store(store))
            .store(followed)
            .build()
            .unwrap();
        auth.start().await.unwrap();
        let tokens = auth.tokens().unwrap();
        let service = Router::new()
            .route("/echo", get(echo))
            .nest("/auth", TokenRoutes::json(tokens, people).router())
            .finish(&auth)
            .unwrap();
        let control = axum::Router::new()
            .route("/pass/{seconds}", post(pass))
            .route("/silent/{is_silent}", put(set_silent))
            .route("/keys/{owner_or_id}", post(make_key).delete(revoke_key))
            .with_state(Controlled { auth, clock, is_silent });
        let listen = async || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        Self { service: (listen().await, service), control: (listen().await, control) }
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        let [service, control] =
            [&self.service, &self.control].map(|(listener, _)| listener.local_addr().unwrap());
        Addresses { service, control }
    }

    /// Serves until the process ends.
    pub async fn serve(self) {
        let (service, control) = (self.service, self.control);
        let with_addresses = service.1.into_make_service_with_connect_info::<SocketAddr>();
        let (service, control) =
            tokio::join!(async { axum::serve(service.0, with_addresses).await }, async {
                axum::serve(control.0, control.1).await
            },);
        service.and(control).unwrap();
    }
}

/// What the test controls.
#[derive(Clone)]
struct Controlled {
    auth: Auth,
    clock: TestClock,
    is_silent: Sender<bool>,
}

/// Lets time pass. The log is read after each step, unless the store is silent, as it is every second where a clock goes by itself.
async fn pass(State(controlled): State<Controlled>, Path(mut seconds): Path<u64>) {
    while seconds > 0 {
        let step = seconds.min(STEP);
        controlled.clock.advance(Duration::from_secs(step));
        if !*controlled.is_silent.borrow() {
            controlled.auth.start().await.unwrap();
        }
        seconds -= step;
    }
}

async fn set_silent(State(controlled): State<Controlled>, Path(is_silent): Path<bool>) {
    controlled.is_silent.send_replace(is_silent);
}

async fn make_key(State(controlled): State<Controlled>, Path(owner): Path<String>) -> Json<MadeKey> {
    let key = controlled.auth.api_keys().unwrap().create(&owner, ApiKeyOptions::new()).await.unwrap();
    Json(MadeKey { id: key.id().to_owned(), text: key.text().to_owned() })
}

async fn revoke_key(State(controlled): State<Controlled>, Path(id): Path<String>) {
    assert!(controlled.auth.api_keys().unwrap().revoke(&id).await.unwrap());
}
