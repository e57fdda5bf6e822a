//! Server-sent events, and other streams.

use std::convert::Infallible;
use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::streams::{EndReason, UntilEnded as _};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt as _, stream};

use super::{PATIENCE, Service};
use crate::support::{caller_of, request};

/// One event, and then nothing.
#[auth]
pub(super) async fn events(user: Principal) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::once(async { Ok(Event::default().data("hello")) }).chain(stream::pending());
    Sse::new(events.until_ended(&user)).keep_alive(KeepAlive::default())
}

async fn open(service: &Service, access_token: &str) -> reqwest::Response {
    let url = format!("http://{}/events", service.address);
    let mut answer = reqwest::Client::new().get(url).bearer_auth(access_token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "data: hello\n\n");
    answer
}

async fn ends(mut answer: reqwest::Response) {
    let rest = async {
        // Comments that keep the connection alive may come before the end.
        while let Some(chunk) = answer.chunk().await.unwrap() {
            assert!(chunk.starts_with(b":"), "{chunk:?}");
        }
    };
    tokio::time::timeout(PATIENCE, rest).await.unwrap();
}

#[tokio::test]
async fn server_sent_events_end_at_logout_and_at_expiry() {
    let service = Service::new().await;
    let (alice, bob) = (service.log_in("alice").await, service.log_in("bob").await);
    let (of_alice, of_bob) =
        (open(&service, &alice.access_token).await, open(&service, &bob.access_token).await);
    service.tokens.log_out(&alice.refresh_token).await.unwrap();
    ends(of_alice).await;
    service.clock.advance(Duration::from_secs(960));
    ends(of_bob).await;
}

#[auth]
async fn guarded() {}

/// The principal that the engine makes of a token.
pub(super) async fn principal_of(test: &TestAuth, user: &TestUser) -> Principal {
    let app: axum::Router = Router::new().route("/", get(guarded)).finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(user));
    caller_of(&app, request("GET", "/", &[("authorization", &bearer)])).await
}

#[tokio::test]
async fn an_item_that_is_ready_when_the_credential_has_ended_is_not_returned() {
    let test = TestAuth::new();
    let alice = principal_of(&test, &TestUser::new("alice")).await;
    let bob = principal_of(&test, &TestUser::new("bob")).await;
    let mut of_alice = stream::repeat(1).until_ended(&alice);
    let mut of_bob = stream::iter([1, 2]).until_ended(&bob);
    assert_eq!((of_alice.next().await, of_bob.next().await), (Some(1), Some(1)));
    assert_eq!(of_alice.size_hint(), (0, None));
    test.auth().revocations().revoke_token(&alice).await.unwrap();
    assert_eq!((of_alice.next().await, of_alice.next().await), (None, None));
    assert_eq!(of_alice.end_reason(), Some(EndReason::Revoked));
    assert_eq!((of_bob.next().await, of_bob.next().await), (Some(2), None));
    assert_eq!(of_bob.end_reason(), None, "it ended by itself");
}
