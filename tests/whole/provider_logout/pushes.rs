//! Security event tokens that are pushed: which are accepted, and how they are answered (RFC 8417 §2.2, RFC 8935 §2; Shared Signals
//! Framework 1.0 §4.1).

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    NOW, PROVIDER, RECEIVER, RISC, SSF, Service, assert_event_rejected, event_claims, post, pushed, user,
};
use crate::captured_log::CapturedLog;
use crate::support::{request, send};

fn disabled() -> Value {
    json!({format!("{RISC}account-disabled"): {}})
}

/// RFC 8935 §2 and §2.4: each check of the recipient, with what satisfies it and what violates it.
#[tokio::test]
async fn each_check_of_the_recipient() {
    let service = Service::new();
    let rows: &[(&str, Value, Option<&str>)] = &[
        ("as it should be", json!({}), None),
        ("iss of another", json!({"iss": "https://other.test"}), Some("invalid_issuer")),
        ("iss of the provider", json!({"iss": PROVIDER}), Some("invalid_issuer")),
        ("no iss", json!({"iss": null}), Some("invalid_issuer")),
        ("aud of several", json!({"aud": ["other", RECEIVER]}), None),
        ("aud of another", json!({"aud": "other"}), Some("invalid_audience")),
        ("no aud", json!({"aud": null}), Some("invalid_audience")),
        ("no iat", json!({"iat": null}), Some("invalid_request")),
        ("iat in the leeway", json!({"iat": NOW + 60}), None),
        ("iat in the future", json!({"iat": NOW + 61}), Some("invalid_request")),
        ("no jti", json!({"jti": null}), Some("invalid_request")),
        ("sub", json!({"sub": "alice"}), Some("invalid_request")),
        ("exp", json!({"exp": NOW + 600}), Some("invalid_request")),
        ("no events", json!({"events": null}), Some("invalid_request")),
        ("events empty", json!({"events": {}}), Some("invalid_request")),
        ("events a list", json!({"events": [RISC]}), Some("invalid_request")),
        ("a payload that is no object", json!({"events": {"https://x.test": true}}), Some("invalid_request")),
        ("txn and more", json!({"txn": "8675309", "toe": NOW}), None),
    ];
    for (index, (what, more, code)) in rows.iter().enumerate() {
        let subject = format!("user {index}");
        let access = service.access_token(NOW, json!({"sub": subject}));
        let claims = super::with(event_claims(NOW, user(&subject), disabled()), more.clone());
        let reply = service.push(&service.transmitter.sign(Some("secevent+jwt"), &claims)).await;
        match code {
            None => {
                assert_eq!((reply.status.as_u16(), &*reply.body), (202, ""), "{what}");
                assert_eq!(reply.header("cache-control"), "no-store", "{what}");
            }
            Some(code) => assert_event_rejected(&reply, 400, code, what),
        }
        assert_eq!(service.is_let_in(&access).await, code.is_some(), "{what}");
    }
}

/// RFC 8417 §2.3, Shared Signals Framework 1.0 §4.1.1: explicit typing.
#[tokio::test]
async fn the_type_is_that_of_a_security_event_token() {
    let service = Service::new();
    let claims = event_claims(NOW, user("alice"), disabled());
    for (typ, is_valid) in [
        (Some("secevent+jwt"), true),
        (Some("application/secevent+jwt"), true),
        (Some("SecEvent+JWT"), true),
        (Some("JWT"), false),
        (Some("logout+jwt"), false),
        (None, false),
    ] {
        let reply = service.push(&service.transmitter.sign(typ, &claims)).await;
        assert_eq!(reply.status.as_u16(), if is_valid { 202 } else { 400 }, "{typ:?}");
    }
}

/// RFC 8935 §2.4: a key that is not the transmitter's.
#[tokio::test]
async fn a_key_of_another_is_invalid() {
    let service = Service::new();
    let claims = event_claims(NOW, user("alice"), disabled());
    let by_provider = service.provider.sign(Some("secevent+jwt"), &claims);
    assert_event_rejected(&service.push(&by_provider).await, 400, "invalid_key", "the provider's");
    let stranger = super::Signer::new("t").sign(Some("secevent+jwt"), &claims);
    assert_event_rejected(&service.push(&stranger).await, 400, "invalid_key", "a stranger's");
}

/// RFC 8935 §2.1, §2.3: general errors of HTTP have their own statuses.
#[tokio::test]
async fn the_form_of_a_push() {
    let service = Service::new();
    let token = service.event_token(NOW, user("alice"), disabled());
    let kind = "application/secevent+jwt";
    for (what, content_type, body, status) in [
        ("a token", kind, token.clone(), 202),
        ("with a line end", kind, format!("{token}\r\n"), 202),
        ("in other case", "Application/SecEvent+JWT; charset=utf-8", token.clone(), 202),
        ("another type", "application/jwt", token.clone(), 415),
        ("JSON", "application/json", token.clone(), 415),
        ("no type", "", token.clone(), 415),
        ("garbage", kind, "garbage".into(), 400),
        ("nothing", kind, String::new(), 400),
        ("two tokens", kind, format!("{token} {token}"), 400),
        ("64 KiB of space", kind, format!("{token}{}", " ".repeat(64 * 1024 - token.len())), 202),
        ("a byte more", kind, format!("{token}{}", " ".repeat(64 * 1024 - token.len() + 1)), 413),
        ("1 MiB", kind, "x".repeat(1 << 20), 413),
    ] {
        let reply = send(&service.app, post("/events", content_type, &[], body)).await;
        if status == 202 {
            assert_eq!((reply.status.as_u16(), &*reply.body), (202, ""), "{what}");
        } else {
            assert_event_rejected(&reply, status, "invalid_request", what);
        }
    }
    assert_eq!(send(&service.app, request("GET", "/events", &[])).await.status, 405);
}

