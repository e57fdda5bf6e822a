//! Which tokens are introspected, and which are verified with keys: each by one of the two alone.

use auth_runtime::openapi::OpenApi;
use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::source::Header;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Router};
use axum::http::HeaderName;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::server::Server;
use super::{AUDIENCE, App, ISSUER, NOW, active, introspection, issuer, who};
use crate::support::{request, send};

const OTHER: &str = "https://other.test";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDSA).unwrap()
}

fn jwt(key: &SigningKey, issuer: &str) -> String {
    key.sign(&json!({ "iss": issuer, "aud": AUDIENCE, "sub": "bob", "exp": NOW + 600 })).unwrap()
}

fn other(key: &SigningKey) -> TrustedIssuer {
    TrustedIssuer::new(OTHER).audience(AUDIENCE).key(key.verifying_key())
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn what_is_no_jwt_is_introspected_and_a_jwt_is_sent_to_no_issuer() {
    let server = Server::answering(active()).await;
    let (own, foreign) = (key(), key());
    let app = App::with(issuer(&server).key(own.verifying_key()), |builder| builder.issuer(other(&foreign)));
    let header = encoded(r#"{"alg":"EdDSA"}"#);
    let jwe_header = encoded(r#"{"alg":"dir","enc":"A128GCM"}"#);
    let opaque = "https://id.test alice";
    // A token, the caller that it is of, or none, and whether the issuer is asked.
    let rows: Vec<(&str, String, Option<&str>, bool)> = vec![
        ("opaque", "mF_9.B5f-4.1JqM-".replace('.', ""), Some(opaque), true),
        ("with one dot", "ya29.a0AfH6SMB".into(), Some(opaque), true),
        ("with two dots, and no header before the first", "a.b.c".into(), Some(opaque), true),
        (
            "with two dots, and something encoded before the first",
            format!("{}.b.c", encoded("[1]")),
            Some(opaque),
            true,
        ),
        ("with three dots", format!("{header}.b.c.d"), Some(opaque), true),
        // Whose it is, it does not say.
        ("a JWE", format!("{jwe_header}..iv.text.tag"), None, false),
        ("a JWT with padding", jwt(&foreign, OTHER).replacen('.', "=.", 1), None, false),
        ("a JWT with a space", jwt(&foreign, OTHER).replacen('.', "%20.", 1), None, false),
        (
            "a JWT whose header has a line break first",
            format!("{}.b.c", encoded("\n{\"alg\":1}")),
            None,
            false,
        ),
        ("a JWT of this issuer", jwt(&own, ISSUER), Some("https://id.test bob"), false),
        ("a JWT of another", jwt(&foreign, OTHER), Some("https://other.test bob"), false),
        ("a JWT of this issuer with another's key", jwt(&foreign, ISSUER), None, false),
        ("a JWT of an unknown issuer", jwt(&own, "https://unknown.test"), None, false),
        ("a JWT without payload", format!("{header}..x"), None, false),
        ("a header with space before it", format!("{}.b.c", encoded(r#" {"alg":"EdDSA"}"#)), None, false),
        ("a header that is cut off", format!("{}.b.c", encoded(r#"{"alg":"Ed"#)), None, false),
        ("longer than every token", "x".repeat(16 * 1024 + 1), None, false),
    ];
    for (what, token, caller, is_asked) in rows {
        let before = server.count();
        let (status, body) = app.get(&token).await;
        assert_eq!(status, if caller.is_some() { 200 } else { 401 }, "{what}");
        assert!(body.starts_with(caller.unwrap_or_default()), "{what}: {body}");
        assert_eq!(server.count() > before, is_asked, "{what}");
        // Outside of a request as well.
        assert_eq!(app.auth.verify(&token).await.is_ok(), caller.is_some(), "{what}");
    }
}

#[tokio::test]
async fn jwts_are_introspected_by_choice_those_of_this_issuer_alone() {
    let server = Server::answering(active()).await;
    let (own, foreign) = (key(), key());
    let trusted = TrustedIssuer::new(ISSUER).audience(AUDIENCE);
    // An issuer that is introspected needs no keys, and without the switch none of its JWTs is accepted.
    assert_eq!(App::new(issuer(&server)).status(&jwt(&own, ISSUER)).await, 401);
    assert_eq!(server.count(), 0);

    let trusted = trusted.introspection(introspection(&server).include_jwts());
    let app = App::with(trusted, |builder| builder.issuer(other(&foreign)));
    // Neither the signature nor a claim of the token counts: the issuer says what it means.
    for token in [jwt(&own, ISSUER), jwt(&foreign, ISSUER)] {
        assert_eq!(app.get(&token).await, (200, "https://id.test alice [] [] []".to_owned()));
        assert_eq!(server.last().field("token"), Some(&*token));
    }
    let jwe = format!("{}..iv.text.tag", encoded(r#"{"alg":"dir","enc":"A128GCM"}"#));
    assert_eq!(app.status(&jwe).await, 200, "an encrypted one is this issuer's, or refused by it");
    let asked = server.count();
    assert_eq!(app.get(&jwt(&foreign, OTHER)).await.1, "https://other.test bob [] [] []");
    assert_eq!(app.status(&jwt(&own, OTHER)).await, 401);
    assert_eq!(app.status(&jwt(&own, "https://unknown.test")).await, 401);
    assert_eq!(server.count(), asked);
    // An answer about another issuer's token is no caller, whichever the token names.
    let mut answer = active();
    answer["iss"] = OTHER.into();
    server.answer(answer);
    let third = key();
    assert_eq!(app.status(&jwt(&third, ISSUER)).await, 401);
}

#[tokio::test]
async fn every_source_of_tokens_takes_them() {
    let server = Server::answering(active()).await;
    let auth = Auth::builder()
        .issuer(issuer(&server))
        .clock(TestClock::new())
        .default_sources(["bearer", "cookie", "x_token"])
        .source(Header::new("x_token", HeaderName::from_static("x-token")))
        .build()
        .unwrap();
    let app = Router::new().route("/who", get(who).post(who)).finish(&auth).unwrap();
    for headers in
        [("authorization", "bearer opaque"), ("x-token", "opaque"), ("cookie", "__Host-access_token=opaque")]
    {
        assert_eq!(send(&app, request("GET", "/who", &[headers])).await.status, 200, "{headers:?}");
    }
    assert_eq!(server.count(), 1, "it is one token, wherever it is");
    let foreign =
        [("cookie", "__Host-access_token=new"), ("origin", "https://evil.test"), ("host", "shop.test")];
    assert_eq!(send(&app, request("POST", "/who", &foreign)).await.status, 403);
    assert_eq!(server.count(), 1, "the origin is checked before the issuer is asked");
}

#[tokio::test]
async fn the_openapi_document_says_neither_that_tokens_are_jwts_nor_that_the_service_always_answers() {
    let server = Server::answering(active()).await;
    let document = |issuer: TrustedIssuer| {
        let auth = Auth::builder().issuer(issuer).build().unwrap();
        let routes: Router = Router::new().route("/who", get(who));
        OpenApi::new("Orders", "1.0.0").describe(&routes.routes(), &auth).unwrap().to_value()
    };
    for (issuer, format, unavailable) in [
        (issuer(&server), None, true),
        (TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(key().verifying_key()), Some("JWT"), false),
        (
            TrustedIssuer::new(ISSUER).audience(AUDIENCE).jwks_from(async || Ok::<_, String>("")),
            Some("JWT"),
            true,
        ),
    ] {
        let document = document(issuer);
        let scheme = &document["components"]["securitySchemes"]["bearer"];
        assert_eq!(scheme["bearerFormat"].as_str(), format, "{document:#}");
        let responses = &document["paths"]["/who"]["get"]["responses"];
        assert_eq!(responses["503"].is_object(), unavailable, "{document:#}");
    }
}
