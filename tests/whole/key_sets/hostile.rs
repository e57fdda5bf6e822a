//! What a hostile server of keys can cost: time, memory, requests.

use std::io::Write as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use auth_runtime::Auth;
use auth_runtime::routing::get;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Principal, Router, auth};
use axum::body::Body;
use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use futures_util::poll;
use serde_json::json;
use tower::ServiceExt as _;

use super::server::{Reply, Server};
use super::{Answer, ISSUER, Provider, engine, key, set, started, token};
use crate::support::people::AUDIENCE;
use crate::support::{base64url, status, until};

fn asking(url: &str) -> Auth {
    let issuer = TrustedIssuer::new(ISSUER).audience(AUDIENCE).jwks_url(format!("{url}/jwks"));
    engine(&TestClock::new(), issuer)
}

/// What counts is the time of the whole answer, and not that of its next byte.
#[tokio::test]
async fn a_server_that_is_silent_or_slow_is_given_up_after_ten_seconds() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n".to_owned();
    for (what, reply, is_slow) in [
        ("silence", Reply::Silence, false),
        ("a slow head", Reply::Slow(String::new(), head.clone()), true),
        ("a slow body", Reply::Slow(head, "x".repeat(1000)), true),
    ] {
        let server = Server::start().await;
        server.set("/jwks", reply);
        let auth = asking(&server.url);
        let starting = tokio::spawn(async move { auth.start().await });
        until("the server is asked", async || server.is_asked()).await;
        // The connection is made, and from here on time passes when nothing else is left to do.
        tokio::time::pause();
        let asked = tokio::time::Instant::now();
        let error = starting.await.unwrap().unwrap_err().to_string();
        assert!(error.contains("/jwks did not answer within 10 s"), "{what}: {error}");
        assert!(asked.elapsed() < Duration::from_secs(11), "{what}: {:?}", asked.elapsed());
        assert_eq!(server.sent() >= 8, is_slow, "{what}: {} bytes were sent", server.sent());
        tokio::time::resume();
    }
}

/// 64 MiB of nothing, in 64 KiB: several members are one text (RFC 1952 §2.2).
fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&[b' '; 1 << 20]).unwrap();
    encoder.finish().unwrap().repeat(64)
}

/// The most bytes that are held at a time while the keys are fetched, and whether they are.
async fn memory(url: String) -> (u64, bool) {
    // All that the client does is done by one thread, and nothing of the server.
    let fetching = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let auth = runtime.block_on(async { asking(&url) });
        let mut is_good = false;
        let info = measure(|| is_good = runtime.block_on(auth.start()).is_ok());
        (info.bytes_max, is_good)
    });
    fetching.await.unwrap()
}

