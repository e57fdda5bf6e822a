//! What an answer must have (RFC 7662 §2.2), row by row.

use auth_runtime::verify::ClaimRule;
use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::{AUDIENCE, App, ISSUER, NOW, active, active_with, introspection, issuer};
use crate::captured_log::CapturedLog;

/// An answer → the status.
async fn assert_rows(app: &App, server: &Server, rows: &[(&str, Value, u16)]) {
    for (index, (what, answer, expected)) in rows.iter().enumerate() {
        server.answer(answer.clone());
        // Each with a token of its own: nothing is remembered of it.
        assert_eq!(app.status(&format!("token-{index}")).await, *expected, "{what}: {answer}");
    }
    assert_eq!(server.count(), rows.len());
}

#[tokio::test]
async fn what_is_required_of_an_answer() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    let rows = [
        ("all is there", active(), 200),
        ("not active", json!({ "active": false }), 401),
        ("not active, and all else is there", active_with("active", json!(false)), 401),
        // The answer is none.
        ("without `active`", active_with("active", json!(null)), 503),
        ("`active` as a text", active_with("active", json!("true")), 503),
        ("`active` as a number", active_with("active", json!(1)), 503),
        ("a list", json!([active()]), 503),
        ("a text", json!("active"), 503),
        // The issuer and the audience are as in a JWT.
        ("another issuer", active_with("iss", json!("https://other.test")), 401),
        ("almost the issuer", active_with("iss", json!(format!("{ISSUER}/"))), 401),
        ("without issuer", active_with("iss", json!(null)), 401),
        ("an issuer of another type", active_with("iss", json!([ISSUER])), 401),
        ("another audience", active_with("aud", json!("mail")), 401),
        ("several audiences", active_with("aud", json!(["mail", AUDIENCE])), 200),
        ("without audience", active_with("aud", json!(null)), 401),
        ("an audience of another type", active_with("aud", json!({ "orders": true })), 401),
        // The leeway of the engine is 60 seconds.
        ("expired within the leeway", active_with("exp", json!(NOW - 59)), 200),
        ("expired", active_with("exp", json!(NOW - 60)), 401),
        ("without expiry", active_with("exp", json!(null)), 401),
        ("an expiry as a text", active_with("exp", json!("1800000600")), 401),
        ("valid from within the leeway on", active_with("nbf", json!(NOW + 60)), 200),
        ("not valid yet", active_with("nbf", json!(NOW + 61)), 401),
        ("issued in the future", active_with("iat", json!(NOW + 61)), 401),
        ("without time of issue", active_with("iat", json!(null)), 200),
        ("living longer than 24 hours", active_with("iat", json!(NOW - 86_400)), 401),
        // RFC 7800 §3.1: the sender would have to prove that it has the key.
        (
            "bound to a key",
            active_with("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })),
            401,
        ),
        ("bound to nothing that is known", active_with("cnf", json!({})), 401),
        // Other tokens than access tokens are active too.
        ("a token type in another case", active_with("token_type", json!("bearer")), 200),
        ("without token type", active_with("token_type", json!(null)), 200),
        ("bound by DPoP", active_with("token_type", json!("DPoP")), 401),
        ("a refresh token of Keycloak's", active_with("token_type", json!("Refresh")), 401),
        ("a token type of another type", active_with("token_type", json!(["Bearer"])), 401),
        ("an access token of Hydra's", active_with("token_use", json!("access_token")), 200),
        ("a refresh token of Hydra's", active_with("token_use", json!("refresh_token")), 401),
        ("an ID token of Cognito's", active_with("token_use", json!("id")), 401),
        // Who it is.
        ("without subject", active_with("sub", json!(null)), 401),
        ("an empty subject", active_with("sub", json!("")), 401),
        ("a subject of another type", active_with("sub", json!(7)), 401),
        ("roles of another type", active_with("roles", json!({ "admin": true })), 401),
    ];
    assert_rows(&app, &server, &rows).await;
}

