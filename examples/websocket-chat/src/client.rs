//! The chat in a terminal.

use std::fmt::Display;
use std::io::{Write as _, stderr, stdin};
use std::process::ExitCode;

use auth_runtime::session::BoxError;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, channel};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::rooms::Event;

/// The exit code when the session was ended by somebody else, such as the user in a browser: `EX_NOPERM` of `sysexits.h`.
const LOGGED_OUT: u8 = 77;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Logs in, and sends what is typed until it ends (Ctrl-D).
pub(crate) async fn run(name: &str, room: &str, server: &str) -> Result<ExitCode, BoxError> {
    let mut lines = lines_of_stdin();
    eprint!("Password of {name} (it is shown as you type): ");
    stderr().flush()?;
    let password = lines.recv().await.ok_or("no password was typed")?;
    let mut session = Session::log_in(server, name, &password).await?;
    loop {
        let Some(mut socket) = session.enter(room).await? else { return Ok(logged_out()) };
        println!("You are {name}, in the room {room}. Type a message, or Ctrl-D to leave.");
        match talk(&mut socket, &mut lines).await? {
            End::Left => {
                session.log_out().await?;
                return Ok(ExitCode::SUCCESS);
            }
            // The session has ended, or only its access token has.
            End::InvalidToken if session.refresh().await? => {}
            End::InvalidToken => return Ok(logged_out()),
        }
    }
}

fn logged_out() -> ExitCode {
    eprintln!("You were logged out.");
    LOGGED_OUT.into()
}

/// Why a conversation has ended.
enum End {
    Left,
    InvalidToken,
}

async fn talk(socket: &mut Socket, lines: &mut Receiver<String>) -> Result<End, BoxError> {
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => socket.send(Message::text(line)).await.map_err(lost)?,
                None => {
                    socket.close(None).await.map_err(lost)?;
                    return Ok(End::Left);
                }
            },
            received = socket.next() => match received.transpose().map_err(lost)? {
                Some(Message::Text(text)) => println!("{}", printable(serde_json::from_str(&text)?)),
                Some(Message::Close(Some(frame))) => return match (frame.code, &*frame.reason) {
                    (CloseCode::Policy, "invalid_token") => Ok(End::InvalidToken),
                    (code, reason) => Err(format!("the server closed the connection: {code} {reason}").into()),
                },
                Some(_) => {}
                None => return Err(lost("it ended without a close frame")),
            },
        }
    }
}

fn lost(reason: impl Display) -> BoxError {
    format!("the connection was lost: {reason}").into()
}

/// Without control characters, which a terminal would obey.
fn printable(event: Event) -> String {
    let text = match event {
        Event::Said { by, text } => format!("{by}: {text}"),
        Event::Refused { reason } => reason,
        Event::Missed { messages } => format!("{messages} messages are missing."),
    };
    text.replace(char::is_control, "\u{fffd}")
}

/// A thread of its own reads them: one that waits for a line does not keep the program from ending.
fn lines_of_stdin() -> Receiver<String> {
    let (sender, lines) = channel(1);
    std::thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// A session at the server, by its token routes for programs.
struct Session<'s> {
    server: &'s str,
    client: Client,
    tokens: Tokens,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
}

impl<'s> Session<'s> {
    async fn log_in(server: &'s str, name: &str, password: &str) -> Result<Self, BoxError> {
        let (client, credentials) = (Client::new(), json!({ "username": name, "password": password }));
        let answer = client.post(format!("{server}/token/login")).json(&credentials).send().await?;
        if answer.status() == StatusCode::BAD_REQUEST {
            return Err("wrong name or password".into());
        }
        let tokens = answer.error_for_status()?.json().await?;
        Ok(Self { server, client, tokens })
    }

    /// Opens a socket with the access token. `None`: it is no longer accepted.
    async fn enter(&self, room: &str) -> Result<Option<Socket>, BoxError> {
        let url = format!("{}/rooms/{room}", self.server.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        let bearer = format!("Bearer {}", self.tokens.access_token);
        request.headers_mut().insert(AUTHORIZATION, bearer.parse()?);
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Some(socket)),
            Err(tungstenite::Error::Http(answer)) if answer.status() == StatusCode::UNAUTHORIZED => Ok(None),
            Err(tungstenite::Error::Http(answer)) => Err(format!("room {room}: {}", answer.status()).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Gets the next tokens. `false`: the session has ended.
    async fn refresh(&mut self) -> Result<bool, BoxError> {
        let answer = self.post("refresh").await?;
        if answer.status() == StatusCode::BAD_REQUEST {
            return Ok(false);
        }
        self.tokens = answer.error_for_status()?.json().await?;
        Ok(true)
    }

    async fn log_out(self) -> Result<(), BoxError> {
        self.post("logout").await?.error_for_status()?;
        Ok(())
    }

    async fn post(&self, route: &str) -> reqwest::Result<reqwest::Response> {
        let body = json!({ "refresh_token": self.tokens.refresh_token });
        self.client.post(format!("{}/token/{route}", self.server)).json(&body).send().await
    }
}
