//! A router that is asked with credentials in turn, and that waits for nothing.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::extract::Request;
use bench_harness::cpu;
use bench_harness::turns;
use tower::Service as _;

/// One way of serving a handler.
pub struct App {
    pub router: axum::Router,
    /// Name and value of the header that has the credential; those of the requests in turn.
    pub headers: Vec<(&'static str, String)>,
    next: usize,
}

impl App {
    pub fn new(router: axum::Router, headers: Vec<(&'static str, String)>) -> Self {
        // As `axum::serve` does.
        Self { router: router.with_state(()), headers, next: 0 }
    }

    pub fn requests(&mut self, count: usize) -> Vec<Request> {
        let requests = (0..count).map(|_| {
            // A step that is prime to the number goes through all of them, in no order that a prefetcher knows.
            self.next = (self.next + 7919) % self.headers.len();
            let (name, value) = &self.headers[self.next];
            Request::get("/").header(*name, value).body(Body::empty()).expect("a request")
        });
        requests.collect()
    }

    pub fn answer(&mut self, requests: Vec<Request>) {
        for request in requests {
            let mut answer = pin!(self.router.call(request));
            match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(answer)) => assert!(answer.status().is_success(), "{}", answer.status()),
                _ => panic!("nothing is waited for"),
            }
        }
    }

    /// Each token is seen once, so that it is known.
    pub fn learn(&mut self) {
        let known = self.headers.len();
        let requests = self.requests(known);
        self.answer(requests);
    }

    /// Answers this many requests in each round.
    pub fn variant(mut self, name: &str, requests: usize) -> turns::Variant<'static> {
        turns::Variant::measured(name, move || {
            let of_round = self.requests(requests);
            cpu::time(|| self.answer(of_round)) / requests as f64
        })
    }
}
