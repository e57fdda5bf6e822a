//! Sockets and streams end with the credential of their caller: a service on loopback, and a WebSocket client. The service is in the
//! test's process, and in `processes` in one of its own.

mod closing;
mod ended;
mod first_message;
mod handshake;
mod http2;
mod processes;
mod query;
mod sources;
mod streams;
mod users;

use std::net::SocketAddr;
use std::time::Duration;

use auth_runtime::session::{IssuedTokens, Subject, TokenService};
use auth_runtime::source::WebSocketProtocol;
use auth_runtime::store::{MemoryStore, RefreshTokenStore, RevocationLog};
use auth_runtime::streams::{EndReason, GuardedWebSocket};
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, Principal, Router, auth, routing::get};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message as ClientMessage};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::people::{People, issuer};

/// The time after which a test fails that waits for something that does not happen.
const PATIENCE: Duration = Duration::from_secs(60);

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A service on loopback, whose handlers report how their sockets ended.
pub(crate) struct Service {
    pub(crate) auth: Auth,
    pub(crate) tokens: TokenService,
    pub(crate) clock: TestClock,
    pub(crate) address: SocketAddr,
    pub(crate) ends: tokio::sync::mpsc::UnboundedReceiver<Option<EndReason>>,
}

#[derive(Clone)]
struct Shared {
    auth: Auth,
    ends: UnboundedSender<Option<EndReason>>,
}

async fn echo_with(mut socket: GuardedWebSocket, shared: Shared) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
            break;
        }
    }
    let _ = shared.ends.send(socket.end_reason());
}

#[auth(source = ["bearer", "ws_protocol", "cookie"])]
async fn echo(user: Principal, State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["chat"])
        .on_upgrade(async move |socket| echo_with(GuardedWebSocket::new(socket, &user), shared).await)
}

#[auth]
async fn echo_for_the_session(
    user: Principal,
    State(shared): State<Shared>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let ended = user.ended().while_session_lasts();
        echo_with(GuardedWebSocket::new(socket, ended), shared).await;
    })
}

impl Service {
    pub(crate) async fn new() -> Self {
        Self::with(MemoryStore::new(), TestClock::new()).await
    }

    pub(crate) async fn with(store: impl RevocationLog + RefreshTokenStore, clock: TestClock) -> Self {
        let auth = Auth::builder()
            .clock(clock.clone())
            .token_issuer(issuer(&People::default()))
            .source(WebSocketProtocol::new())
            .store(store)
            .build()
            .unwrap();
        auth.start().await.unwrap();
        let (sender, ends) = tokio::sync::mpsc::unbounded_channel();
        let app = Router::new()
            .route("/echo", get(echo))
            .route("/session", get(echo_for_the_session))
            .route("/first", get(first_message::echo))
            .route("/burst", get(closing::burst))
            .route("/events", get(streams::events))
            .with_state(Shared { auth: auth.clone(), ends: sender })
            .finish(&auth)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { tokens: auth.tokens().unwrap(), auth, clock, address, ends }
    }

    pub(crate) async fn log_in(&self, name: &str) -> IssuedTokens {
        self.tokens.issue(&Subject::new(name)).await.unwrap()
    }

    pub(crate) async fn connect(&self, path: &str, tokens: &IssuedTokens) -> Client {
        let bearer = format!("Bearer {}", tokens.access_token);
        self.open(path, &[("authorization", &bearer)]).await.unwrap().0
    }

    /// Opens a WebSocket with these headers. An error is the status of the answer.
    pub(crate) async fn open(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Client, tungstenite::handshake::client::Response), u16> {
        open(self.address, path, headers).await
    }

    pub(crate) async fn next_end(&mut self) -> Option<EndReason> {
        timeout(PATIENCE, self.ends.recv()).await.unwrap().unwrap()
    }
}

async fn open(
    address: SocketAddr,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Client, tungstenite::handshake::client::Response), u16> {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    match timeout(PATIENCE, connect_async(request)).await.unwrap() {
        Ok(opened) => Ok(opened),
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// A message, and the same one back.
pub(crate) async fn is_echoed(client: &mut Client) -> bool {
    client.send(ClientMessage::text("hello")).await.unwrap();
    let answer = timeout(PATIENCE, client.next()).await.unwrap().unwrap();
    answer.is_ok_and(|answer| answer == ClientMessage::text("hello"))
}

/// How the service closes the socket: the messages before it, the code and the reason.
pub(crate) async fn closed(client: &mut Client) -> (usize, u16, String) {
    let mut messages = 0;
    loop {
        match timeout(PATIENCE, client.next()).await.unwrap() {
            Some(Ok(ClientMessage::Close(Some(frame)))) => {
                // The answer to the close frame, and the end of the connection.
                while timeout(PATIENCE, client.next()).await.unwrap().is_some_and(|next| next.is_ok()) {}
                return (messages, frame.code.into(), frame.reason.to_string());
            }
            Some(Ok(_)) => messages += 1,
            other => panic!("the connection ended without a close frame: {other:?}"),
        }
    }
}

pub(crate) const POLICY: (usize, u16, &str) = (0, 1008, "invalid_token");

pub(crate) async fn assert_closed(client: &mut Client, what: &str) {
    let (messages, code, reason) = closed(client).await;
    assert_eq!((messages, code, &*reason), POLICY, "{what}");
}
