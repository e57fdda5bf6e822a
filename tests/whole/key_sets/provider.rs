//! A provider that is asked over HTTP: discovery, and answers that are no key set. `hostile` has what they may cost.

use std::time::Duration;

use auth_runtime::Auth;
use auth_runtime::session::SigningKey;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{ACCEPTED, engine, is_remembered, key, kind, set, token_of};
use crate::support::people::AUDIENCE;
use crate::support::until;

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

fn metadata(issuer: &str, jwks_uri: &str) -> Reply {
    Reply::json(json!({"issuer": issuer, "jwks_uri": jwks_uri}).to_string())
}

fn discovering(clock: &TestClock, issuer: &str) -> Auth {
    engine(clock, TrustedIssuer::discover(issuer).audience(AUDIENCE))
}

/// With these keys at `/jwks`.
async fn server(keys: &[&SigningKey]) -> Server {
    let server = Server::start().await;
    server.set("/jwks", Reply::json(set(keys)));
    server
}

/// A key one of whose members is a text of 400 KB that looks like two lines of a log.
fn forged(member: &str) -> Value {
    let mut key = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k"});
    key[member] = format!("\nforged line {}", "x".repeat(400 * 1024)).into();
    key
}

/// OpenID Connect Discovery 1.0 §4, RFC 8414 §3.
#[tokio::test]
async fn an_issuer_is_found_by_its_metadata() {
    let a = key("a");
    for (path, at, expected) in [
        ("", OPENID.to_owned(), vec![OPENID.to_owned()]),
        ("/", OPENID.to_owned(), vec![OPENID.to_owned()]),
        ("/realms/shop", format!("/realms/shop{OPENID}"), vec![format!("/realms/shop{OPENID}")]),
        ("", OAUTH.to_owned(), vec![OPENID.to_owned(), OAUTH.to_owned()]),
        ("/t1", format!("{OAUTH}/t1"), vec![format!("/t1{OPENID}"), format!("{OAUTH}/t1")]),
    ] {
        let server = server(&[&a]).await;
        let issuer = format!("{}{path}", server.url);
        server.set(&at, metadata(&issuer, &format!("{}/jwks", server.url)));
        let auth = discovering(&TestClock::new(), &issuer);
        auth.start().await.unwrap();
        assert_eq!(kind(&auth, &token_of(&a, &issuer)).await, ACCEPTED, "{path}");
        assert_eq!(server.take_requests(), [expected, vec!["/jwks".to_owned()]].concat(), "{path}");
    }
}

/// RFC 8414 §3.3: the issuer in the metadata is the one that was asked for; nothing else is used of other metadata.
#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    let a = key("a");
    for other in ["https://evil.example", "{url}/", "{url}/x"] {
        let server = server(&[&a]).await;
        let other = other.replace("{url}", &server.url);
        server.set(OPENID, metadata(&other, &format!("{}/jwks", server.url)));
        let error = discovering(&TestClock::new(), &server.url).start().await.unwrap_err().to_string();
        assert!(error.contains(&format!("is of the issuer {other:?}")), "{error}");
        assert_eq!(server.take_requests(), [OPENID], "the key set is not asked for");
    }
}

/// Both addresses are named, and what to call where there is no metadata.
#[tokio::test]
async fn metadata_that_is_nowhere_is_no_outage() {
    let server = Server::start().await;
    let error = discovering(&TestClock::new(), &server.url).start().await.unwrap_err().to_string();
    for part in [OPENID, OAUTH, "404", "`TrustedIssuer::jwks_url(..)`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("serve_503_until_reachable"), "{error}");
}

#[tokio::test]
async fn an_address_of_keys_that_is_not_secure_is_not_asked() {
    let server = server(&[]).await;
    for (uri, expected) in [
        ("http://192.0.2.1/jwks", "is not https"),
        ("file:///etc/passwd", "is not https"),
        ("jwks", "is no URL"),
    ] {
        server.set(OPENID, metadata(&server.url, uri));
        let error = discovering(&TestClock::new(), &server.url).start().await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("jwks_uri"), "{uri}: {error}");
    }
}

