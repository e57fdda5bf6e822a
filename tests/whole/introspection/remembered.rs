//! For how long an answer counts: at most `cache_for`, never past `exp`, and not past a revocation here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::revocation::Revocation;
use auth_runtime::verify::ClaimRule;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::{App, ISSUER, NOW, active, active_with, introspection, issuer};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn an_active_token_is_remembered_for_60_seconds_and_then_asked_for_again() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    for (pause, expected, asked) in [(0, 200, 1), (0, 200, 1), (59, 200, 1), (1, 200, 2), (59, 200, 2)] {
        app.clock.advance(seconds(pause));
        assert_eq!((app.status("token").await, server.count()), (expected, asked));
    }
    // Revoked at the issuer: this is how late it arrives.
    server.answer(json!({ "active": false }));
    assert_eq!(app.status("token").await, 200);
    app.clock.advance(seconds(1));
    assert_eq!(app.status("token").await, 401);
}

#[tokio::test]
async fn the_time_is_configured_and_zero_asks_for_every_request() {
    let server = Server::answering(active()).await;
    for (cache_for, pause, asked) in [(0, 0, [1, 2, 3]), (5, 5, [4, 4, 5]), (300, 299, [6, 6, 6])] {
        let trusted = issuer(&server).introspection(introspection(&server).cache_for(seconds(cache_for)));
        let app = App::new(trusted);
        for (pause, asked) in [0, 0, pause].into_iter().zip(asked) {
            app.clock.advance(seconds(pause));
            assert_eq!((app.status("token").await, server.count()), (200, asked), "{cache_for}");
        }
    }
}

/// A token that is active and for another service: it may be sent again and again.
#[tokio::test]
async fn one_that_is_not_for_this_service_is_remembered_for_10_seconds_with_the_reason() {
    let server = Server::answering(active_with("aud", json!("billing"))).await;
    let app = App::new(issuer(&server));
    for (pause, asked) in [(0, 1), (0, 1), (9, 1), (1, 2)] {
        app.clock.advance(seconds(pause));
        let error = app.auth.verify("token").await.unwrap_err();
        assert_eq!((error.kind(), server.count()), (CallerErrorKind::Invalid, asked));
        assert!(error.to_string().contains("billing"), "{error}");
    }
}

/// An answer about one token does not get better by asking again at once, and each question is one that others do not get.
#[tokio::test]
async fn an_answer_that_is_not_strict_is_remembered_for_10_seconds_for_its_token_alone() {
    let twice = active().to_string().replacen('{', "{\"x\":{\"y\":1,\"y\":2},", 1);
    let json = vec![("content-type", "application/json".to_owned())];
    let server = Server::start(Answer::Raw(200, json, twice.into_bytes())).await;
    let app = App::new(issuer(&server));
    for (pause, asked) in [(0, 1), (0, 1), (9, 1), (1, 2), (0, 2)] {
        app.clock.advance(seconds(pause));
        let error = app.auth.verify("token").await.unwrap_err();
        assert_eq!((error.kind(), server.count()), (CallerErrorKind::Unavailable, asked));
        assert!(error.to_string().contains("is not one strict JSON object"), "{error}");
        assert_eq!((app.status("token").await, server.count()), (503, asked));
    }
    // What one client sends again and again takes no turn of others.
    for _ in 0..2_000 {
        assert_eq!(app.status("token").await, 503);
    }
    server.answer(active());
    assert_eq!((app.status("another").await, server.count()), (200, 3));
    assert_eq!((app.status("token").await, server.count()), (503, 3));
    app.clock.advance(seconds(10));
    assert_eq!((app.status("token").await, server.count()), (200, 4));
}

#[tokio::test]
async fn it_is_never_remembered_past_its_expiry() {
    let server = Server::answering(active_with("exp", json!(NOW + 20))).await;
    let app = App::new(issuer(&server));
    for (pause, asked) in [(0, 1), (19, 1), (1, 2), (0, 3), (39, 4)] {
        // From its expiry on it is within the leeway, and asked for each time.
        app.clock.advance(seconds(pause));
        assert_eq!((app.status("token").await, server.count()), (200, asked), "{pause}");
    }
    app.clock.advance(seconds(21));
    assert_eq!(app.status("token").await, 401);
}

