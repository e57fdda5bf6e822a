//! The request (RFC 7662 §2.1), and how this service proves who it is (RFC 6749 §2.3.1, RFC 7523).

use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, Introspection, TrustedIssuer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::{AUDIENCE, App, ISSUER, NOW, active, introspection, issuer};
use crate::captured_log::CapturedLog;

fn issuer_with(introspection: Introspection) -> TrustedIssuer {
    TrustedIssuer::new(ISSUER).audience(AUDIENCE).introspection(introspection)
}

/// The header and the claims of a JWT.
fn parts(jwt: &str) -> [Value; 2] {
    let mut parts = jwt.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()));
    [parts.next().unwrap().unwrap(), parts.next().unwrap().unwrap()]
}

#[tokio::test]
async fn the_token_is_posted_as_a_form() {
    let server = Server::answering(active()).await;
    let token = "a~token+with/all=that-is_allowed.&";
    assert_eq!(App::new(issuer(&server)).status(token).await, 200);
    let asked = server.last();
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.content_type, "application/x-www-form-urlencoded");
    assert_eq!(asked.accept, "application/json");
    assert_eq!((asked.field("token"), asked.field("token_type_hint")), (Some(token), Some("access_token")));
    assert_eq!(asked.form.len(), 2);
}

#[tokio::test]
async fn a_secret_in_the_header_is_encoded_as_in_a_form_first() {
    let server = Server::answering(active()).await;
    let client = Introspection::at(server.url()).client_secret_basic("or:ders ü", "s%cret+");
    assert_eq!(App::new(issuer_with(client)).status("token").await, 200);
    let authorization = server.last().authorization.unwrap();
    let pair = STANDARD.decode(authorization.strip_prefix("Basic ").unwrap()).unwrap();
    assert_eq!(String::from_utf8(pair).unwrap(), "or%3Aders+%C3%BC:s%25cret%2B");
}

#[tokio::test]
async fn a_secret_in_the_body() {
    let server = Server::answering(active()).await;
    let client = Introspection::at(server.url()).client_secret_post("orders", "s&cret");
    assert_eq!(App::new(issuer_with(client)).status("token").await, 200);
    let asked = server.last();
    assert_eq!(asked.authorization, None);
    assert_eq!((asked.field("client_id"), asked.field("client_secret")), (Some("orders"), Some("s&cret")));
}

#[tokio::test]
async fn a_jwt_of_its_own_for_each_request_that_no_other_server_can_use() {
    let server = Server::answering(active()).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap().with_id("k1");
    let verifying = key.verifying_key();
    let client = Introspection::at(server.url()).private_key_jwt("orders", key);
    let app = App::new(issuer_with(client));
    let mut ids = Vec::new();
    for token in ["one", "other"] {
        assert_eq!(app.status(token).await, 200);
        let asked = server.last();
        assert_eq!(asked.authorization, None);
        let assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(asked.field("client_assertion_type"), Some(assertion_type));
        let jwt = asked.field("client_assertion").unwrap();
        let [header, mut claims] = parts(jwt);
        assert_eq!(header, json!({ "alg": "ES256", "kid": "k1", "typ": "client-authentication+jwt" }));
        ids.push(claims["jti"].take());
        let expected = json!({ "iss": "orders", "sub": "orders", "aud": ISSUER, "iat": NOW, "exp": NOW + 60, "jti": null });
        assert_eq!(claims, expected);
        // The signature is of the key.
        let trusted = TrustedIssuer::new("orders").audience(ISSUER).key(verifying.clone());
        let trusted = trusted.token_types(["client-authentication+jwt"]);
        assert!(App::new(trusted).auth.verify(jwt).await.is_ok());
    }
    assert!(ids[0].is_string() && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn the_audience_of_the_jwt_can_be_another_one() {
    let server = Server::answering(active()).await;
    let client = Introspection::at(server.url())
        .private_key_jwt("orders", SigningKey::generate(Algorithm::ES256).unwrap());
    let app = App::new(issuer_with(client.assertion_audience("https://id.test/token")));
    assert_eq!(app.status("one").await, 200);
    let [_, claims] = parts(server.last().field("client_assertion").unwrap());
    assert_eq!(claims["aud"], "https://id.test/token");
}

#[tokio::test]
async fn an_issuer_that_refuses_the_client_is_an_error_in_the_log_once_a_minute() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    let refused = json!({ "error": "invalid_client" }).to_string();
    for status in [401, 400, 403] {
        let json = vec![("content-type", "application/json".to_owned())];
        server.set(Answer::Raw(status, json, refused.clone().into_bytes()));
        app.clock.advance(std::time::Duration::from_secs(60));
        for (token, is_logged) in [("a", true), ("b", false)] {
            let log = CapturedLog::start(tracing::Level::ERROR);
            assert_eq!(app.status(token).await, 503, "{status}");
            let text = log.text();
            assert_eq!(
                text.contains("does not answer this service (client_secret_basic"),
                is_logged,
                "{text}"
            );
            assert!(!text.contains("a secret"), "{text}");
        }
    }
    // Nothing of it is remembered.
    server.answer(active());
    assert_eq!(app.status("a").await, 200);
    assert!(!format!("{:?}", introspection(&server)).contains("a secret"));
}
