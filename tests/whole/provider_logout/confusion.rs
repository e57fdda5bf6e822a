//! Texts that are something else than they are sent as: forged, of another issuer, or of another kind (OpenID Connect Back-Channel Logout
//! 1.0 §4.1, RFC 8417 §4.5 to §4.7).

use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::{
    API, CAEP, CLIENT, LOGOUT, NOW, PROVIDER, RECEIVER, Service, Signer, assert_event_rejected,
    assert_logout_rejected, event_claims, logout_claims, user,
};
use crate::support::base64url;

const OTHER: &str = "https://other.test";

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.", part(header), part(claims))
}

fn by_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let text = unsigned(header, claims);
    let text = text.trim_end_matches('.');
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
    format!("{text}.{}", base64url(tag.as_ref()))
}

/// The same text with another signature, payload or header.
fn forgeries(by: &Signer, typ: &str, claims: &Value) -> Vec<(&'static str, String)> {
    let genuine = by.sign(Some(typ), claims);
    let stranger = Signer::new(by.id);
    let (signed, signature) = genuine.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let mallory = claims.to_string().replace("alice", "mallory");
    let changed = format!("{header}.{}.{signature}", base64url(mallory.as_bytes()));
    let header_of = |algorithm: &str| json!({"alg": algorithm, "typ": typ, "kid": by.id});
    vec![
        ("by a stranger's key", stranger.sign(Some(typ), claims)),
        ("unsigned", unsigned(&header_of("none"), claims)),
        ("the public key as a secret", by_secret(by.key_bytes(), &header_of("HS256"), claims)),
        ("without its signature", format!("{signed}.")),
        ("with another payload", changed),
        ("with another header", format!("{}.{payload}.{signature}", base64url(b"{\"alg\":\"EdDSA\"}"))),
        ("in five parts", format!("{header}.a.b.c.d")),
        ("garbage", "garbage".into()),
        ("nothing", String::new()),
    ]
}

#[tokio::test]
async fn what_is_forged_ends_nothing() {
    let service = Service::new();
    let access = service.access_token(NOW, json!({"sub": "alice", "sid": "s"}));
    let logout = logout_claims(NOW, json!({"sub": "alice"}));
    for (what, text) in forgeries(&service.provider, "logout+jwt", &logout) {
        assert_logout_rejected(&service.log_out(&text).await, what);
        assert!(service.is_let_in(&access).await, "{what}");
    }
    let event = event_claims(NOW, user("alice"), json!({format!("{CAEP}session-revoked"): {}}));
    for (what, text) in forgeries(&service.transmitter, "secevent+jwt", &event) {
        let reply = service.push(&text).await;
        assert_eq!(reply.status, 400, "{what}");
        assert!(service.is_let_in(&access).await, "{what}");
    }
    // The genuine ones do end it.
    let event = service.transmitter.sign(Some("secevent+jwt"), &event);
    assert_eq!(service.push(&event).await.status, 202);
    assert!(!service.is_let_in(&access).await);
}

/// One issuer ends nothing of another, though the subjects are named alike.
#[tokio::test]
async fn of_another_issuer_or_client() {
    let other = Signer::new("o");
    let service = Service::with(TrustedIssuer::access_tokens_have_sid, |builder| {
        let issuer = TrustedIssuer::new(OTHER).audience(API).key(other.key());
        builder.issuer(issuer.logout_audience("other-client").access_tokens_have_sid())
    });
    let claims = json!({"sub": "alice", "sid": "s"});
    let access = service.access_token(NOW, claims.clone());
    let of_other = |typ, more: Value| {
        let base =
            super::with(logout_claims(NOW, claims.clone()), json!({"iss": OTHER, "aud": "other-client"}));
        other.sign(Some(typ), &super::with(base, more))
    };
    let access_of_other = of_other("at+jwt", json!({"aud": API, "events": null}));
    for (what, text) in [
        ("for the first, by the second", of_other("logout+jwt", json!({"iss": PROVIDER, "aud": CLIENT}))),
        ("of the second, for a client of the first", of_other("logout+jwt", json!({"aud": CLIENT}))),
        ("of an unknown issuer", of_other("logout+jwt", json!({"iss": "https://unknown.test"}))),
    ] {
        assert_logout_rejected(&service.log_out(&text).await, what);
    }
    assert!(service.is_let_in(&access).await && service.is_let_in(&access_of_other).await);
    assert_eq!(service.log_out(&of_other("logout+jwt", json!({}))).await.status, 200);
    assert!(service.is_let_in(&access).await && !service.is_let_in(&access_of_other).await);
}

