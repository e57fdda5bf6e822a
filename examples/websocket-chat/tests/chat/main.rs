//! The chat as its users have it: the real server, real clients in terminals, and a real browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod browser;
mod processes;

use reqwest::header::{CONNECTION, COOKIE, ORIGIN, SET_COOKIE, UPGRADE};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::processes::{Server, Terminal};

/// What a client exits with when its session was ended, and what it says.
const LOGGED_OUT: (Option<i32>, &str) = (Some(77), "You were logged out.");

async fn log_in(server: &Server, path: &str) -> Response {
    let credentials = json!({ "username": "alice", "password": "wonderland" });
    let answer = Client::new().post(server.url(path)).json(&credentials).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer
}

fn as_texts((code, text): &(Option<i32>, String)) -> (Option<i32>, &str) {
    (*code, text)
}

#[tokio::test]
async fn a_logout_everywhere_closes_the_sockets_of_one_user() {
    let server = Server::start().await;
    let (mut alice, mut bob) =
        (Terminal::of(&server, "alice", "lobby").await, Terminal::of(&server, "bob", "lobby").await);
    let other = Terminal::of(&server, "alice", "announcements").await;
    for (of, line) in [("alice", "Hello.\u{1b}[31m"), ("bob", "Hello, alice.")] {
        let writer = if of == "alice" { &mut alice } else { &mut bob };
        writer.write(line).await;
        // A terminal obeys no user.
        let shown = format!("{of}: {}", line.replace('\u{1b}', "\u{fffd}"));
        alice.see(&shown).await;
        bob.see(&shown).await;
    }

    let tokens: Value = log_in(&server, "/token/login").await.json().await.unwrap();
    let everywhere = Client::new().post(server.url("/token/logout-everywhere"));
    let answer = everywhere.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    for ended in [alice, other] {
        assert_eq!(as_texts(&ended.end().await), LOGGED_OUT);
    }
    bob.write("Bye, alice.").await;
    bob.see("bob: Bye, alice.").await;
    assert_eq!(bob.leave().await, Some(0));
}

/// A guess at either login counts: for an account, ten at once.
#[tokio::test]
async fn guesses_at_both_logins_count_together() {
    let server = Server::start().await;
    let status = async |path: &str, username: &str, password: &str| {
        let sent = json!({ "username": username, "password": password });
        Client::new().post(server.url(path)).json(&sent).send().await.unwrap().status().as_u16()
    };
    for path in ["/auth/login", "/token/login"].repeat(5) {
        assert_eq!(status(path, "alice", "a guess").await, 400);
    }
    for path in ["/auth/login", "/token/login"] {
        assert_eq!(status(path, "alice", "wonderland").await, 429, "{path}");
        assert_eq!(status(path, "bob", "builder").await, 200, "another account");
    }
}

#[tokio::test]
async fn everyone_reads_announcements_and_admins_write_them() {
    let server = Server::start().await;
    let room = "announcements";
    let (mut alice, mut bob) =
        (Terminal::of(&server, "alice", room).await, Terminal::of(&server, "bob", room).await);
    let mut in_the_lobby = Terminal::of(&server, "bob", "lobby").await;
    bob.write("Free beer.").await;
    bob.see("Only admins write here.").await;
    alice.write("There is no beer.").await;
    alice.see("alice: There is no beer.").await;
    bob.see("alice: There is no beer.").await;
    in_the_lobby.write("Not here.").await;
    in_the_lobby.see("bob: Not here.").await;
}

#[tokio::test]
async fn a_client_says_why_it_ends() {
    let server = Server::start().await;
    for (password, room, reason) in [
        ("wonderland", "lobby", "Error: \"wrong name or password\""),
        ("builder", "cellar", "Error: \"room cellar: 400 Bad Request\""),
    ] {
        let (code, text) = Terminal::open(&server, "bob", password, room).await.end().await;
        assert_eq!((code, &*text), (Some(1), reason));
    }
    let bob = Terminal::of(&server, "bob", "lobby").await;
    server.kill().await;
    let (code, text) = bob.end().await;
    assert!(code == Some(1) && text.starts_with("Error: \"the connection was lost: "), "{code:?} {text}");
}

#[tokio::test]
async fn a_page_of_another_origin_enters_no_room() {
    let server = Server::start().await;
    let cookies = log_in(&server, "/auth/login").await;
    let cookies = cookies.headers().get_all(SET_COOKIE).iter();
    let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    for (origin, status) in [(&*server.origin, 101), ("https://evil.example", 403)] {
        let upgrade = Client::new().get(server.url("/rooms/lobby")).header(ORIGIN, origin);
        let upgrade = upgrade.header(COOKIE, cookies.join("; ")).header(CONNECTION, "upgrade");
        let upgrade = upgrade.header(UPGRADE, "websocket").header("sec-websocket-version", "13");
        let answer = upgrade.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send().await.unwrap();
        assert_eq!(answer.status(), status, "{origin}");
    }
}
