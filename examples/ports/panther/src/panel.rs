//! The panel: a page that shows agents each ticket as it is opened.

use auth_runtime::routing::get;
use auth_runtime::streams::GuardedWebSocket;
use auth_runtime::{Principal, Router, User, auth};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::desk::{Desk, Ticket};
use crate::users::Account;

/// The socket of the panel: a page sends its cookie, a program its token, in the header or in the URL.
#[auth(roles = ["agent"])]
async fn live(
    caller: Principal,
    User(agent): User<Account>,
    State(desk): State<Desk>,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Before the answer: what is opened after it reaches the panel.
    let opened = desk.opened();
    upgrade.on_upgrade(async move |socket| {
        // This is what closes the socket, with the code 1008, when the agent logs out or the session ends.
        let socket = GuardedWebSocket::new(socket, caller.ended().while_session_lasts());
        show(socket, &agent, opened).await;
    })
}

/// Sends who the agent is, and then each ticket. A panel that reads too slowly to get every one is closed, and connects again.
async fn show(mut socket: GuardedWebSocket, agent: &Account, mut opened: Receiver<Ticket>) {
    let mut next = json!({ "agent": agent.name });
    while socket.send(Message::text(next.to_string())).await.is_ok() {
        next = loop {
            tokio::select! {
                received = socket.recv() => if !matches!(received, Some(Ok(_))) { return },
                ticket = opened.recv() => match ticket {
                    Ok(ticket) => break json!({ "ticket": ticket }),
                    Err(_) => return,
                },
            }
        };
    }
}

#[auth(public)]
async fn page() -> Html<&'static str> {
    Html(include_str!("panel.html"))
}

#[auth(public)]
async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("panel.js"))
}

/// For the page: only this service's own script and connections, and no page from a cache.
async fn with_security_headers(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (name, value) in
        [(CONTENT_SECURITY_POLICY, POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-store")]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel", get(page))
        .route("/panel.js", get(script))
        .route("/panel/live", get(live))
        .layer(map_response(with_security_headers))
}
