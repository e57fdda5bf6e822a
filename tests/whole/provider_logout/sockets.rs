//! A socket on loopback closes when its provider says that its session has ended, on the instance that receives it and on another.

use auth_runtime::store::MemoryStore;
use auth_runtime::streams::GuardedWebSocket;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, Principal, Router, auth, routing::get};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::{NOW, RISC, Service, another, user};
use crate::sockets::{Client, assert_closed, is_echoed};

#[auth]
pub(super) async fn echo(user: Principal, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let mut socket = GuardedWebSocket::new(socket, &user);
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

/// Serves sockets of an engine, and returns its address.
async fn served(auth: &Auth) -> String {
    let app: axum::Router = Router::new().route("/echo", get(echo)).finish(auth).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("ws://{address}/echo")
}

pub(super) async fn opened(address: &str, token: &str) -> Client {
    let mut request = address.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let mut client = connect_async(request).await.unwrap().0;
    assert!(is_echoed(&mut client).await);
    client
}

#[tokio::test]
async fn a_socket_closes_on_every_instance() {
    let store = MemoryStore::new();
    let configure = |issuer: TrustedIssuer| issuer.access_tokens_have_sid().subject_at("oid");
    let service = Service::with(configure, |builder| builder.store(store.clone()));
    let other = another(&service, configure, |builder| builder.store(store)).0;
    service.auth.start().await.unwrap();
    other.start().await.unwrap();
    let addresses = [served(&service.auth).await, served(&other).await];
    let token = |oid: &str, sid: &str| {
        let claims = json!({"oid": oid, "sub": format!("pairwise {oid}"), "sid": sid});
        service.access_token(NOW, claims)
    };
    let open = async |oid: &str, sid: &str| {
        let token = token(oid, sid);
        [opened(&addresses[0], &token).await, opened(&addresses[1], &token).await]
    };
    let mut of_session = open("alice", "s1").await;
    let mut of_alice = open("alice", "s2").await;
    let mut of_bob = open("bob", "s3").await;
    let mut of_carol = open("carol", "s4").await;
    let logout = |more: Value| service.logout_token(NOW, more);

    assert_eq!(service.log_out(&logout(json!({"sid": "s1"}))).await.status, 200);
    for socket in &mut of_session {
        assert_closed(socket, "its session").await;
    }
    assert_eq!(service.log_out(&logout(json!({"sub": "pairwise alice"}))).await.status, 200);
    for socket in &mut of_alice {
        assert_closed(socket, "its user, by `sub`").await;
    }
    let event = json!({format!("{RISC}account-disabled"): {}});
    let event = service.event_token(NOW, user("pairwise bob"), event);
    assert_eq!(service.push(&event).await.status, 202);
    for socket in &mut of_bob {
        assert_closed(socket, "its user, by an event").await;
    }
    for socket in &mut of_carol {
        assert!(is_echoed(socket).await);
    }
}
