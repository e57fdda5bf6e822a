//! Logout that comes from outside: logout tokens of identity providers, and security events.

mod bodies;
mod configuration;
mod confusion;
mod events;
mod fetched_keys;
mod instances;
mod logout_tokens;
mod model;
mod presets;
mod pushes;
mod real_provider;
mod sockets;
mod subjects;
mod verification;

use auth_runtime::provider_logout::{SecurityEventTransmitter, back_channel_logout, security_events};
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Key, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth, routing::get};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{Reply, base64url, request, send};

/// The issuer of access tokens and logout tokens.
pub(crate) const PROVIDER: &str = "https://id.test";
/// This service, as access tokens name it.
const API: &str = "orders";
/// This service, as logout tokens name it.
pub(crate) const CLIENT: &str = "shop-web";
/// The issuer of security event tokens.
const TRANSMITTER: &str = "https://events.test";
/// This service, as security event tokens name it.
const RECEIVER: &str = "https://shop.test/security-events";
/// The time of a new `TestClock`.
pub(crate) const NOW: i64 = 1_800_000_000;

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";

/// What signs texts with any header.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    id: &'static str,
}

impl Signer {
    pub(crate) fn new(id: &'static str) -> Self {
        Self { pair: Ed25519KeyPair::generate().unwrap(), id }
    }

    pub(crate) fn key(&self) -> Key {
        Key::jwk(self.jwk().to_string())
    }

    /// The public key, as it is published.
    fn jwk(&self) -> Value {
        let x = base64url(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA", "kid": self.id})
    }

    fn key_bytes(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// With this `typ`, if there is one.
    pub(crate) fn sign(&self, typ: Option<&str>, claims: &Value) -> String {
        let mut header = json!({"alg": "EdDSA", "kid": self.id});
        if let Some(typ) = typ {
            header["typ"] = typ.into();
        }
        self.sign_with(&header, claims)
    }

    fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        format!("{message}.{}", base64url(self.pair.sign(message.as_bytes()).as_ref()))
    }
}

#[auth]
async fn whoami(user: Principal) -> String {
    user.subject().to_owned()
}

/// A service, its identity provider and its transmitter of security events.
struct Service {
    auth: Auth,
    app: axum::Router,
    clock: TestClock,
    provider: Signer,
    transmitter: Signer,
}

fn trusted(provider: &Signer) -> TrustedIssuer {
    TrustedIssuer::new(PROVIDER).audience(API).key(provider.key()).logout_audience(CLIENT)
}

fn events_of(transmitter: &Signer) -> SecurityEventTransmitter {
    SecurityEventTransmitter::new(TrustedIssuer::new(TRANSMITTER).audience(RECEIVER).key(transmitter.key()))
}

impl Service {
    /// Access tokens have `sid`, and the transmitter may speak of their issuer.
    fn new() -> Self {
        Self::with(TrustedIssuer::access_tokens_have_sid, |builder| builder)
    }

    fn with(
        issuer: impl FnOnce(TrustedIssuer) -> TrustedIssuer,
        build: impl FnOnce(AuthBuilder) -> AuthBuilder,
    ) -> Self {
        Self::configured(issuer, |transmitter| transmitter.subjects_of(PROVIDER), build)
    }

    fn configured(
        issuer: impl FnOnce(TrustedIssuer) -> TrustedIssuer,
        events: impl FnOnce(SecurityEventTransmitter) -> SecurityEventTransmitter,
        build: impl FnOnce(AuthBuilder) -> AuthBuilder,
    ) -> Self {
        let (provider, transmitter) = (Signer::new("p"), Signer::new("t"));
        let clock = TestClock::new();
        let builder = Auth::builder()
            .clock(clock.clone())
            .issuer(issuer(trusted(&provider)))
            .security_event_transmitter(events(events_of(&transmitter)));
        let auth = build(builder).build().unwrap();
        Self { app: app(&auth), auth, clock, provider, transmitter }
    }

    /// An access token with these claims besides those that every one has.
    fn access_token(&self, issued_at: i64, more: Value) -> String {
        let claims = json!({"iss": PROVIDER, "aud": API, "iat": issued_at, "exp": issued_at + 900});
        self.provider.sign(Some("at+jwt"), &with(claims, more))
    }

    /// A logout token with these claims besides those that every one has.
    fn logout_token(&self, issued_at: i64, more: Value) -> String {
        self.provider.sign(Some("logout+jwt"), &logout_claims(issued_at, more))
    }

