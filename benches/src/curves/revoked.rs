//! By the revocations that are in force, of other tokens, sessions and users.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use auth_runtime::Auth;
use auth_runtime::revocation::Revocation;

use super::curve::{Curve, Point};
use super::services::{ISSUER, by_hand, issuer, roles, this, token};

pub fn report(write: bool) {
    let curve = Curve {
        name: "entries",
        title: "A guarded request, by the revocations in force",
        x: "entries in the view",
        rounds: 201,
        requests: 100,
        is_steep: false,
    };
    let points = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
    let points = points.into_iter().map(|entries| {
        let tokens: Vec<String> = (0..1_000).map(|number| token(number, &roles(2))).collect();
        let auth = issuer();
        (0..entries).for_each(|number| revoke(&auth, number));
        assert_eq!(auth.revocations().status().entries, entries);
        let services = vec![
            ("this", this(auth, tokens.clone()).known()),
            ("by hand, without revocations", by_hand(tokens).known()),
        ];
        Point { x: entries, services }
    });
    curve.report(points, write);
}

fn revoke(auth: &Auth, number: usize) {
    let (issuer, id) = (ISSUER.to_owned(), format!("other-{number:022}"));
    let revocation = match number % 3 {
        0 => Revocation::Token { issuer, token_id: id },
        1 => Revocation::Session { issuer, session_id: id },
        _ => Revocation::User { issuer, subject: id, issued_at_or_before: SystemTime::now() },
    };
    let revocations = auth.revocations();
    // Without a store the future is done when it is first asked.
    let done = pin!(revocations.revoke(revocation)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(done, Poll::Ready(Ok(true))));
}
