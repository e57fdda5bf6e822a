//! What a subject names (RFC 9493 §3; Shared Signals Framework 1.0 §3; CAEP 1.0 §3.1).

use auth_runtime::verify::TrustedIssuer;
use serde_json::{Value, json};

use super::{API, CAEP, NOW, PROVIDER, RISC, Service, Signer, assert_event_rejected};

const OTHER: &str = "https://other.test";

/// Which of these end by an event: both of alice's sessions, one of them, her token, or none and a code.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Alice,
    Session,
    Token,
    /// It is acknowledged, and names nothing that is there.
    Nobody,
    Nothing(&'static str),
}

use Ends::{Alice, Nobody, Nothing, Session, Token};

const INVALID: Ends = Nothing("invalid_request");
const DENIED: Ends = Nothing("access_denied");

fn alice() -> Value {
    json!({"format": "iss_sub", "iss": PROVIDER, "sub": "alice"})
}

fn session() -> Value {
    json!({"format": "opaque", "id": "s1"})
}

fn complex(members: Value) -> Value {
    super::with(json!({"format": "complex"}), members)
}

fn aliases(identifiers: &[Value]) -> Value {
    json!({"format": "aliases", "identifiers": identifiers})
}

async fn assert_ends(service: &Service, event: &str, sub_id: &Value, expected: Ends) {
    let of = |sub: &str, sid: &str, jti: &str| {
        service.access_token(NOW, json!({"sub": sub, "sid": sid, "jti": jti}))
    };
    let tokens =
        [of("alice", "s1", "t1"), of("alice", "s1", "t2"), of("alice", "s2", "t3"), of("bob", "s3", "t4")];
    let reply = service
        .push(&service.event_token(NOW, sub_id.clone(), json!({ event: {"change_type": "revoke"} })))
        .await;
    match expected {
        Nothing(code) => assert_event_rejected(&reply, 400, code, &sub_id.to_string()),
        _ => assert_eq!(reply.status, 202, "{event} {sub_id}: {}", reply.body),
    }
    let mut are_let_in = Vec::new();
    for token in &tokens {
        are_let_in.push(service.is_let_in(token).await);
    }
    let are_expected = match expected {
        Alice => [false, false, false, true],
        Session => [false, false, true, true],
        Token => [false, true, true, true],
        Nobody | Nothing(_) => [true, true, true, true],
    };
    assert_eq!(are_let_in, are_expected, "{event} {sub_id}");
}

/// Formats, and what they end with `session-revoked` and with `account-disabled`.
fn rows() -> Vec<(Value, Ends, Ends)> {
    let of_other = json!({"format": "iss_sub", "iss": OTHER, "sub": "alice"});
    let email = json!({"format": "email", "email": "alice@shop.test"});
    let jwt_id = json!({"format": "jwt_id", "iss": PROVIDER, "jti": "t1"});
    let device = json!({"format": "opaque", "id": "device"});
    vec![
        (alice(), Alice, Alice),
        (session(), Session, Nobody),
        (json!({"format": "opaque", "id": "alice"}), Nobody, Alice),
        (jwt_id.clone(), Token, INVALID),
        (of_other.clone(), DENIED, DENIED),
        (json!({"format": "jwt_id", "iss": OTHER, "jti": "t1"}), DENIED, DENIED),
        // Formats that no token has.
        (email.clone(), INVALID, INVALID),
        (json!({"format": "account", "uri": "acct:alice@shop.test"}), INVALID, INVALID),
        (json!({"format": "phone_number", "phone_number": "+12065550100"}), INVALID, INVALID),
        (json!({"format": "did", "url": "did:example:1"}), INVALID, INVALID),
        (json!({"format": "uri", "uri": "https://shop.test/alice"}), INVALID, INVALID),
        (json!({"format": "ip-addresses", "ip-addresses": ["10.0.0.1"]}), INVALID, INVALID),
        (json!({"format": "saml_assertion_id", "issuer": PROVIDER, "assertion_id": "x"}), INVALID, INVALID),
        // Malformed ones.
        (json!({"iss": PROVIDER, "sub": "alice"}), INVALID, INVALID),
        (json!({"format": "iss_sub", "iss": PROVIDER}), INVALID, INVALID),
        (json!({"format": "iss_sub", "iss": PROVIDER, "sub": ""}), INVALID, INVALID),
        (json!({"format": "iss_sub", "iss": PROVIDER, "sub": 5}), INVALID, INVALID),
        (json!({"format": "opaque", "id": ""}), INVALID, INVALID),
        (json!("alice"), INVALID, INVALID),
        (Value::Null, INVALID, INVALID),
        // Aliases: what can be compared counts.
        (aliases(&[email.clone(), alice()]), Alice, Alice),
        (aliases(&[of_other.clone(), alice()]), Alice, Alice),
        (aliases(std::slice::from_ref(&email)), INVALID, INVALID),
        (aliases(&[of_other.clone(), email]), DENIED, DENIED),
        (aliases(&[]), INVALID, INVALID),
        (aliases(&[alice(), aliases(&[alice()])]), INVALID, INVALID),
        (json!({"format": "aliases"}), INVALID, INVALID),
        // Complex ones: a session ends alone, and other members do not narrow.
        (complex(json!({"user": alice(), "session": session()})), Session, Alice),
        (complex(json!({"session": session()})), Session, INVALID),
        (complex(json!({"session": jwt_id, "user": alice()})), Token, Alice),
        (complex(json!({"session": {"format": "iss_sub", "iss": PROVIDER, "sub": "s1"}})), Session, INVALID),
        (complex(json!({"session": {"format": "email", "email": "x"}, "user": alice()})), INVALID, Alice),
        (complex(json!({"session": session(), "user": of_other})), DENIED, DENIED),
        (complex(json!({"user": alice(), "device": device, "tenant": device})), Alice, Alice),
        (complex(json!({"device": device})), INVALID, INVALID),
        (complex(json!({"user": "alice"})), INVALID, INVALID),
        (complex(json!({"session": "s1", "user": alice()})), INVALID, Alice),
    ]
}

