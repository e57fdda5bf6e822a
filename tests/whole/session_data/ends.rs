//! The data of a session end with it, and callers without a session have none.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::*;

/// Nothing is read and nothing is written, and there is no row.
async fn has_ended(shop: &Shop, session: &IssuedTokens, how: &str) {
    let data = shop.data(session);
    let ended = |result: Result<(), SessionDataError>| matches!(result, Err(SessionDataError::Ended));
    assert!(ended(data.get::<Cart>().await.map(drop)), "{how}");
    assert!(ended(data.set(&Cart::default()).await), "{how}");
    assert!(ended(data.remove::<Cart>().await), "{how}");
    let mut is_called = false;
    assert!(ended(data.update(|_: &mut Option<Cart>| is_called = true).await) && !is_called, "{how}");
    let refused = shop.tokens.refresh(&session.refresh_token).await;
    assert!(matches!(refused, Err(TokenError::Refresh(_))), "{how}: {refused:?}");
}

#[tokio::test]
async fn an_ended_session_has_none_and_gets_none() {
    type End = fn(&Shop, IssuedTokens) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
    let ends: [(&str, End); 6] = [
        ("log_out", |shop, of| {
            Box::pin(async move { assert!(shop.tokens.log_out(&of.refresh_token).await.unwrap()) })
        }),
        ("end_session", |shop, of| {
            Box::pin(async move { shop.tokens.end_session(&of.session_id).await.unwrap() })
        }),
        ("log_out_everywhere", |shop, _| {
            Box::pin(async move { shop.tokens.log_out_everywhere("alice").await.unwrap() })
        }),
        ("a token that is used again", |shop, of| {
            Box::pin(async move {
                let next = shop.tokens.refresh(&of.refresh_token).await.unwrap();
                shop.tokens.refresh(&next.refresh_token).await.unwrap();
                shop.tokens.refresh(&of.refresh_token).await.unwrap_err();
            })
        }),
        ("revoke", |shop, of| Box::pin(async move { shop.tokens.revoke(&of.refresh_token).await.unwrap() })),
        ("no refresh for two weeks", |shop, _| {
            Box::pin(async move { shop.clock.advance(Duration::from_secs(14 * 86_400)) })
        }),
    ];
    let shop = Shop::new().await;
    for (how, end) in ends {
        let session = shop.log_in().await;
        shop.add(&session, "tea").await;
        end(&shop, session.clone()).await;
        has_ended(&shop, &session, how).await;
        let reply = shop.ask("GET", "/cart", &session).await;
        assert_eq!(reply.status, 401, "{how}");
    }
}

/// The access token is valid for some minutes longer than the row is there: where a store has lost its rows.
#[tokio::test]
async fn a_caller_whose_session_the_store_does_not_have_logs_in_again() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    let restarted = Shop::new().await;
    let reply = restarted.ask("GET", "/cart", &session).await;
    assert_eq!(reply.status, 401);
    assert!(reply.header("www-authenticate").contains("error=\"invalid_token\""));
    assert!(!reply.body.contains("session"), "{}", reply.body);
}

#[tokio::test]
async fn callers_without_a_session_of_this_service_have_none() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    shop.add(&session, "tea").await;
    let key = shop.auth.api_keys().unwrap().create("alice", ApiKeyOptions::new()).await.unwrap();
    let alone = format!("Bearer {}", shop.tokens.issue_access(&Subject::new("alice")).unwrap());
    // Another issuer that knows the id of the session, which is no secret.
    let claims = json!({
        "iss": OTHER, "aud": AUDIENCE, "sub": "alice", "sid": session.session_id,
        "iat": 1_800_000_000, "exp": 1_800_000_600,
    });
    let foreign = format!("Bearer {}", signing_key(7).sign(&claims).unwrap());
    for credential in [("x-api-key", key.text()), ("authorization", &*alone), ("authorization", &*foreign)] {
        let log = CapturedLog::start(tracing::Level::DEBUG);
        let reply = send(&shop.app, request("GET", "/cart", &[credential])).await;
        assert_eq!(reply.status, 403, "{credential:?}");
        assert!(!reply.body.contains("session"), "{}", reply.body);
        let text = log.text();
        assert!(text.contains("the caller has no session of this service"), "{text}");
        assert!(text.contains("Option<SessionData>"), "{text}");
        drop(log);
        let reply = send(&shop.app, request("GET", "/page", &[credential])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, "no session"), "{credential:?}");
    }
    let foreign = shop.auth.verify(foreign.strip_prefix("Bearer ").unwrap()).await.unwrap();
    assert!(matches!(shop.tokens.session_data(&foreign), Err(SessionDataError::NoSession)));
    let own = shop.auth.verify(&session.access_token).await.unwrap();
    assert_eq!(shop.tokens.session_data(&own).unwrap().session_id(), session.session_id);
    for text in ["", "no id", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA=="] {
        let refused = shop.tokens.session_data_of(text);
        assert!(matches!(refused, Err(SessionDataError::NoSession)), "{text}");
    }
}

#[tokio::test]
async fn an_anonymous_caller_has_none_and_is_asked_to_log_in() {
    let shop = Shop::new().await;
    let reply = send(&shop.app, request("GET", "/page", &[])).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "no session"));
    for path in ["/own", "/public", "/cart"] {
        assert_eq!(send(&shop.app, request("GET", path, &[])).await.status, 401, "{path}");
    }
    // A public route looks at no credential.
    let session = shop.log_in().await;
    assert_eq!(shop.ask("GET", "/public", &session).await.status, 401);
    assert_eq!(shop.ask("GET", "/own", &session).await.status, 200);
}

/// An extractor of the application: that it takes session data is not known at the start.
struct OfTheApplication;

impl<S: Send + Sync> FromRequestParts<S> for OfTheApplication {
    type Rejection = <SessionData as FromRequestParts<S>>::Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        SessionData::from_request_parts(head, state).await.map(|_| Self)
    }
}

#[auth(source = "bearer")]
async fn by_an_extractor(_: OfTheApplication) {}

#[tokio::test]
async fn an_engine_without_sessions_answers_500_and_says_what_to_write() {
    let other = TrustedIssuer::new(OTHER).audience(AUDIENCE).key(signing_key(7).verifying_key());
    let auth = Auth::builder().issuer(other).clock(TestClock::new()).build().unwrap();
    let app = Router::new().route("/own", get(by_an_extractor)).finish(&auth).unwrap();
    let claims = json!({
        "iss": OTHER, "aud": AUDIENCE, "sub": "alice", "sid": "s", "iat": 1_800_000_000, "exp": 1_800_000_600,
    });
    let bearer = format!("Bearer {}", signing_key(7).sign(&claims).unwrap());
    let log = CapturedLog::start(tracing::Level::ERROR);
    let reply = send(&app, request("GET", "/own", &[("authorization", &bearer)])).await;
    assert_eq!(reply.status, 500);
    assert!(log.text().contains("`SessionData` is extracted") && log.text().contains(".token_issuer("));
}
