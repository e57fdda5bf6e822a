//! What the log says of a token that was rejected, and the caller does not learn.

use std::sync::{Arc, Mutex};

use auth_runtime::session::SigningKey;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder};
use serde_json::{Value, json};

use super::app;
use crate::captured_log::CapturedLog;
use crate::support::{Reply, request, send};

fn key() -> SigningKey {
    SigningKey::secret(Algorithm::HS256, &[7; 32]).unwrap()
}

fn issuer(name: &str) -> TrustedIssuer {
    TrustedIssuer::new(name).audience("a").key(key().verifying_key())
}

/// Sends a token with these claims, and returns the answer, the reason that the audit hook gets, and what is logged.
async fn rejected(builder: AuthBuilder, claims: &Value) -> (Reply, String, String) {
    let log = CapturedLog::start(tracing::Level::TRACE);
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&reasons);
    let builder = builder.audit(move |event| sink.lock().unwrap().push(event.reason.to_owned()));
    let app = app(&builder.clock(TestClock::new()).build().unwrap());
    let token = key().sign(claims).unwrap();
    let reply = send(&app, request("GET", "/", &[("authorization", &format!("Bearer {token}"))])).await;
    let text = log.take();
    for part in token.split('.') {
        assert!(!text.contains(part), "{text}");
    }
    let reasons = reasons.lock().unwrap();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    (reply, reasons[0].clone(), text)
}

fn claims(iss: &Value, aud: &Value) -> Value {
    json!({"iss": iss, "aud": aud, "sub": "alice", "exp": 1_800_000_060})
}

#[tokio::test]
async fn the_issuer_and_the_audience_that_arrived() {
    let one = || Auth::builder().issuer(issuer("i"));
    let two = || Auth::builder().issuer(issuer("i")).issuer(issuer("j"));
    let single = || Auth::builder().issuer(issuer("i").single_audience());
    let none = || {
        let without = TrustedIssuer::dangerously_expect_no_issuer().dangerously_expect_no_audience();
        Auth::builder().issuer(without.key(key().verifying_key()))
    };
    let no_audience = || {
        let without = TrustedIssuer::new("i").dangerously_expect_no_audience();
        Auth::builder().issuer(without.key(key().verifying_key()))
    };
    for (builder, iss, aud, expected) in [
        (
            one(),
            json!("https://i/"),
            json!("a"),
            r#"`iss` is "https://i/", which is not the name of an issuer"#,
        ),
        (
            two(),
            json!("https://i/"),
            json!("a"),
            r#"`iss` is "https://i/", which is not the name of an issuer"#,
        ),
        (none(), json!("x"), json!("a"), r#"`iss` is "x", which is not the name of an issuer"#),
        (one(), json!("i"), json!("A"), r#"`aud` is "A", which the audience"#),
        (one(), json!("i"), json!(["b", "c"]), r#"`aud` is ["b", "c"], which the audience"#),
        (one(), json!("i"), json!([]), "`aud` is [], which the audience"),
        (single(), json!("i"), json!(["a", "b"]), r#"`aud` is ["a", "b"], which the audience"#),
        (no_audience(), json!("i"), json!("a"), r#"`aud` is "a", which the audience"#),
    ] {
        let (reply, reason, _) = rejected(builder, &claims(&iss, &aud)).await;
        assert_eq!(reply.status, 401);
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn no_line_can_be_forged_and_none_is_long() {
    let forged = "x\n2026-01-01T00:00:00Z  INFO auth: allowed subject=\"root\"\r\u{1b}[2K\u{202e}\u{2028}";
    let long = "y".repeat(5_000);
    let many = vec!["z"; 2_000];
    let (_, _, usual) =
        rejected(Auth::builder().issuer(issuer("i")), &claims(&json!("x"), &json!("a"))).await;
    for value in [json!(forged), json!(long), json!(many), json!([forged, long])] {
        let mut cases = vec![claims(&json!("i"), &value)];
        if value.is_string() {
            cases.push(claims(&value, &json!("a")));
        }
        for case in cases {
            for builder in
                [Auth::builder().issuer(issuer("i")), Auth::builder().issuer(issuer("i")).issuer(issuer("j"))]
            {
                let (reply, reason, text) = rejected(builder, &case).await;
                assert_eq!(reply.status, 401);
                assert!(
                    !reason.chars().any(|c| c.is_control() || c == '\u{202e}' || c == '\u{2028}'),
                    "{reason}"
                );
                assert!(reason.chars().count() < 320, "{reason}");
                assert_eq!(text.lines().count(), usual.lines().count(), "{text}");
            }
        }
    }
}

/// Whatever the reason is, the answer is the same.
#[tokio::test]
async fn the_caller_learns_no_reason() {
    let (expected, ..) =
        rejected(Auth::builder().issuer(issuer("i")), &json!({"iss": "i", "aud": "a", "sub": "alice"})).await;
    for (name, value) in [
        ("iss", json!("other")),
        ("aud", json!("other")),
        ("sub", json!(5)),
        ("jti", json!(5)),
        ("roles", json!(null)),
        ("cnf", json!(null)),
        ("exp", json!(null)),
    ] {
        let mut all = claims(&json!("i"), &json!("a"));
        all[name] = value;
        let (reply, ..) = rejected(Auth::builder().issuer(issuer("i")), &all).await;
        assert_eq!((reply.status, &reply.body), (expected.status, &expected.body), "{name}");
        assert_eq!(reply.headers, expected.headers, "{name}");
    }
}