#[tokio::test]
async fn each_format_names_what_a_token_has_or_is_rejected() {
    for (sub_id, of_session, of_user) in rows() {
        for (event, expected) in
            [(format!("{CAEP}session-revoked"), of_session), (format!("{RISC}account-disabled"), of_user)]
        {
            // Of its own service: what has ended stays so.
            let service = Service::new();
            assert_ends(&service, &event, &sub_id, expected).await;
        }
    }
}

/// Where access tokens have no `sid`, a session can't be ended by it: all of its user end, if that is configured.
#[tokio::test]
async fn a_session_where_access_tokens_have_no_sid() {
    let both = complex(json!({"user": alice(), "session": session()}));
    let event = format!("{CAEP}session-revoked");
    for (sub_id, unknown, all_of_user) in [
        (both, INVALID, Alice),
        (session(), INVALID, INVALID),
        (complex(json!({"session": session()})), INVALID, INVALID),
        (alice(), Alice, Alice),
    ] {
        let service = Service::with(|issuer| issuer, |builder| builder);
        assert_ends(&service, &event, &sub_id, unknown).await;
        let service = Service::with(TrustedIssuer::logout_ends_all_sessions, |builder| builder);
        assert_ends(&service, &event, &sub_id, all_of_user).await;
    }
}

/// A transmitter that may speak of several issuers names which.
#[tokio::test]
async fn an_opaque_id_of_several_issuers_is_rejected() {
    let other = Signer::new("o");
    let service = Service::configured(
        TrustedIssuer::access_tokens_have_sid,
        |transmitter| transmitter.subjects_of(PROVIDER).subjects_of(OTHER),
        |builder| builder.issuer(TrustedIssuer::new(OTHER).audience(API).key(other.key())),
    );
    let of_other = other.sign(
        Some("at+jwt"),
        &json!({"iss": OTHER, "aud": API, "sub": "alice", "iat": NOW, "exp": NOW + 900}),
    );
    let (revoked, disabled) = (format!("{CAEP}session-revoked"), format!("{RISC}account-disabled"));
    assert_ends(&service, &revoked, &session(), INVALID).await;
    assert_ends(&service, &disabled, &json!({"format": "opaque", "id": "alice"}), INVALID).await;
    assert_ends(&service, &revoked, &complex(json!({"user": alice(), "session": session()})), Session).await;
    assert!(service.is_let_in(&of_other).await);
    let named = json!({"format": "iss_sub", "iss": OTHER, "sub": "alice"});
    let event = service.event_token(NOW, named, json!({ disabled: {} }));
    assert_eq!(service.push(&event).await.status, 202);
    assert!(!service.is_let_in(&of_other).await, "which may be the second");
}