/// What a hostile or broken server answers is no key set, whatever it costs it; and the keys from before serve.
#[tokio::test]
async fn answers_that_are_no_key_set_replace_nothing() {
    let a = key("a");
    let good = set(&[&a]);
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    let many: Vec<Value> =
        (0..10_000).map(|n| json!({"kty": "OKP", "crv": "Ed25519", "kid": n.to_string()})).collect();
    let other = Server::start().await;
    other.set("/jwks", Reply::json(&good));
    let redirect = format!("Location: {}/jwks\r\n", other.url);
    let rows = [
        (
            "500",
            Reply::with_status("500 Internal Server Error", "application/json", "", &good),
            "answered 500",
        ),
        ("204", Reply::with_status("204 No Content", "application/json", "", ""), "answered 204"),
        (
            "a redirect",
            Reply::with_status("302 Found", "text/plain", &redirect, ""),
            "no redirect is followed",
        ),
        (
            "a permanent one",
            Reply::with_status("308 Permanent Redirect", "text/plain", &redirect, ""),
            "redirects to",
        ),
        ("HTML", Reply::ok("text/html", "", &good), r#"content type "text/html""#),
        (
            "no type",
            Reply::Bytes(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{good}").into()),
            r#"content type """#,
        ),
        (
            "gzip",
            Reply::ok("application/json", "Content-Encoding: gzip\r\n", [0x1f, 0x8b, 8]),
            r#"encoding "gzip""#,
        ),
        ("garbage", Reply::json([0xff, 0xfe, 0]), "not UTF-8"),
        ("no JSON", Reply::json("{"), "this is not a JWKS"),
        ("empty", Reply::json(r#"{"keys":[]}"#), "no usable key: it is empty"),
        ("10,000 keys", Reply::json(json!({ "keys": many }).to_string()), "10000 keys, and 100 at most"),
        ("100 unusable", Reply::json(json!({ "keys": many.split_at(100).0 }).to_string()), "and 90 more"),
        ("a long `alg`", Reply::json(json!({ "keys": [forged("alg")] }).to_string()), r"\nforged line"),
        ("a long `crv`", Reply::json(json!({ "keys": [forged("crv")] }).to_string()), r"\nforged line"),
        ("a long `kty`", Reply::json(json!({ "keys": [forged("kty")] }).to_string()), r"\nforged line"),
        ("a long type", Reply::ok(&"x".repeat(10_000), "", &good), "answered with the content type"),
        (
            "a long redirect",
            Reply::with_status(
                "302 Found",
                "text/plain",
                &format!("Location: /{}\r\n", "x".repeat(10_000)),
                "",
            ),
            "no redirect is followed",
        ),
        ("endless", Reply::Endless(chunked.to_owned()), "more than 524288 bytes"),
        (
            "cut",
            Reply::Bytes(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{".into(),
            ),
            "end of file before message length",
        ),
        ("no HTTP", Reply::Bytes(b"SSH-2.0-x\r\n\r\n".into()), "invalid HTTP version"),
    ];
    for (what, reply, expected) in rows {
        let server = server(&[&a]).await;
        let issuer = || {
            TrustedIssuer::new("https://id.test").audience(AUDIENCE).jwks_url(format!("{}/jwks", server.url))
        };
        let clock = TestClock::new();
        let auth = engine(&clock, issuer());
        auth.start().await.unwrap();
        let known = token_of(&a, "https://id.test");
        assert_eq!(kind(&auth, &known).await, ACCEPTED);
        server.set("/jwks", reply);
        let error = engine(&clock, issuer()).start().await.expect_err(what).to_string();
        assert!(error.contains(expected), "{what}: {error}");
        assert!(error.len() < 2000, "{what}: {error}");
        assert!(!error.contains("\nforged"), "{what}: {error}");
        // What must be mended is not to be waited for.
        let advises = error.contains("serve_503_until_reachable");
        assert!(advises || what != "500", "{what}: {error}");
        assert!(
            !advises || !["HTML", "no JSON", "empty", "a redirect", "endless"].contains(&what),
            "{what}: {error}"
        );
        // The engine that has keys asks since a token names one that it does not have.
        let made_up = token_of(&key("made up"), "https://id.test");
        assert!(kind(&auth, &made_up).await.is_err(), "{what}");
        assert!(is_remembered(&auth, &known), "{what}");
        if what == "endless" {
            until("the client has cut it off", async || server.cut_off() == 2).await;
        }
    }
    assert_eq!(other.take_requests(), [""; 0], "no redirect was followed");
}

/// `jku`, `x5u` and `jwk` of a token are not used (RFC 8725 §3.10), and an issuer that it names is not asked.
#[tokio::test]
async fn nothing_is_asked_that_a_token_names() {
    let [a, forger] = [key("a"), key("forged")];
    let [server, of_forger] = [server(&[&a]).await, server(&[&forger]).await];
    server.set(OPENID, metadata(&server.url, &format!("{}/jwks", server.url)));
    of_forger.set(OPENID, metadata(&of_forger.url, &format!("{}/jwks", of_forger.url)));
    let auth = discovering(&TestClock::new(), &server.url);
    auth.start().await.unwrap();
    server.take_requests();
    let jwks = format!("{}/jwks", of_forger.url);
    for claims in [&server.url, &of_forger.url] {
        let signed = token_of(&forger, claims);
        let (_, rest) = signed.split_once('.').unwrap();
        let header = json!({"alg": "ES256", "kid": "forged", "jku": jwks, "x5u": jwks, "iss": of_forger.url});
        use base64::Engine as _;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string());
        assert!(kind(&auth, &format!("{header}.{rest}")).await.is_err());
    }
    assert_eq!(of_forger.take_requests(), [""; 0]);
    assert_eq!(server.take_requests(), [OPENID, "/jwks"], "for the unknown id, once");
}

/// RFC 9111 §4.2: what the headers of the answer say.
#[tokio::test]
async fn the_headers_of_an_answer_say_when_it_is_asked_again() {
    let a = key("a");
    for (headers, expected) in [
        ("", 600),
        ("Cache-Control: max-age=300\r\n", 300),
        ("Cache-Control: public, max-age=300, must-revalidate\r\nAge: 100\r\n", 200),
        ("Cache-Control: max-age=21600\r\n", 3510),
        ("Cache-Control: max-age=5\r\n", 60),
        ("Cache-Control: no-store\r\n", 60),
        ("Cache-Control: private, max-age=120\r\n", 120),
        ("Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 60),
    ] {
        let server = Server::start().await;
        server.set("/jwks", Reply::ok("application/jwk-set+json; charset=utf-8", headers, set(&[&a])));
        let clock = TestClock::new();
        let issuer =
            TrustedIssuer::new("https://id.test").audience(AUDIENCE).jwks_url(format!("{}/jwks", server.url));
        let auth = engine(&clock, issuer);
        auth.start().await.unwrap();
        server.take_requests();
        // A step less for the part of a second that may have passed.
        clock.advance(Duration::from_secs(expected - 2));
        next_tick().await;
        assert_eq!(server.take_requests(), [""; 0], "{headers}");
        clock.advance(Duration::from_secs(2));
        while server.take_requests().is_empty() {
            next_tick().await;
        }
    }
}

/// The background task ticks once a second.
async fn next_tick() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(1100)).await;
    tokio::time::resume();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn keys_of_every_algorithm_are_fetched() {
    let algorithms =
        [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];
    let keys =
        algorithms.map(|algorithm| SigningKey::generate(algorithm).unwrap().with_id(algorithm.to_string()));
    let server = server(&keys.each_ref()).await;
    server.set(OPENID, metadata(&server.url, &format!("{}/jwks", server.url)));
    let auth = discovering(&TestClock::new(), &server.url);
    auth.start().await.unwrap();
    for key in &keys {
        assert_eq!(kind(&auth, &token_of(key, &server.url)).await, ACCEPTED, "{key:?}");
    }
}
