//! What a known caller costs while a hostile server of keys is waited for, and a flood of made-up ids waits: as much as before and after. The
//! work is counted, since a time says little on a machine that does other things.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, AuthBuilder};
use futures_util::future::join_all;
use futures_util::poll;

use super::server::{Reply, Server};
use super::{ISSUER, key, kind, set, token};
use crate::support::people::AUDIENCE;

/// The allocations of a token that is accepted at once.
#[track_caller]
fn work(auth: &Auth, token: &str) -> u64 {
    let mut is_accepted = false;
    let info = measure(|| {
        let verified = pin!(auth.verify(token)).poll(&mut Context::from_waker(Waker::noop()));
        is_accepted = matches!(verified, Poll::Ready(Ok(_)));
    });
    assert!(is_accepted, "it waits, or is rejected");
    info.count_total
}

fn hostile() -> Vec<(&'static str, Reply)> {
    let of_many = format!("{{\"keys\":[{}]}}", vec![r#"{"kty":"EC","kid":"x"}"#; 10_000].join(","));
    let endless = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    vec![
        ("silence", Reply::Silence),
        ("an endless body", Reply::Endless(endless.to_owned())),
        ("a failure", Reply::with_status("500 Internal Server Error", "text/plain", "", "no")),
        ("a redirect", Reply::with_status("302 Found", "text/plain", "Location: /jwks\r\n", "")),
        ("garbage", Reply::Bytes(b"\x00\xff\r\n\r\n".to_vec())),
        ("an empty set", Reply::json(r#"{"keys":[]}"#)),
        ("10,000 keys", Reply::json(of_many)),
        ("another type", Reply::ok("text/html", "", "<html>")),
    ]
}

/// An engine whose server becomes hostile, and what a known token takes meanwhile.
async fn attack(configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> u64 {
    let (a, forger) = (key("a"), key("any"));
    let (server, clock) = (Server::start().await, TestClock::new());
    server.set("/jwks", Reply::json(set(&[&a])));
    let issuer = TrustedIssuer::new(ISSUER).audience(AUDIENCE).jwks_url(format!("{}/jwks", server.url));
    let longest = Duration::from_secs(30 * 24 * 3600);
    let builder = Auth::builder().clock(clock.clone()).max_token_lifetime(longest).issuer(issuer);
    let auth = configure(builder).build().unwrap();
    auth.start().await.unwrap();

    let known = token(&a);
    let made_up: Vec<String> =
        (0..100).map(|n| token(&forger.clone().with_id(format!("made up {n}")))).collect();
    let [.., before] = [0; 3].map(|_| work(&auth, &known));
    for (what, reply) in hostile() {
        server.set("/jwks", reply);
        clock.advance(Duration::from_secs(30));
        server.take_requests();
        let mut flood = pin!(join_all((0..15).flat_map(|_| &made_up).map(|token| kind(&auth, token))));
        for turn in 0..200 {
            let is_over = poll!(flood.as_mut()).is_ready();
            assert_eq!([0; 3].map(|_| work(&auth, &known)), [before; 3], "{what}, turn {turn}");
            if is_over {
                break;
            }
            tokio::task::yield_now().await;
        }
        let requests = server.take_requests();
        assert!(requests.len() <= 1, "{what}: one fetch in a cool-down: {requests:?}");
    }
    assert_eq!(work(&auth, &known), before);
    before
}

#[tokio::test]
async fn a_known_caller_takes_the_same_work_whatever_a_hostile_server_answers() {
    // A token that is remembered, and one that is verified each time.
    assert_eq!(attack(|builder| builder).await, 0);
    assert_ne!(attack(|builder| builder.token_cache(0, 0)).await, 0);
}
