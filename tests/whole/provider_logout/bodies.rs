//! What strangers can have read: for how long, how much at a time, and nothing without the header of the transmitters.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, poll, stream};
use serde_json::json;
use tokio::time::Instant;

use super::{NOW, PROVIDER, Service, assert_event_rejected, assert_logout_rejected, pushed};
use crate::support::send;

const FORM: &str = "application/x-www-form-urlencoded";
const EVENT: &str = "application/secevent+jwt";

/// A request whose body does not come.
fn silent(path: &str, content_type: &str, authorization: &str) -> Request<Body> {
    let request =
        Request::post(path).header("content-type", content_type).header("authorization", authorization);
    request.body(Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_body_is_given_up_after_ten_seconds() {
    let service = Service::new();
    let sent = Instant::now();
    let reply = send(&service.app, silent("/logout", FORM, "none")).await;
    assert_logout_rejected(&reply, "it did not come");
    assert_eq!(sent.elapsed(), Duration::from_secs(10));
    let reply = send(&service.app, silent("/events", EVENT, "none")).await;
    assert_event_rejected(&reply, 408, "invalid_request", "it did not come");
    assert_eq!(sent.elapsed(), Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn of_more_than_so_many_bodies_that_do_not_come_the_oldest_is_given_up_and_nobody_is_kept_out() {
    let service = Service::new();
    let token = service.logout_token(NOW, json!({"sub": "alice"}));
    let mut reading: Vec<_> =
        (0..256).map(|_| Box::pin(send(&service.app, silent("/logout", FORM, "none")))).collect();
    for one in &mut reading {
        assert!(poll!(one).is_pending());
    }
    let sent = Instant::now();
    assert_eq!(service.log_out(&token).await.status, 200);
    // One that comes in two parts takes the place of the oldest.
    let oldest = reading.remove(0);
    let form = format!("logout_token={token}");
    let (first, second) = form.split_at(20);
    let parts = [first.to_owned(), second.to_owned()].map(|part| Ok::<_, Infallible>(Bytes::from(part)));
    let body = Body::from_stream(stream::iter(parts).then(async |part| {
        tokio::task::yield_now().await;
        part
    }));
    let request = Request::post("/logout").header("content-type", FORM).body(body).unwrap();
    assert_eq!(send(&service.app, request).await.status, 200);
    let reply = oldest.await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"));
    assert!(sent.elapsed().is_zero(), "nothing waited");
    for reply in join_all(reading).await {
        assert_logout_rejected(&reply, "it did not come");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_of_a_push_whose_header_is_that_of_no_transmitter() {
    const SECRET: &str = "Bearer 0123456789abcdef0123456789abcdef";
    let service = Service::configured(
        |issuer| issuer,
        |transmitter| transmitter.subjects_of(PROVIDER).authorization_header(SECRET),
        |builder| builder,
    );
    let sent = Instant::now();
    let reply = send(&service.app, silent("/events", EVENT, "Bearer ffffffffffffffffffffffffffffffff")).await;
    assert_event_rejected(&reply, 400, "authentication_failed", "another header");
    assert!(sent.elapsed().is_zero(), "it was not waited for");
    let reply = send(&service.app, silent("/events", EVENT, SECRET)).await;
    assert_event_rejected(&reply, 408, "invalid_request", "its header");
    assert_eq!(sent.elapsed(), Duration::from_secs(10));
    // A transmitter without a header has every body read: its token may be in it.
    let open = Service::new();
    let event =
        open.event_token(NOW, super::user("alice"), json!({format!("{}account-disabled", super::RISC): {}}));
    assert_eq!(send(&open.app, pushed(&event, &[("authorization", "Bearer of a proxy")])).await.status, 202);
}