#[tokio::test]
async fn a_remembered_token_expires_when_the_clock_is_set() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    assert_eq!(app.status("token").await, 200);
    app.clock.set(UNIX_EPOCH + seconds(NOW.unsigned_abs() + 660));
    // It is too old by the clock of the day as well, so it is asked about again.
    assert_eq!((app.status("token").await, server.count()), (401, 2));
}

#[tokio::test]
async fn one_that_is_not_active_is_asked_for_again_after_10_seconds() {
    let server = Server::answering(json!({ "active": false })).await;
    let app = App::new(issuer(&server));
    for (pause, asked) in [(0, 1), (0, 1), (9, 1), (1, 2)] {
        app.clock.advance(seconds(pause));
        assert_eq!((app.status("token").await, server.count()), (401, asked), "{pause}");
    }
    // What pushes it out is not what others use.
    server.answer(active());
    assert_eq!(app.status("good").await, 200);
    server.answer(json!({ "active": false }));
    for index in 0..200 {
        assert_eq!(app.status(&format!("made-up-{index}")).await, 401);
    }
    let asked = server.count();
    assert_eq!((app.status("good").await, server.count()), (200, asked));
}

#[tokio::test]
async fn simultaneous_requests_with_one_token_ask_once() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    let statuses = join_all((0..50).map(|_| app.status("token"))).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_revocation_here_counts_at_once_also_for_what_is_remembered() {
    let with = |name: &str, value: Value| active_with(name, value);
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    for (token, answer) in [
        ("of alice", active()),
        ("of bob", with("sub", json!("bob"))),
        ("of a session", {
            let mut answer = with("sub", json!("carol"));
            answer["sid"] = "s1".into();
            answer
        }),
        ("with an id", {
            let mut answer = with("sub", json!("carol"));
            answer["jti"] = "j1".into();
            answer
        }),
        ("another", with("sub", json!("carol"))),
    ] {
        server.answer(answer);
        assert_eq!(app.status(&token.replace(' ', "-")).await, 200, "{token}");
    }
    let revocations = app.auth.revocations();
    let caller = async |token: &str| app.auth.verify(token).await.unwrap();
    revocations.revoke_user(&caller("of-alice").await).await.unwrap();
    revocations.revoke_session(&caller("of-a-session").await).await.unwrap();
    revocations.revoke_token(&caller("with-an-id").await).await.unwrap();
    for (token, status) in
        [("of-alice", 401), ("of-bob", 200), ("of-a-session", 401), ("with-an-id", 401), ("another", 200)]
    {
        assert_eq!(app.status(token).await, status, "{token}");
    }
    let all = Revocation::Issuer { issuer: ISSUER.into(), issued_at_or_before: app.auth.now() };
    assert!(revocations.revoke(all).await.unwrap());
    assert_eq!((app.status("of-bob").await, app.status("another").await), (401, 401));
    assert_eq!(server.count(), 5);
    let error = app.auth.verify("of-alice").await.unwrap_err();
    assert_eq!(error.kind(), CallerErrorKind::Revoked);
}

#[tokio::test]
async fn a_subject_that_is_forgotten_is_asked_for_again() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    assert_eq!(app.status("token").await, 200);
    app.auth.revocations().forget(ISSUER, "bob").await.unwrap();
    assert_eq!((app.status("token").await, server.count()), (200, 1));
    app.auth.revocations().forget(ISSUER, "alice").await.unwrap();
    server.answer(active_with("roles", json!(["editor"])));
    assert_eq!(app.get("token").await.1, "https://id.test alice [editor] [] []");
}

#[tokio::test]
async fn a_predicate_of_the_application_is_asked_for_every_request() {
    let is_open = Arc::new(AtomicBool::new(true));
    let server = Server::answering(active()).await;
    let predicate = {
        let is_open = Arc::clone(&is_open);
        ClaimRule::satisfies(move |_| is_open.load(Ordering::SeqCst))
    };
    let app = App::new(issuer(&server).claim("sub", predicate));
    assert_eq!(app.status("token").await, 200);
    is_open.store(false, Ordering::SeqCst);
    assert_eq!(app.status("token").await, 401);
}
