//! Verification events: the `state` is compared where that is configured (Shared Signals Framework 1.0 §8.1.4.1).

use serde_json::{Value, json};

use super::{NOW, PROVIDER, RISC, SSF, Service, assert_event_rejected, user};
use crate::captured_log::CapturedLog;

fn verification(state: Value) -> Value {
    super::with(
        json!({}),
        json!({format!("{SSF}verification"): super::with(json!({}), json!({"state": state}))}),
    )
}

fn stream() -> Value {
    json!({"format": "opaque", "id": "stream 1"})
}

fn expecting(is_expected: impl Fn(&str) -> bool + Send + Sync + 'static) -> Service {
    let configure = |issuer| issuer;
    Service::configured(
        configure,
        |transmitter| transmitter.subjects_of(PROVIDER).verification_state(is_expected),
        |builder| builder,
    )
}

#[tokio::test]
async fn a_state_that_was_not_asked_for_is_rejected() {
    let service = expecting(|state| state == "asked for");
    for (state, code) in [
        (json!("asked for"), None),
        // The transmitter verifies the stream by itself.
        (Value::Null, None),
        (json!("another"), Some("invalid_state")),
        (json!(""), Some("invalid_state")),
        (json!(5), Some("invalid_request")),
        (json!(["asked for"]), Some("invalid_request")),
    ] {
        let reply = service.push(&service.event_token(NOW, stream(), verification(state.clone()))).await;
        match code {
            None => assert_eq!((reply.status.as_u16(), &*reply.body), (202, ""), "{state}"),
            Some(code) => assert_event_rejected(&reply, 400, code, &state.to_string()),
        }
    }
}

#[tokio::test]
async fn nothing_else_of_such_a_token_counts_and_the_log_says_why() {
    let service = expecting(|state| state == "asked for");
    let access = service.access_token(NOW, json!({"sub": "alice"}));
    let of_both = |state: &str| {
        let disabled = json!({format!("{RISC}account-disabled"): {}});
        service.event_token(NOW, user("alice"), super::with(verification(json!(state)), disabled))
    };
    let log = CapturedLog::start(tracing::Level::WARN);
    assert_event_rejected(&service.push(&of_both("a\nforged line")).await, 400, "invalid_state", "another");
    assert!(service.is_let_in(&access).await);
    for part in ["WARN", "forged line", "verification_state", "invalid_state"] {
        assert!(log.text().contains(part), "{part}: {}", log.text());
    }
    assert_eq!(log.text().lines().count(), 1, "{}", log.text());
    assert_eq!(service.push(&of_both("asked for")).await.status, 202);
    assert!(!service.is_let_in(&access).await);
}

#[tokio::test]
async fn without_a_function_each_state_is_acknowledged_and_with_one_that_panics_it_is_500() {
    let service = Service::new();
    for (state, status) in [(json!("any"), 202), (Value::Null, 202), (json!(5), 400)] {
        let token = service.event_token(NOW, stream(), verification(state.clone()));
        assert_eq!(service.push(&token).await.status, status, "{state}");
    }
    let service = expecting(|_| panic!("no"));
    let push = async |state| {
        service.push(&service.event_token(NOW, stream(), verification(state))).await.status.as_u16()
    };
    assert_eq!([push(json!("any")).await, push(Value::Null).await], [500, 202]);
}
