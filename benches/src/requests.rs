//! The same request again and again, to a router in the same thread.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use tower::Service as _;

/// So many requests for `/`, with this header.
pub fn requests(count: usize, name: &str, value: &str) -> Vec<Request> {
    let request = || Request::get("/").header(name, value).body(Body::empty()).expect("a request");
    (0..count).map(|_| request()).collect()
}

/// Answers requests of which none waits for anything. Each is answered 200.
pub fn answer_at_once(app: &mut Router, requests: Vec<Request>) {
    for request in requests {
        let mut answer = pin!(app.call(request));
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(answer)) => assert_eq!(answer.status(), StatusCode::OK),
            Poll::Pending => panic!("a request waits for something"),
        }
    }
}

/// Answers one request after the other. Each is answered 200.
pub async fn answer(app: &mut Router, requests: Vec<Request>) {
    for request in requests {
        let answer = app.call(request).await;
        assert!(answer.is_ok_and(|answer| answer.status() == StatusCode::OK), "an answer 200");
    }
}
