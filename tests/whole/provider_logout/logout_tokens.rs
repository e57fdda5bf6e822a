//! Logout tokens: which count, what they end, and how they are answered (OpenID Connect Back-Channel Logout 1.0 §2.4 to §2.8).

use std::time::Duration;

use auth_runtime::verify::TrustedIssuer;
use serde_json::{Value, json};

use super::{
    CLIENT, LOGOUT, NOW, PROVIDER, Service, assert_logout_rejected, form, logout_claims, post, user,
};
use crate::captured_log::CapturedLog;
use crate::support::{request, send};

/// §2.6: each rule, with what satisfies it and what violates it. What is rejected ends nothing.
#[tokio::test]
async fn each_rule_of_the_validation() {
    let service = Service::new();
    let sid = json!({"sid": "s", "sub": "alice"});
    let rows: &[(&str, Value, bool)] = &[
        ("as it should be", json!({}), true),
        // Step 4: iss, aud, iat and exp, as of an ID token.
        ("iss of another", json!({"iss": "https://other.test"}), false),
        ("no iss", json!({"iss": null}), false),
        ("iss with a slash", json!({"iss": format!("{PROVIDER}/")}), false),
        ("aud of several", json!({"aud": ["other", CLIENT]}), true),
        ("aud of another client", json!({"aud": "other"}), false),
        ("aud of access tokens", json!({"aud": "orders"}), false),
        ("no aud", json!({"aud": null}), false),
        ("aud of none", json!({"aud": []}), false),
        ("no iat", json!({"iat": null}), false),
        ("iat in the leeway", json!({"iat": NOW + 60}), true),
        ("iat in the future", json!({"iat": NOW + 61}), false),
        ("iat as a text", json!({"iat": "1800000000"}), false),
        ("no exp", json!({"exp": null}), false),
        ("exp in the leeway", json!({"exp": NOW - 59}), true),
        ("exp passed", json!({"exp": NOW - 60}), false),
        ("nbf in the future", json!({"nbf": NOW + 61}), false),
        ("nbf", json!({"nbf": NOW}), true),
        ("jti missing", json!({"jti": null}), false),
        ("jti empty", json!({"jti": ""}), false),
        // Step 5: sub, sid or both.
        ("sid alone", json!({"sub": null}), true),
        ("neither", json!({"sub": null, "sid": null}), false),
        ("sub empty", json!({"sub": ""}), false),
        ("sid empty", json!({"sid": ""}), false),
        ("sid a number", json!({"sid": 5}), false),
        // Step 6: events with the one member, an object.
        ("no events", json!({"events": null}), false),
        ("events of another kind", json!({"events": {"https://other.test": {}}}), false),
        ("events as a list", json!({"events": [LOGOUT]}), false),
        ("an event that is no object", json!({"events": {LOGOUT: true}}), false),
        ("an event with members", json!({"events": {LOGOUT: {"a": 1}}}), true),
        ("Keycloak's further member", json!({"events": {LOGOUT: {}, "revoke_offline_access": true}}), true),
        // Step 7: no nonce.
        ("a nonce", json!({"nonce": "n"}), false),
        ("a nonce that is empty", json!({"nonce": ""}), false),
        // §2.4: claims that are not understood are ignored.
        ("further claims", json!({"trace_id": "x", "at_hash": "y"}), true),
    ];
    for (index, (what, more, is_valid)) in rows.iter().enumerate() {
        let session = format!("session {index}");
        let access = service.access_token(NOW, json!({"sub": "alice", "sid": session}));
        let other = service.access_token(NOW, json!({"sub": "alice", "sid": "another"}));
        let mut claims = super::with(logout_claims(NOW, sid.clone()), more.clone());
        if claims["sid"] == "s" {
            claims["sid"] = session.into();
        }
        let reply = service.log_out(&service.provider.sign(Some("logout+jwt"), &claims)).await;
        if *is_valid {
            assert_eq!((reply.status.as_u16(), &*reply.body), (200, ""), "{what}");
            assert_eq!(reply.header("cache-control"), "no-store", "{what}");
        } else {
            assert_logout_rejected(&reply, what);
        }
        assert_eq!(service.is_let_in(&access).await, !is_valid, "{what}");
        assert!(service.is_let_in(&other).await, "{what}: of the other session");
    }
    let nonce = super::with(logout_claims(NOW, sid), json!({"events": {LOGOUT: {}}}));
    let nonce = nonce.to_string().replace(r#""iss""#, r#""nonce":null,"iss""#);
    let nonce: Value = serde_json::from_str(&nonce).unwrap();
    assert_logout_rejected(&service.log_out(&service.provider.sign(None, &nonce)).await, "a nonce of null");
}

/// §2.4, §4.1: `logout+jwt`, and what providers sent before there was that type.
#[tokio::test]
async fn the_type_is_that_of_a_logout_token_or_of_none() {
    let service = Service::new();
    for (typ, is_valid) in [
        (Some("logout+jwt"), true),
        (Some("application/logout+jwt"), true),
        (Some("LOGOUT+JWT"), true),
        (Some("JWT"), true),
        (None, true),
        (Some("at+jwt"), false),
        (Some("secevent+jwt"), false),
        (Some("dpop+jwt"), false),
        (Some(""), false),
    ] {
        let claims = logout_claims(NOW, json!({"sid": format!("of {typ:?}")}));
        let access = service.access_token(NOW, json!({"sub": "alice", "sid": format!("of {typ:?}")}));
        let reply = service.log_out(&service.provider.sign(typ, &claims)).await;
        assert_eq!(reply.status.as_u16(), if is_valid { 200 } else { 400 }, "{typ:?}");
        assert_eq!(service.is_let_in(&access).await, !is_valid, "{typ:?}");
    }
}

/// §2.7: without `sid`, all sessions of the user end: those that began by the `iat` of the logout token.
#[tokio::test]
async fn a_user_is_logged_out_up_to_the_time_of_the_token_and_a_replay_ends_no_later_login() {
    let service = Service::new();
    let of = |subject: &str, issued_at| service.access_token(issued_at, json!({"sub": subject, "sid": "s"}));
    let (before, same, after) = (of("alice", NOW - 5), of("alice", NOW), of("alice", NOW + 1));
    let bob = of("bob", NOW - 5);
    let logout = service.logout_token(NOW, json!({"sub": "alice"}));
    let expected = async |is_new_let_in: bool| {
        for (token, is_let_in) in [(&before, false), (&same, false), (&after, is_new_let_in), (&bob, true)] {
            assert_eq!(service.is_let_in(token).await, is_let_in);
        }
    };
    // In the same second too: the bound is never now and the leeway.
    for seconds in [0, 1, 30, 100] {
        assert_eq!(service.log_out(&logout).await.status, 200);
        expected(true).await;
        service.clock.advance(Duration::from_secs(seconds));
    }
    service.clock.advance(Duration::from_secs(120));
    assert_logout_rejected(&service.log_out(&logout).await, "expired");
    expected(true).await;
    let later = service.logout_token(NOW + 1, json!({"sub": "alice", "exp": NOW + 1000}));
    assert_eq!(service.log_out(&later).await.status, 200);
    expected(false).await;
}

#[tokio::test]
async fn a_sid_ends_its_session_and_no_other() {
    let service = Service::new();
    let of = |sid: &str| service.access_token(NOW, json!({"sub": "alice", "sid": sid}));
    let (one, other) = (of("one"), of("other"));
    let logout = service.logout_token(NOW, json!({"sub": "alice", "sid": "one"}));
    assert_eq!(service.log_out(&logout).await.status, 200);
    assert!(!service.is_let_in(&one).await && service.is_let_in(&other).await);
    service.clock.advance(Duration::from_secs(60));
    let refreshed = service.access_token(NOW + 60, json!({"sub": "alice", "sid": "one"}));
    assert!(!service.is_let_in(&refreshed).await, "the session has ended for good");
    // A user that is logged out already is no error (§2.7).
    assert_eq!(service.log_out(&logout).await.status, 200);
}

/// A logout that ended nothing is not acknowledged.
#[tokio::test]
async fn a_sid_that_access_tokens_are_not_known_to_have_is_not_acknowledged() {
    type Configure = fn(TrustedIssuer) -> TrustedIssuer;
    let (sid, both) = (json!({"sid": "s"}), json!({"sid": "s", "sub": "alice"}));
    for (configure, claims, is_ended, hint) in [
        ((|issuer| issuer) as Configure, &sid, false, "access_tokens_have_sid()"),
        (|issuer| issuer, &both, false, "logout_ends_all_sessions()"),
        (TrustedIssuer::logout_ends_all_sessions, &sid, false, "have the issuer send `sub`"),
        (TrustedIssuer::logout_ends_all_sessions, &both, true, ""),
    ] {
        let service = Service::with(configure, |builder| builder);
        let (alice, bob) = (
            service.access_token(NOW, json!({"sub": "alice"})),
            service.access_token(NOW, json!({"sub": "bob"})),
        );
        let log = CapturedLog::start(tracing::Level::WARN);
        let reply = service.log_out(&service.logout_token(NOW, claims.clone())).await;
        assert_eq!(reply.status.as_u16(), if is_ended { 200 } else { 400 }, "{hint}");
        assert!(log.text().contains(hint), "{}", log.text());
        assert_eq!(log.text().lines().count(), usize::from(!is_ended), "{}", log.text());
        assert_eq!(service.is_let_in(&alice).await, !is_ended, "{hint}");
        assert!(service.is_let_in(&bob).await);
        // One without `sid` needs no such setting.
        let logout = service.logout_token(NOW, json!({"sub": "alice"}));
        assert_eq!(service.log_out(&logout).await.status, 200);
        assert!(!service.is_let_in(&alice).await);
    }
}

/// As with Entra ID, whose `oid` is the subject here, and whose events name `sub`.
#[tokio::test]
async fn the_sub_of_the_issuer_ends_the_tokens_of_a_subject_that_is_another_claim() {
    let service =
        Service::with(|issuer| issuer.subject_at("oid").access_tokens_have_sid(), |builder| builder);
    let of =
        |oid: &str, sub: Value, issued_at| service.access_token(issued_at, json!({"oid": oid, "sub": sub}));
    let alice = [of("alice", json!("pairwise 1"), NOW - 9), of("alice", json!("pairwise 1"), NOW)];
    let bob = of("bob", json!("pairwise 2"), NOW);
    let without = of("carol", Value::Null, NOW);
    for token in alice.iter().chain([&bob, &without]) {
        assert!(service.is_let_in(token).await);
    }
    let logout = service.logout_token(NOW - 1, json!({"sub": "pairwise 1"}));
    assert_eq!(service.log_out(&logout).await.status, 200);
    assert!(!service.is_let_in(&alice[0]).await && service.is_let_in(&alice[1]).await);
    assert!(service.is_let_in(&bob).await && service.is_let_in(&without).await);
    let disabled = json!({"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}});
    let event = service.event_token(NOW, user("pairwise 2"), disabled);
    assert_eq!(service.push(&event).await.status, 202);
    assert!(!service.is_let_in(&bob).await && service.is_let_in(&alice[1]).await);
}

/// §2.5: a form; other fields are ignored.
#[tokio::test]
async fn the_form_of_a_request() {
    let service = Service::new();
    let token = service.logout_token(NOW, json!({"sid": "s"}));
    let (field, kind) = (format!("logout_token={token}"), "application/x-www-form-urlencoded");
    for (what, content_type, body, status) in [
        ("a form", kind, field.clone(), 200),
        ("in UTF-8", "Application/X-WWW-Form-Urlencoded; Charset=UTF-8", field.clone(), 200),
        ("with other fields", kind, format!("state=x&{field}&y"), 200),
        ("with the dots encoded", kind, field.replace('.', "%2E"), 200),
        ("twice", kind, format!("{field}&{field}"), 400),
        ("of another name", kind, field.replace("logout_token", "token"), 400),
        ("empty", kind, String::new(), 400),
        ("no token", kind, "logout_token=".into(), 400),
        ("another charset", "application/x-www-form-urlencoded; charset=utf-16", field.clone(), 400),
        ("JSON", "application/json", json!({"logout_token": token}).to_string(), 400),
        ("the token alone", "application/logout+jwt", token.clone(), 400),
        ("no content type", "", field.clone(), 400),
        ("64 KiB", kind, format!("{field}&x={}", "x".repeat(64 * 1024 - field.len() - 3)), 200),
        ("a byte more", kind, format!("{field}&x={}", "x".repeat(64 * 1024 - field.len() - 2)), 400),
        ("1 MiB", kind, format!("{field}&x={}", "x".repeat(1 << 20)), 400),
        ("a token of 60 KiB", kind, format!("logout_token={}", "x".repeat(60 << 10)), 400),
    ] {
        let reply = send(&service.app, post("/logout", content_type, &[], body)).await;
        assert_eq!(reply.status.as_u16(), status, "{what}");
        assert_eq!(reply.header("cache-control"), "no-store", "{what}");
        if status == 400 {
            assert_logout_rejected(&reply, what);
        }
    }
    for method in ["GET", "PUT", "DELETE"] {
        let reply = send(&service.app, request(method, &format!("/logout?{field}"), &[])).await;
        assert_eq!(reply.status, 405, "{method}");
    }
    // A credential in the request is not looked at: the body is the proof.
    let mut request = form(&field);
    request.headers_mut().insert("authorization", "Bearer nonsense".parse().unwrap());
    assert_eq!(send(&service.app, request).await.status, 200);
}

/// The client id is not the audience of access tokens: that would let ID tokens in.
#[tokio::test]
async fn a_wrong_client_is_a_warning_that_says_what_to_call() {
    let service = Service::new();
    let log = CapturedLog::start(tracing::Level::WARN);
    let logout = service.logout_token(NOW, json!({"sub": "alice", "aud": "shop-mobile"}));
    assert_logout_rejected(&service.log_out(&logout).await, "another client");
    let text = log.take();
    for part in ["WARN", "shop-mobile", "`.logout_audience(..)`", PROVIDER] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("`.audience("), "{text}");
    // A stranger's text is no warning.
    let forged = super::Signer::new("p").sign(None, &logout_claims(NOW, json!({"aud": "shop-mobile"})));
    assert_logout_rejected(&service.log_out(&forged).await, "forged");
    assert_eq!(log.text(), "");
}

/// §2.4 requires `exp` since its errata.
#[tokio::test]
async fn a_token_without_exp_counts_for_two_minutes_by_choice() {
    let strict = Service::new();
    let log = CapturedLog::start(tracing::Level::WARN);
    let without = |service: &Service, issued_at| {
        service
            .provider
            .sign(Some("logout+jwt"), &logout_claims(issued_at, json!({"sub": "alice", "exp": null})))
    };
    assert_logout_rejected(&strict.log_out(&without(&strict, NOW)).await, "no `exp`");
    assert!(log.text().contains("accept_logout_tokens_without_exp()"), "{}", log.text());
    let service = Service::with(TrustedIssuer::accept_logout_tokens_without_exp, |builder| builder);
    for (age, status) in [(0, 200), (179, 200), (180, 400)] {
        assert_eq!(service.log_out(&without(&service, NOW - age)).await.status, status, "{age}");
    }
}

/// Where the subject is another claim, users may be able to choose `sub`: nobody is logged out who has it as a subject.
#[tokio::test]
async fn a_sub_that_is_the_subject_of_another_user_ends_nothing_of_that_one() {
    let service = Service::with(|issuer| issuer.subject_at("uid"), |builder| builder);
    let of = |uid: &str, sub: &str| service.access_token(NOW, json!({"uid": uid, "sub": sub}));
    let (victim, attacker) = (of("victim", "pairwise"), of("attacker", "victim"));
    let logout = service.logout_token(NOW, json!({"sub": "victim"}));
    assert_eq!(service.log_out(&logout).await.status, 200);
    assert!(service.is_let_in(&victim).await && !service.is_let_in(&attacker).await);
    // What the application revokes is named by the subject.
    let revocation = auth_runtime::revocation::Revocation::User {
        issuer: PROVIDER.into(),
        subject: "pairwise".into(),
        issued_at_or_before: service.auth.now(),
    };
    service.auth.revocations().revoke(revocation).await.unwrap();
    assert!(service.is_let_in(&victim).await);
}
