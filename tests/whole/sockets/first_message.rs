//! A socket that anybody may open, whose first message is the token.

use std::time::Duration;

use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::streams::{EndReason, GuardedWebSocket};
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, Principal, auth};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::SinkExt as _;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as ClientMessage;

use super::{Client, Service, Shared, assert_closed, closed, echo_with, is_echoed};
use crate::support::flaky::FlakyStore;

/// What a stranger may send, in bytes.
const LONGEST: usize = 16 * 1024;

/// As the guide has it.
#[auth(public)]
pub(super) async fn echo(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST);
    upgrade.on_upgrade(async move |mut socket| match first_message(&shared.auth, &mut socket).await {
        Ok(user) => echo_with(GuardedWebSocket::new(socket, &user), shared).await,
        Err(reason) => {
            let frame = CloseFrame { code: close_code::POLICY, reason: reason.into() };
            let _ = socket.send(Message::Close(Some(frame))).await;
        }
    })
}

async fn first_message(auth: &Auth, socket: &mut WebSocket) -> Result<Principal, &'static str> {
    let Ok(Some(Ok(Message::Text(token)))) = timeout(Duration::from_secs(5), socket.recv()).await else {
        return Err("invalid_token");
    };
    auth.verify(&token).await.map_err(|error| match error.kind() {
        CallerErrorKind::Unavailable => "temporarily_unavailable",
        _ => "invalid_token",
    })
}

/// A socket of this service, with its first message.
async fn opened(service: &Service, first: impl Into<ClientMessage>) -> Client {
    let (mut socket, _) = service.open("/first", &[]).await.unwrap();
    socket.send(first.into()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_valid_token_opens_the_socket_until_it_ends_and_others_do_not() {
    let mut service = Service::new().await;
    let (alice, bob) = (service.log_in("alice").await, service.log_in("bob").await);
    let mut of_alice = opened(&service, &*alice.access_token).await;
    let mut of_bob = opened(&service, &*bob.access_token).await;
    assert!(is_echoed(&mut of_alice).await && is_echoed(&mut of_bob).await);

    assert!(service.tokens.log_out(&alice.refresh_token).await.unwrap());
    assert_closed(&mut of_alice, "logged out").await;
    assert_eq!(service.next_end().await, Some(EndReason::Revoked));
    assert!(is_echoed(&mut of_bob).await);

    let cut = &bob.access_token[..bob.access_token.len() - 2];
    let bearer = format!("Bearer {}", bob.access_token);
    for first in ["", "hello", cut, &bearer, &bob.refresh_token, &alice.access_token] {
        assert_closed(&mut opened(&service, first).await, first).await;
    }
    let binary = ClientMessage::binary(bob.access_token.clone().into_bytes());
    assert_closed(&mut opened(&service, binary).await, "no text").await;

    service.clock.advance(Duration::from_secs(960));
    service.auth.start().await.unwrap();
    assert_closed(&mut of_bob, "expired").await;
    assert_closed(&mut opened(&service, &*bob.access_token).await, "expired").await;
}

#[tokio::test]
async fn with_a_view_that_is_too_old_it_says_to_try_again() {
    let (store, clock) = (FlakyStore::default(), TestClock::new());
    let service = Service::with(store.clone(), clock.clone()).await;
    let alice = service.log_in("alice").await;
    store.set_broken(true);
    clock.advance(Duration::from_secs(31));
    let mut socket = opened(&service, &*alice.access_token).await;
    assert_eq!(closed(&mut socket).await, (0, 1008, "temporarily_unavailable".into()));
}

/// The clock of the timers goes on by itself while nothing else happens: what waits for five seconds is done at once.
#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_does_not_hold_the_socket() {
    let service = Service::new().await;
    let (mut socket, _) = service.open("/first", &[]).await.unwrap();
    assert_closed(&mut socket, "silent").await;
}
