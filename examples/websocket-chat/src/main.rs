//! A chat in the browser and in the terminal. A socket is closed when its user logs out.
//!
//! Run it with `cargo run -p websocket-chat`, open the page that it prints, and log in as alice (password wonderland), who is an
//! admin, or as bob (password builder). In another terminal, `cargo run -p websocket-chat -- client bob` asks for the password and
//! enters the same room. Then log out in the browser.
//!
//! `-- --port 8080` uses another port than 3000 (0: any free port).
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints to the terminal of the person who started it"
)]

mod client;
mod rooms;
#[cfg(test)]
mod tests;
mod users;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use auth_runtime::policy::Rule;
use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::routing::get;
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::session::{BoxError, RefreshKey, SigningKey, TokenIssuer};
use auth_runtime::streams::GuardedWebSocket;
use auth_runtime::verify::Algorithm;
use auth_runtime::{Auth, Principal, Router, auth, rule};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::broadcast::Receiver;

use crate::rooms::{Event, Room, Rooms};
use crate::users::Users;

/// Who may write in the room `announcements`, decided for each message. Every user may read them.
const ANNOUNCE: Rule = rule!(roles = ["admin"]);

/// The longest message, in bytes.
const LONGEST: usize = 4096;

/// Enters a room: a program by its token, or a page by its cookie, which pages of other origins can't use.
#[auth]
async fn enter(
    user: Principal,
    Path(room): Path<Room>,
    State(chat): State<Chat>,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Before the answer: what is said after it reaches the client.
    let said = chat.rooms.enter(room);
    upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).on_upgrade(async move |socket| {
        // This is what closes the socket, with the code 1008, when its user logs out or its token expires.
        let socket = GuardedWebSocket::new(socket, &user);
        chat.talk(socket, said, room, &user).await;
    })
}

/// What the handlers share.
#[derive(Clone)]
struct Chat {
    auth: Auth,
    rooms: Rooms,
}

impl Chat {
    /// Passes messages on, in both directions, until the socket is closed.
    async fn talk(
        &self,
        mut socket: GuardedWebSocket,
        mut said: Receiver<Event>,
        room: Room,
        user: &Principal,
    ) {
        loop {
            let event = tokio::select! {
                received = socket.recv() => match received {
                    Some(Ok(Message::Text(text))) => self.say(room, user, &text),
                    Some(Ok(_)) => None,
                    Some(Err(_)) | None => return,
                },
                event = rooms::next(&mut said) => Some(event),
            };
            if let Some(event) = event
                && socket.send(Message::text(event.to_json())).await.is_err()
            {
                return;
            }
        }
    }

    /// Says something in a room. Returns what its user is answered, if that may not say it.
    fn say(&self, room: Room, user: &Principal, text: &str) -> Option<Event> {
        if let Room::Announcements = room
            && let Err(error) = self.auth.require(user, &ANNOUNCE)
        {
            let reason = match error.kind() {
                CallerErrorKind::Denied => "Only admins write here.",
                _ => "That did not work. Please try again.",
            };
            return Some(Event::Refused { reason: reason.into() });
        }
        self.rooms.say(room, Event::Said { by: user.subject().into(), text: text.into() });
        None
    }
}

/// Who the user of the page is. With an expired access cookie, this request renews it: 401 means that the session has ended.
#[auth]
async fn me(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(public)]
async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

#[auth(public)]
async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page.js"))
}

/// For every answer: only this service's own script and connections, and no page from a cache.
async fn with_security_headers(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (name, value) in
        [(CONTENT_SECURITY_POLICY, POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-store")]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn engine() -> Result<(Auth, Arc<Users>), BoxError> {
    let users = Arc::new(Users::new().await?);
    // In a real service both keys are secrets that outlive the process, and so does the store of its sessions.
    let key = SigningKey::generate(Algorithm::EdDSA)?;
    let issuer = TokenIssuer::new("https://chat.example", "chat", key, Arc::clone(&users))
        .refresh_key(RefreshKey::generate()?);
    let auth = Auth::builder()
        .token_issuer(issuer)
        .default_sources(["bearer", "cookie"])
        .renew_transparently()
        .dangerously_use_insecure_cookies() // plain http, on this machine only
        .build()?;
    Ok((auth, users))
}

fn routes(auth: &Auth, users: &Arc<Users>) -> Result<Router<Chat>, BoxError> {
    Ok(Router::new()
        .route("/", get(page))
        .route("/page.js", get(script))
        .route("/me", get(me))
        .route("/rooms/{room}", get(enter).declares("write announcements", &ANNOUNCE))
        .nest("/auth", TokenRoutes::cookies(auth.tokens()?, Arc::clone(users)).router()) // for the page
        .nest("/token", TokenRoutes::json(auth.tokens()?, Arc::clone(users)).router())) // for programs
}

async fn serve(port: u16) -> Result<ExitCode, BoxError> {
    let (auth, users) = engine().await?;
    let routes = routes(&auth, &users)?;
    println!("{}", routes.routes().table(&auth));
    let chat = Chat { auth: auth.clone(), rooms: Rooms::default() };
    let app = routes.with_state(chat).finish(&auth)?.layer(map_response(with_security_headers));

    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("port {port} cannot be used ({error}). Choose another one with `-- --port NUMBER`; 0 is any free port")
    })?;
    let origin = format!("http://{}", listener.local_addr()?);
    println!("In another terminal: cargo run -p websocket-chat -- client bob lobby {origin}");
    println!("Open {origin}/ and log in as alice (wonderland) or bob (builder).");
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    const SERVER: &str = "http://127.0.0.1:3000";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match *arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        [] => serve(3000).await,
        ["--port", port] => serve(port.parse().map_err(|_| "a port is a number up to 65535")?).await,
        ["client", name] => client::run(name, "lobby", SERVER).await,
        ["client", name, room] => client::run(name, room, SERVER).await,
        ["client", name, room, server] => client::run(name, room, server).await,
        _ => {
            Err("usage: websocket-chat [--port NUMBER], or websocket-chat client NAME [ROOM [SERVER]]".into())
        }
    }
}