#[tokio::test]
async fn an_answer_is_read_as_strictly_as_a_token() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    let text = active().to_string();
    let json =
        |body: String| Answer::Raw(200, vec![("content-type", "application/json".into())], body.into());
    let twice = text.replacen('{', "{\"active\":true,", 1);
    let bodies = [
        (text.clone(), 200),
        // Two parsers could read it differently.
        (twice, 503),
        (text.replacen("\"sub\":\"alice\"", "\"sub\":\"alice\",\"sub\":\"root\"", 1), 503),
        (text.replacen("\"sub\":\"alice\"", "\"sub\":\"alice\",\"x\":{\"y\":1,\"y\":2}", 1), 503),
        (format!("{text}{text}"), 503),
        (text[..text.len() - 1].to_owned(), 503),
        (String::new(), 503),
        ("null".into(), 503),
    ];
    for (index, (body, expected)) in bodies.into_iter().enumerate() {
        server.set(json(body.clone()));
        assert_eq!(app.status(&format!("token-{index}")).await, expected, "{body}");
    }
}

#[tokio::test]
async fn the_caller_is_that_of_a_jwt_of_the_same_issuer() {
    let mut answer = active();
    for (name, value) in [
        ("realm_access", json!({ "roles": ["editor", "viewer"] })),
        ("scope", json!("orders:read orders:write")),
        ("permissions", json!(["refund"])),
        ("username", json!("Alice A.")),
        ("client_id", json!("web")),
    ] {
        answer[name] = value;
    }
    let server = Server::answering(answer).await;
    let app = App::new(issuer(&server).roles_at("realm_access.roles"));
    let expected = "https://id.test alice [editor viewer] [orders:read orders:write] [refund]";
    assert_eq!(app.get("one").await, (200, expected.to_owned()));
    let caller = app.auth.verify("one").await.unwrap();
    assert_eq!((caller.scheme(), caller.claim("username")), ("jwt", Some(&json!("Alice A."))));

    let app = App::new(issuer(&server).subject_at("username"));
    assert_eq!(app.get("one").await.1, "https://id.test Alice A. [] [orders:read orders:write] [refund]");
}

#[tokio::test]
async fn claims_that_every_token_must_have() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server).claim("client_id", ClaimRule::one_of(["web", "mobile"])));
    let rows = [
        ("the client", active_with("client_id", json!("web")), 200),
        ("another client", active_with("client_id", json!("other")), 401),
        ("no client", active(), 401),
    ];
    assert_rows(&app, &server, &rows).await;
}

#[tokio::test]
async fn a_client_is_the_subject_by_choice_alone_and_only_where_there_is_no_user() {
    let of_client = |sub: Value| {
        let mut answer = active_with("sub", sub);
        answer["client_id"] = "machine".into();
        answer
    };
    let server = Server::answering(of_client(json!(null))).await;
    assert_eq!(App::new(issuer(&server)).status("token").await, 401);
    let app = App::new(issuer(&server).accept_client_as_subject());
    assert_eq!(app.get("token").await, (200, "https://id.test machine [] [] []".to_owned()));
    for (token, sub, status) in
        [("user", json!("alice"), 200), ("empty", json!(""), 401), ("number", json!(1), 401)]
    {
        server.answer(of_client(sub));
        let (answered, body) = app.get(token).await;
        assert_eq!((answered, body.contains("machine")), (status, false), "{token}");
    }
    server.answer(active_with("sub", json!(null)));
    assert_eq!(app.status("neither").await, 401);
}

#[tokio::test]
async fn an_answer_without_issuer_by_choice_alone() {
    let server = Server::answering(active_with("iss", json!(null))).await;
    let accepting = introspection(&server).dangerously_accept_missing_issuer();
    let app = App::new(issuer(&server).introspection(accepting));
    assert_eq!(app.get("token").await, (200, "https://id.test alice [] [] []".to_owned()));
    server.answer(active_with("iss", json!("https://other.test")));
    assert_eq!(app.status("of another issuer").await, 401);
}

#[tokio::test]
async fn the_log_says_why_and_never_shows_the_token() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    for (answer, reason) in [
        (json!({ "active": false }), "the issuer says that the token is not active"),
        (active_with("iss", json!(null)), "by the issuer's answer about it, the token has no claim `iss`"),
        (active_with("aud", json!("mail")), "which the audience of its `TrustedIssuer` does not allow"),
        (active_with("token_type", json!("DPoP")), "the token's claim `token_type` has a type or value"),
        (json!({}), "is not one strict JSON object with `active`"),
    ] {
        server.answer(answer);
        let log = CapturedLog::start(tracing::Level::TRACE);
        let token = format!("secret-of-{}", reason.len());
        assert_ne!(app.status(&token).await, 200);
        let text = log.text();
        assert!(text.contains(reason), "{reason}: {text}");
        assert!(!text.contains(&token) && !text.contains("a secret"), "{text}");
    }
}
