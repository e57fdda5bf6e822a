//! Which events end what, and up to when (CAEP 1.0 §3, RISC 1.0 §2).

use serde_json::{Value, json};

use super::{CAEP, NOW, RISC, Service, assert_event_rejected, user};

/// Each event, with payloads that fit its definition and payloads that do not: whether it ends the user's session, or how it is rejected.
#[tokio::test]
async fn each_event_ends_what_it_says() {
    let service = Service::new();
    let change = |change: &str| json!({"credential_type": "password", "change_type": change});
    let rows: &[(&str, &str, Value, Result<bool, &str>)] = &[
        (CAEP, "session-revoked", json!({}), Ok(true)),
        (
            CAEP,
            "session-revoked",
            json!({"initiating_entity": "policy", "reason_admin": {"en": "x"}}),
            Ok(true),
        ),
        (CAEP, "credential-change", change("revoke"), Ok(true)),
        (CAEP, "credential-change", change("delete"), Ok(true)),
        (CAEP, "credential-change", change("update"), Ok(true)),
        (CAEP, "credential-change", change("create"), Ok(false)),
        (CAEP, "credential-change", change("rotate"), Err("invalid_request")),
        (CAEP, "credential-change", json!({"credential_type": "pin"}), Err("invalid_request")),
        (CAEP, "credential-change", json!({"change_type": ["revoke"]}), Err("invalid_request")),
        (RISC, "account-disabled", json!({"reason": "hijacking"}), Ok(true)),
        (RISC, "account-purged", json!({}), Ok(true)),
        (RISC, "sessions-revoked", json!({}), Ok(true)),
        (CAEP, "token-claims-change", json!({"claims": {"role": "x"}}), Ok(false)),
        (CAEP, "device-compliance-change", json!({}), Ok(false)),
        (CAEP, "assurance-level-change", json!({}), Ok(false)),
        (RISC, "account-enabled", json!({}), Ok(false)),
        (RISC, "credential-compromise", json!({}), Ok(false)),
        (CAEP, "sessions-revoked", json!({}), Ok(false)),
        (RISC, "session-revoked", json!({}), Ok(false)),
        ("http://schemas.openid.net/event/", "backchannel-logout", json!({}), Ok(false)),
    ];
    for (index, (base, name, payload, expected)) in rows.iter().enumerate() {
        let subject = format!("user {index}");
        let access = service.access_token(NOW, json!({"sub": subject}));
        let event = service.event_token(NOW, user(&subject), json!({format!("{base}{name}"): payload}));
        let reply = service.push(&event).await;
        match expected {
            Ok(_) => assert_eq!(reply.status, 202, "{name} {payload}: {}", reply.body),
            Err(code) => assert_event_rejected(&reply, 400, code, name),
        }
        assert_eq!(service.is_let_in(&access).await, *expected != Ok(true), "{name} {payload}");
    }
}

/// CAEP 1.0 §2: the bound is the time of the event, or else `iat`.
#[tokio::test]
async fn the_bound_is_the_time_of_the_event() {
    let service = Service::new();
    let rows: &[(&str, Value, Result<i64, &str>)] = &[
        ("iat", json!({}), Ok(NOW - 10)),
        ("before iat", json!({"event_timestamp": NOW - 100}), Ok(NOW - 100)),
        ("after iat", json!({"event_timestamp": NOW - 5}), Ok(NOW - 5)),
        ("a fraction", json!({"event_timestamp": (NOW - 50) as f64 + 0.9}), Ok(NOW - 50)),
        ("in the leeway", json!({"event_timestamp": NOW + 60}), Ok(NOW + 60)),
        ("in the future", json!({"event_timestamp": NOW + 61}), Err("invalid_request")),
        ("in milliseconds", json!({"event_timestamp": NOW * 1000}), Err("invalid_request")),
        ("too large", json!({"event_timestamp": 1e300}), Err("invalid_request")),
        ("a text", json!({"event_timestamp": "1800000000"}), Err("invalid_request")),
        ("null", json!({"event_timestamp": null}), Err("invalid_request")),
        ("long ago", json!({"event_timestamp": 5}), Ok(5)),
        ("before 1970", json!({"event_timestamp": -5}), Ok(-5)),
    ];
    for (index, (what, payload, bound)) in rows.iter().enumerate() {
        let subject = format!("user {index}");
        let event = json!({format!("{CAEP}session-revoked"): payload});
        let reply = service.push(&service.event_token(NOW - 10, user(&subject), event)).await;
        match bound {
            Ok(_) => assert_eq!(reply.status, 202, "{what}"),
            Err(code) => assert_event_rejected(&reply, 400, code, what),
        }
        for issued_at in
            [NOW - 300, NOW - 101, NOW - 100, NOW - 99, NOW - 51, NOW - 50, NOW - 10, NOW - 9, NOW, NOW + 60]
        {
            let access = service.access_token(issued_at, json!({"sub": subject}));
            let is_ended = bound.is_ok_and(|bound| issued_at <= bound);
            assert_eq!(service.is_let_in(&access).await, !is_ended, "{what}: {}", issued_at - NOW);
        }
    }
}

/// Of several events, all count or none does.
#[tokio::test]
async fn several_events_count_together() {
    let service = Service::new();
    let access = service.access_token(NOW, json!({"sub": "alice", "sid": "s"}));
    let good = format!("{RISC}account-disabled");
    let events = json!({&good: {}, format!("{CAEP}credential-change"): {"change_type": "?"}});
    let reply = service.push(&service.event_token(NOW, user("alice"), events)).await;
    assert_event_rejected(&reply, 400, "invalid_request", "one of them is invalid");
    assert!(service.is_let_in(&access).await);
    let events = json!({&good: {}, "https://x.test/unknown": {}, format!("{CAEP}session-revoked"): {}});
    assert_eq!(service.push(&service.event_token(NOW, user("alice"), events)).await.status, 202);
    assert!(!service.is_let_in(&access).await);
}