/// RFC 8935 §2: the same token again is answered as it was; and it ends nothing that began since.
#[tokio::test]
async fn a_token_that_is_sent_again_is_answered_alike() {
    let service = Service::new();
    let of = |issued_at| service.access_token(issued_at, json!({"sub": "alice", "exp": issued_at + 86_400}));
    let (old, new) = (of(NOW), of(NOW + 10));
    let event = service.event_token(NOW + 5, user("alice"), disabled());
    service.clock.advance(Duration::from_secs(10));
    for pause in [0, 1, 3600, 20_000] {
        service.clock.advance(Duration::from_secs(pause));
        assert_eq!(service.push(&event).await.status, 202);
        assert!(!service.is_let_in(&old).await && service.is_let_in(&new).await, "after {pause} s");
    }
    // Years later nothing is recorded, since no token of then is valid.
    let entries = service.auth.revocations().status().entries;
    service.clock.advance(Duration::from_secs(3 * 365 * 86_400));
    assert_eq!(service.push(&event).await.status, 202);
    assert!(service.auth.revocations().status().entries <= entries + 1, "that it is forgotten, alone");
}

/// RFC 8935 §3: a header that the stream was registered with.
#[tokio::test]
async fn a_push_is_authenticated_where_that_is_configured() {
    const SECRET: &str = "Bearer 0123456789abcdef0123456789abcdef";
    let service = Service::configured(
        |issuer| issuer,
        |transmitter| transmitter.subjects_of(PROVIDER).authorization_header(SECRET),
        |builder| builder,
    );
    let access = service.access_token(NOW, json!({"sub": "alice"}));
    let event = service.event_token(NOW, user("alice"), disabled());
    let lower = SECRET.replace("Bearer", "bearer");
    let longer = format!("{SECRET}0");
    for (what, headers) in [
        ("none", vec![]),
        ("another", vec![("authorization", "Bearer ffffffffffffffffffffffffffffffff")]),
        ("a shorter one", vec![("authorization", &SECRET[..30])]),
        ("a longer one", vec![("authorization", &*longer)]),
        ("in other case", vec![("authorization", &*lower)]),
        ("twice", vec![("authorization", SECRET), ("authorization", SECRET)]),
        ("in another header", vec![("proxy-authorization", SECRET)]),
    ] {
        let reply = send(&service.app, pushed(&event, &headers)).await;
        assert_event_rejected(&reply, 400, "authentication_failed", what);
        assert!(service.is_let_in(&access).await, "{what}");
    }
    assert!(!format!("{:?}", service.auth).contains("0123456789"));
    let reply = send(&service.app, pushed(&event, &[("authorization", SECRET)])).await;
    assert_eq!(reply.status, 202);
    assert!(!service.is_let_in(&access).await);
}

/// Shared Signals Framework 1.0 §8.1.4, §8.1.5; RFC 8935 §2: what ends nothing is acknowledged, with a line in the log.
#[tokio::test]
async fn events_that_end_nothing_are_acknowledged_and_logged() {
    let service = Service::new();
    let access = service.access_token(NOW, json!({"sub": "alice", "sid": "stream 1"}));
    let stream = json!({"format": "opaque", "id": "stream 1"});
    for (sub_id, uri, payload, parts) in [
        (
            stream.clone(),
            format!("{SSF}verification"),
            json!({"state": "abc"}),
            vec!["INFO", "verified", "abc"],
        ),
        (stream.clone(), format!("{SSF}verification"), json!({}), vec!["INFO", "verified"]),
        (
            stream,
            format!("{SSF}stream-updated"),
            json!({"status": "paused", "reason": "a\nforged line"}),
            vec!["WARN", "status", "paused", "a\\nforged line"],
        ),
        (
            user("alice"),
            format!("{RISC}account-enabled"),
            json!({}),
            vec!["INFO", "account-enabled", "acknowledged"],
        ),
        (
            json!({"format": "email", "email": "a@b.test"}),
            "https://x.test/event".into(),
            json!({}),
            vec!["INFO", "acknowledged"],
        ),
        (json!(5), "urn:x".into(), json!({}), vec!["INFO", "urn:x"]),
    ] {
        let log = CapturedLog::start(tracing::Level::INFO);
        let event = service.event_token(NOW, sub_id, json!({ &uri: payload }));
        assert_eq!(service.push(&event).await.status, 202, "{uri}");
        for part in parts {
            assert!(log.text().contains(part), "{part}: {}", log.text());
        }
        assert_eq!(log.text().lines().count(), 1, "{}", log.text());
        assert!(service.is_let_in(&access).await, "{uri}");
    }
    assert_eq!(service.auth.revocations().status().entries, 0);
}