/// An answer has 512 KiB at most, and of the text with the most parts some 7 MiB are made. Without a bound it would be as much as is sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_sends_takes_little_memory() {
    let a = key("a");
    let many = |count: usize, key: &str| format!("{{\"keys\":[{}]}}", vec![key; count].join(","));
    let deep = format!("{{\"keys\":{}{}}}", "[".repeat(250_000), "]".repeat(250_000));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let mut most = Vec::new();
    for (what, reply) in [
        ("a good set", Reply::json(set(&[&a]))),
        ("endless", Reply::Endless(format!("{head}\r\n"))),
        ("a head without an end", Reply::Endless(format!("{head}X: "))),
        ("64 MiB at once", Reply::json(vec![b' '; 64 << 20])),
        ("a gzip bomb", Reply::ok("application/json", "Content-Encoding: gzip\r\n", gzip_bomb())),
        ("many keys", Reply::json(many(10_000, r#"{"kty":"EC","crv":"P-256","kid":"x"}"#))),
        ("many empty keys", Reply::json(many(170_000, "{}"))),
        ("deep", Reply::json(deep)),
    ] {
        let server = Server::start().await;
        server.set("/jwks", reply);
        let (bytes, is_good) = memory(server.url.clone()).await;
        assert_eq!(is_good, what == "a good set", "{what}");
        most.push((what, bytes));
    }
    assert!(most.iter().all(|(_, bytes)| *bytes < 16 << 20), "{most:#?}");
    assert!(most.iter().all(|(_, bytes)| *bytes > 16 << 10), "it is the client that is measured: {most:#?}");
}

#[auth]
async fn page(user: Principal) -> String {
    user.subject().to_owned()
}

/// A request that waits is held, and one that is refused leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn a_flood_of_made_up_ids_takes_little_memory() {
    let (a, forger) = (key("a"), key("any"));
    let provider = Provider::new(&[&a]);
    let (auth, _) = started(&provider).await;
    provider.set(Answer::Silence);
    let app: axum::Router = Router::new().route("/", get(page)).finish(&auth).unwrap();
    let made_up: Vec<String> = (0..11_000).map(|number| of_made_up_key(&token(&forger), number)).collect();
    let ask = |token: &str| {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let mut asked = Box::pin(app.clone().oneshot(request.body(Body::empty()).unwrap()));
        match asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Err(asked),
            Poll::Ready(answer) => Ok(answer.unwrap().status().as_u16()),
        }
    };
    let (first, others) = made_up.split_at(1000);
    let mut waiting = Vec::new();
    let held = measure(|| waiting.extend(first.iter().filter_map(|token| ask(token).err())));
    assert_eq!(waiting.len(), 1000);
    let mut refused = 0;
    let passing = measure(|| refused = others.iter().filter(|token| matches!(ask(token), Ok(503))).count());
    assert_eq!((refused, provider.asked()), (10_000, 1), "the fetch has yet to run");
    let freed = measure(|| drop(waiting));
    let shown = format!("{held:?} {passing:?} {freed:?}");
    assert!(held.bytes_max < 16 << 20, "of each one that waits, 16 KiB: {shown}");
    assert!(held.bytes_max > 1 << 20, "it is the requests that are measured: {shown}");
    assert!(passing.bytes_max < 64 << 10, "of one at a time: {shown}");
    assert!(passing.bytes_current.abs() < 16 << 10, "{shown}");
    assert!((held.bytes_current + freed.bytes_current).abs() < 16 << 10, "{shown}");
}

/// The token with another id of its key, of which there is none.
fn of_made_up_key(token: &str, number: usize) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    let header = json!({"alg": "ES256", "kid": format!("made up {number}")});
    format!("{}.{rest}", base64url(header.to_string().as_bytes()))
}

/// Each request names a key of its own, and the keys are asked for over HTTP.
#[tokio::test]
async fn ten_thousand_made_up_ids_are_one_request_to_the_server() {
    let (a, forger) = (key("a"), key("any"));
    let server = Server::start().await;
    server.set("/jwks", Reply::json(set(&[&a])));
    let auth = asking(&server.url);
    auth.start().await.unwrap();
    assert_eq!(server.take_requests(), ["/jwks"]);
    let app: axum::Router = Router::new().route("/", get(page)).finish(&auth).unwrap();
    let signed = token(&forger);
    let flood = (0..10_000).map(|number| {
        let (app, token) = (&app, of_made_up_key(&signed, number));
        async move { status(app, "GET", "/", Some(&token)).await }
    });
    let mut flood = pin!(join_all(flood));
    assert!(poll!(flood.as_mut()).is_pending());
    // A token of a known key that was not seen before: it is verified, and waits for nothing.
    let known = token(&a);
    let verified = pin!(auth.verify(&known)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(verified, Poll::Ready(Ok(_))));
    let answers = flood.await;
    assert_eq!(server.take_requests(), ["/jwks"]);
    let [refused, unavailable] =
        [401, 503].map(|status| answers.iter().filter(|answer| **answer == status).count());
    // The one that had the keys fetched, unless that took longer than it waits.
    assert!(refused <= 1, "{refused}");
    assert_eq!(refused + unavailable, 10_000);
}
