//! The program whose requests are counted: `budget-process PATH REQUESTS` answers so many requests of a path, and waits for nothing.
//!
//! It makes the same number of requests whatever the argument is, and leaves those that it does not answer as they are: the difference of two
//! runs is what answering takes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod paths;
mod tokens;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::extract::Request;
use tower::Service as _;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, requests] = &arguments[..] else { panic!("the arguments are PATH REQUESTS") };
    let count: usize = requests.parse().unwrap();
    let (mut app, request) = paths::of(path);
    // What is remembered of a token is remembered from here on.
    answer(&mut app, request());
    let made = usize::try_from(auth_tests_budget::MANY).unwrap();
    assert!(count <= made, "at most {made} requests");
    let mut requests: Vec<Request> = (0..made).map(|_| request()).collect();
    requests.drain(..count).for_each(|request| answer(&mut app, request));
    std::mem::forget(requests);
}

fn answer(app: &mut axum::Router, request: Request) {
    let answer = pin!(app.call(request)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(answer)) = answer else { panic!("it waits") };
    assert_eq!(answer.status(), 200);
}