    /// A security event token with these events about this subject.
    fn event_token(&self, issued_at: i64, sub_id: Value, events: Value) -> String {
        self.transmitter.sign(Some("secevent+jwt"), &event_claims(issued_at, sub_id, events))
    }

    async fn log_out(&self, token: &str) -> Reply {
        send(&self.app, form(&format!("logout_token={token}"))).await
    }

    async fn push(&self, token: &str) -> Reply {
        send(&self.app, pushed(token, &[])).await
    }

    async fn is_let_in(&self, token: &str) -> bool {
        is_let_in(&self.app, token).await
    }
}

/// Another instance of the same service.
fn another(
    of: &Service,
    issuer: impl FnOnce(TrustedIssuer) -> TrustedIssuer,
    build: impl FnOnce(AuthBuilder) -> AuthBuilder,
) -> (Auth, axum::Router) {
    let builder = Auth::builder()
        .clock(of.clock.clone())
        .issuer(issuer(trusted(&of.provider)))
        .security_event_transmitter(events_of(&of.transmitter).subjects_of(PROVIDER));
    let auth = build(builder).build().unwrap();
    let app = app(&auth);
    (auth, app)
}

fn app(auth: &Auth) -> axum::Router {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/logout", back_channel_logout(auth).unwrap())
        .route("/events", security_events(auth).unwrap())
        .finish(auth)
        .unwrap()
}

/// 200 or 401: anything else fails the test.
async fn is_let_in(app: &axum::Router, token: &str) -> bool {
    let bearer = format!("Bearer {token}");
    let reply = send(app, request("GET", "/whoami", &[("authorization", &bearer)])).await;
    match reply.status.as_u16() {
        200 => true,
        401 => false,
        other => panic!("{other}: {}", reply.body),
    }
}

/// The first with the members of the second; a member that is `null` there is removed.
fn with(mut claims: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more}") };
    let all = claims.as_object_mut().unwrap();
    for (name, value) in more {
        match value {
            Value::Null => drop(all.remove(&name)),
            value => drop(all.insert(name, value)),
        }
    }
    claims
}

pub(crate) fn logout_claims(issued_at: i64, more: Value) -> Value {
    let claims = json!({
        "iss": PROVIDER, "aud": CLIENT, "iat": issued_at, "exp": issued_at + 120, "jti": "l1", "events": {LOGOUT: {}},
    });
    with(claims, more)
}

fn event_claims(issued_at: i64, sub_id: Value, events: Value) -> Value {
    json!({
        "iss": TRANSMITTER, "aud": RECEIVER, "iat": issued_at, "jti": "e1", "sub_id": sub_id, "events": events,
    })
}

fn form(body: &str) -> Request<Body> {
    post("/logout", "application/x-www-form-urlencoded", &[], body.to_owned())
}

fn pushed(token: &str, headers: &[(&str, &str)]) -> Request<Body> {
    post("/events", "application/secevent+jwt", headers, token.to_owned())
}

fn post(path: &str, content_type: &str, headers: &[(&str, &str)], body: String) -> Request<Body> {
    let mut request = request("POST", path, headers);
    if !content_type.is_empty() {
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
    }
    *request.body_mut() = Body::from(body);
    request
}

/// An identifier of a user by issuer and subject.
fn user(subject: &str) -> Value {
    json!({"format": "iss_sub", "iss": PROVIDER, "sub": subject})
}

fn assert_logout_rejected(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 400, "{what}");
    assert_eq!(reply.header("cache-control"), "no-store", "{what}");
    assert_eq!(reply.header("content-type"), "application/json", "{what}");
    assert_eq!(reply.body, r#"{"error":"invalid_request"}"#, "{what}");
}

/// RFC 8935 §2.3.
fn assert_event_rejected(reply: &Reply, status: u16, code: &str, what: &str) {
    assert_eq!(reply.status, status, "{what}: {}", reply.body);
    assert_eq!(reply.header("cache-control"), "no-store", "{what}");
    assert_eq!(reply.header("content-type"), "application/json", "{what}");
    assert_eq!(reply.header("content-language"), "en", "{what}");
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["err"], code, "{what}");
    assert!(body["description"].as_str().is_some_and(|text| text.ends_with('.')), "{what}: {body}");
    assert_eq!(body.as_object().unwrap().len(), 2, "{what}: {body}");
}
