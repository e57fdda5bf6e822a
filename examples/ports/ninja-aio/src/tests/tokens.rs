//! Tokens that do not count, and a caller without one.

use auth_runtime::Authorized;
use auth_runtime::testing::TestRequest as _;
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use super::claims::{Agency, changed, claims};
use super::*;

#[tokio::test]
async fn a_missing_an_expired_and_a_forged_token_are_401() {
    let magazine = Magazine::open().await;
    let (token, forged) = (magazine.token("alice"), TestAuth::new().token(&user("alice")));
    assert_eq!(magazine.service.get("/me", Some(&token)).await.status, 200);
    assert_eq!(magazine.service.get("/me", None).await.status, 401);
    let (claims, signature) = token.rsplit_once('.').unwrap();
    let (_, other) = forged.rsplit_once('.').unwrap();
    assert_ne!(signature, other);
    for forged in [&forged, &format!("{claims}.{other}"), claims, "made-up"] {
        assert_eq!(magazine.service.get("/me", Some(forged)).await.status, 401, "{forged}");
    }
    magazine.test.clock().advance(Duration::from_secs(15 * 60 + 61));
    assert_eq!(magazine.service.get("/me", Some(&token)).await.status, 401);
}

/// In the form that their clients know. Whether a token was missing or was invalid is in the challenge (RFC 6750 §3.1), and why it was is in
/// neither.
#[tokio::test]
async fn an_answer_has_their_form_and_no_cause() {
    let magazine = Magazine::open().await;
    let token = magazine.token("alice");
    magazine.test.clock().advance(Duration::from_secs(15 * 60 + 61));
    let expired = magazine.service.get("/me", Some(&token)).await;
    let (invalid, missing) =
        (magazine.service.get("/me", Some("made-up")).await, magazine.service.get("/me", None).await);
    for reply in [&expired, &invalid, &missing] {
        assert_eq!(reply.json(), json!({ "detail": "Unauthorized" }));
    }
    let challenge = |reply: &Reply| reply.headers["www-authenticate"].to_str().unwrap().to_owned();
    assert_eq!(challenge(&expired), challenge(&invalid));
    assert!(
        challenge(&expired).contains("Bearer") && challenge(&expired).contains("error=\"invalid_token\"")
    );
    assert!(challenge(&missing).contains("Bearer") && !challenge(&missing).contains("error"));
    let denied =
        magazine.ask(Method::DELETE, "/article/1", With::Token(&magazine.token("alice")), None).await;
    assert_eq!((denied.status, denied.json()), (403, json!({ "detail": "Forbidden" })));
}

/// A minute of leeway is for clocks that differ.
#[tokio::test]
async fn a_token_is_not_valid_before_its_time() {
    let magazine = Magazine::open().await;
    let token = |nbf: i64| magazine.test.token(&user("alice").claim("nbf", nbf));
    for (nbf, status) in [(NOW, 200), (NOW + 59, 200), (NOW + 61, 401), (NOW + 900, 401)] {
        assert_eq!(magazine.service.get("/me", Some(&token(nbf))).await.status, status, "{nbf}");
    }
    let early = token(NOW + 120);
    assert_eq!(magazine.service.get("/me", Some(&early)).await.status, 401);
    magazine.test.clock().advance(Duration::from_secs(120));
    assert_eq!(magazine.service.get("/me", Some(&early)).await.status, 200);
}

/// A refresh token, or an ID token, of an issuer that marks its tokens by a claim.
#[tokio::test]
async fn a_token_of_another_kind_is_no_access_token() {
    let agency = Agency::new();
    let magazine =
        Magazine::with(|builder| builder.issuer(issuers::agency(agency.key.verifying_key()))).await;
    for (kind, status) in [("access", 200), ("refresh", 401), ("id", 401)] {
        let token = agency.key.sign(&changed(&claims(), "typ", &json!(kind))).unwrap();
        assert_eq!(magazine.service.get("/me", Some(&token)).await.status, status, "{kind}");
    }
}

/// A handler is a function: what it takes of its caller is an argument.
#[tokio::test]
async fn a_handler_is_called_without_a_token() {
    let alice = user("alice").claim("email", "alice@example.com").principal();
    let context: callers::Context = alice.claims().unwrap();
    let Json(context) = callers::context(Authorized::for_test(), auth_runtime::Claims(context)).await;
    assert_eq!(serde_json::to_value(context).unwrap()["email"], "alice@example.com");
}

/// No token is made, and none is verified: the rule, the user and the check are enforced all the same.
#[tokio::test]
async fn a_caller_without_a_token_is_held_to_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let (test, app) = app(&folder, |builder| builder).await;
    for (name, method, path, status) in [
        ("alice", Method::GET, "/me", 200),
        ("dave", Method::GET, "/me", 401),
        ("nobody", Method::GET, "/me", 401),
        ("bob", Method::POST, "/article/2/publish", 200),
        ("alice", Method::POST, "/article/2/publish", 403),
        ("erin", Method::GET, "/article/1/print", 200),
        ("alice", Method::GET, "/article/1/print", 403),
    ] {
        let request = Request::builder().method(&method).uri(path).body(Body::empty()).unwrap();
        let reply = app.clone().oneshot(request.with_principal(test.principal(&user(name)))).await.unwrap();
        assert_eq!(reply.status(), status, "{name}: {method} {path}");
    }
}
