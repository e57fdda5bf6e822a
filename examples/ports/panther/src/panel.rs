//! The panel: a page that shows agents each ticket as it is opened.

use auth_runtime::routing::get;
use auth_runtime::streams::GuardedWebSocket;
use auth_runtime::{Principal, Router, User, auth};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade, close_code};
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
        show(socket, &desk, &agent, opened).await;
    })
}

/// Sends who the agent is, and then each ticket. A panel that reads too slowly to get every one is closed, and connects again.
async fn show(mut socket: GuardedWebSocket, desk: &Desk, agent: &Account, mut opened: Receiver<Ticket>) {
    let mut next = json!({ "agent": agent.name });
    while socket.send(Message::text(next.to_string())).await.is_ok() {
        let Some(ticket) = next_ticket(&mut socket, &mut opened).await else { return };
        if !is_agent(&mut socket, desk, agent).await {
            return;
        }
        next = json!({ "ticket": ticket });
    }
}

/// `None`: the socket is closed, or too many tickets wait for it.
async fn next_ticket(socket: &mut GuardedWebSocket, opened: &mut Receiver<Ticket>) -> Option<Ticket> {
    loop {
        tokio::select! {
            received = socket.recv() => if !matches!(received, Some(Ok(_))) { return None },
            ticket = opened.recv() => return ticket.ok(),
        }
    }
}

/// Asked before each ticket: a session lasts longer than a role. Closes the socket of one who is an agent no longer.
async fn is_agent(socket: &mut GuardedWebSocket, desk: &Desk, agent: &Account) -> bool {
    match desk.is_agent(&agent.id).await {
        Ok(true) => return true,
        Ok(false) => {
            let frame = CloseFrame { code: close_code::POLICY, reason: "insufficient_scope".into() };
            // An error says that the client has gone.
            let _ = socket.send(Message::Close(Some(frame))).await;
        }
        // The database does not answer: the panel connects again.
        Err(_) => {}
    }
    false
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