#[tokio::test]
async fn another_kind_of_token_is_no_logout_token() {
    let service = Service::new();
    let access = service.access_token(NOW, json!({"sub": "alice", "sid": "s"}));
    let id_token =
        json!({"iss": PROVIDER, "aud": CLIENT, "sub": "alice", "sid": "s", "iat": NOW, "exp": NOW + 600});
    let id_token = super::with(id_token, json!({"nonce": "n", "jti": "i"}));
    let refresh =
        json!({"iss": PROVIDER, "aud": CLIENT, "sub": "alice", "iat": NOW, "exp": NOW + 600, "jti": "r"});
    let revoked = json!({format!("{CAEP}session-revoked"): {}});
    for (what, text) in [
        ("an access token", access.clone()),
        (
            "an access token of type JWT",
            service.provider.sign(Some("JWT"), &super::with(refresh.clone(), json!({"aud": API}))),
        ),
        ("an ID token", service.provider.sign(None, &id_token)),
        (
            "an ID token that has the event",
            service.provider.sign(None, &super::with(id_token.clone(), json!({"events": {LOGOUT: {}}}))),
        ),
        ("a refresh token", service.provider.sign(Some("JWT"), &refresh)),
        ("a security event token", service.event_token(NOW, user("alice"), revoked.clone())),
    ] {
        assert_logout_rejected(&service.log_out(&text).await, what);
        assert!(service.is_let_in(&access).await, "{what}");
    }
    for (what, text, code) in [
        ("an access token", access.clone(), "invalid_issuer"),
        ("a logout token", service.logout_token(NOW, json!({"sub": "alice"})), "invalid_issuer"),
        (
            "one of the transmitter's of another type",
            service.transmitter.sign(Some("JWT"), &event_claims(NOW, user("alice"), revoked.clone())),
            "invalid_request",
        ),
    ] {
        assert_event_rejected(&service.push(&text).await, 400, code, what);
        assert!(service.is_let_in(&access).await, "{what}");
    }
}

/// Also where a provider names clients and services alike, and writes no type: what a provider sends to this service must not let its
/// sender in.
#[tokio::test]
async fn a_logout_token_or_an_event_is_no_access_token() {
    let service = Service::with(
        |issuer| issuer.audience(CLIENT).token_types(["at+jwt", "JWT", "logout+jwt"]),
        |builder| builder,
    );
    let logout = logout_claims(NOW, json!({"sub": "alice", "aud": [API, CLIENT]}));
    for typ in [Some("logout+jwt"), Some("JWT"), None] {
        let text = service.provider.sign(typ, &logout);
        assert!(!service.is_let_in(&text).await, "{typ:?}");
        assert_eq!(service.log_out(&text).await.status, 200, "{typ:?}");
        // Its header is not remembered as that of an access token.
        assert!(!service.is_let_in(&text).await, "{typ:?}");
    }
    let events = json!({"events": {"https://other.test/event": {}}, "sub": "bob", "aud": API});
    let with_events = service.provider.sign(Some("JWT"), &logout_claims(NOW, events));
    assert!(service.is_let_in(&with_events).await, "a claim `events` of another kind");
    let claims = event_claims(NOW, user("alice"), json!({format!("{CAEP}session-revoked"): {}}));
    let with_times = super::with(claims, json!({"exp": NOW + 600, "sub": "carol", "aud": [API, RECEIVER]}));
    for typ in [Some("secevent+jwt"), Some("JWT"), Some("at+jwt")] {
        assert!(!service.is_let_in(&service.transmitter.sign(typ, &with_times)).await, "{typ:?}");
    }
}

/// A secret verifies logout tokens only where the issuer is configured with it.
#[tokio::test]
async fn a_secret_is_a_key_only_where_it_is_configured() {
    let secret = [7; 32];
    let claims = logout_claims(NOW, json!({"sub": "alice"}));
    let by_secret = by_secret(&secret, &json!({"alg": "HS256", "typ": "logout+jwt"}), &claims);
    let without = Service::new();
    assert_logout_rejected(&without.log_out(&by_secret).await, "not configured");
    let with = Service::with(
        |issuer| issuer.key(Key::secret(Algorithm::HS256, secret)).access_tokens_have_sid(),
        |builder| builder,
    );
    assert_eq!(with.log_out(&by_secret).await.status, 200);
}
