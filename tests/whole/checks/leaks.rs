//! Nothing behind a refusal finds a principal.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Claims, Principal, Router, auth, check, rule};
use axum::extract::{FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tower::ServiceExt as _;

use super::Decisions;
use crate::support::{get_as, request, send};

/// Whether what has this head finds a principal.
fn finds_principal(head: &Parts) -> bool {
    let mut head = head.clone();
    let found =
        pin!(Principal::from_request_parts(&mut head, &())).poll(&mut Context::from_waker(Waker::noop()));
    matches!(found, Poll::Ready(Ok(_)))
}

#[derive(Deserialize)]
struct How {
    how: String,
}

/// An extractor of the check's that refuses, or panics.
struct Stumbles;

impl<S: Send + Sync> FromRequestParts<S> for Stumbles {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        assert!(finds_principal(head), "the check's extractors find it");
        match &*Query::<How>::from_request_parts(head, state).await.unwrap().how {
            "extractor refuses" => Err(Rejection::forbidden("it refuses")),
            "extractor panics" => panic!("it panics"),
            _ => Ok(Self),
        }
    }
}

#[check]
async fn decides(_: &Principal, _: Stumbles, Query(How { how }): Query<How>) -> Result<bool, axum::BoxError> {
    tokio::task::yield_now().await;
    match &*how {
        "denies" => Ok(false),
        "fails" => Err("it fails".into()),
        "rejects" => Err(Rejection::unauthenticated("it rejects").into()),
        "hides" => Err(Rejection::hidden().into()),
        "panics" => panic!("it panics"),
        _ => Ok(true),
    }
}

#[auth(check = decides)]
async fn handler() {}

#[auth(roles = ["admin"])]
async fn by_role() {}

#[auth]
async fn guarded(request: Request) -> Response {
    let (head, body) = request.into_parts();
    assert!(finds_principal(&head), "the handler finds it");
    // What it passes its request on to: a gate that refuses.
    let inner = axum::Router::new().route("/outer", axum::routing::get(by_role));
    inner.oneshot(Request::from_parts(head, body)).await.unwrap()
}

/// What the hook sees of each refusal, whatever it is that refuses.
#[tokio::test]
async fn a_hook_finds_no_principal_of_a_refused_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let panics = Arc::new(AtomicUsize::new(0));
    let (noted, armed) = (Arc::clone(&seen), Arc::clone(&panics));
    let test = TestAuth::with(|builder| {
        let builder = builder.render_rejections(move |rejection, head| {
            noted.lock().unwrap().push((rejection.status().as_u16(), finds_principal(head)));
            rejection.problem()
        });
        builder.audit(move |_| assert_eq!(armed.load(Ordering::SeqCst), 0, "the audit hook panics"))
    });
    let app =
        Router::new().route("/", get(handler)).route("/outer", get(guarded)).finish(test.auth()).unwrap();
    let alice = TestUser::new("alice");
    for (how, status) in [
        ("denies", 403),
        ("fails", 503),
        ("rejects", 401),
        ("hides", 404),
        ("panics", 500),
        ("extractor%20refuses", 403),
        ("extractor%20panics", 500),
    ] {
        let reply = get_as(&app, &test, &alice, &format!("/?how={how}")).await;
        assert_eq!(reply.status.as_u16(), status, "{how}");
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [(status, false)], "{how}");
    }
    assert_eq!(get_as(&app, &test, &alice, "/?how=admits").await.status, 200);
    // A gate within a handler that was entered.
    assert_eq!(get_as(&app, &test, &alice, "/outer").await.status, 403);
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [(403, false)]);
    panics.store(1, Ordering::SeqCst);
    assert_eq!(get_as(&app, &test, &alice, "/?how=admits").await.status, 500, "the audit hook");
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [(500, false)]);
}

/// A head that an extractor of the check kept: what it is used for later finds no more than it did.
#[tokio::test]
async fn the_caller_of_one_request_is_not_that_of_the_next() {
    let test = TestAuth::new();
    let anonymous = |request: Request| async move {
        let (mut head, _) = request.into_parts();
        let found = Option::<Claims<serde_json::Value>>::from_request_parts(&mut head, &()).await;
        found.map(|claims| claims.is_some().to_string()).into_response()
    };
    let app = Router::new()
        .route("/", get(handler))
        .route("/anonymous", (axum::routing::get(anonymous), rule!(optional)))
        .finish(test.auth())
        .unwrap();
    assert_eq!(get_as(&app, &test, &TestUser::new("alice"), "/?how=denies").await.status, 403);
    assert_eq!(send(&app, request("GET", "/anonymous", &[])).await.body, "false");
}

/// Admitted by the check's rule and refused by the handler: the audit log has both.
#[tokio::test]
async fn each_decision_is_reported_once() {
    let decisions = Decisions::default();
    let test = decisions.noted(|builder| builder);
    let app = Router::new().route("/", get(handler)).finish(test.auth()).unwrap();
    for (how, expected) in [
        ("admits", "allowed: the rule is satisfied"),
        ("denies", "403 insufficient_scope: check whole::checks::leaks::decides denied access"),
        ("fails", "503 -: check whole::checks::leaks::decides failed: it fails"),
        ("rejects", "401 -: check whole::checks::leaks::decides rejected the request: it rejects"),
        (
            "hides",
            "404 -: check whole::checks::leaks::decides rejected the request: it is hidden from the caller, or does not exist",
        ),
    ] {
        get_as(&app, &test, &TestUser::new("alice"), &format!("/?how={how}")).await;
        assert_eq!(decisions.take(), [format!("alice / whole::checks::leaks::handler: {expected}")]);
    }
}
