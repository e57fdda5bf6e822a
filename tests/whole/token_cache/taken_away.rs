//! Requests, changes of keys and revocations at the same time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use auth_runtime::Auth;
use auth_runtime::session::SigningKey;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{app, ask, revocation, runtime, seconds_of};
use crate::support::people::{AUDIENCE, ISSUER, People, issuer};

const OTHER: &str = "https://id.test";

/// Tokens that are taken away one after the other, while others ask with them.
struct Lane {
    texts: Vec<String>,
    /// Set when the call that takes the token away has returned.
    gone: Vec<AtomicBool>,
    /// How often each was good; how often it was asked with after it was gone.
    good: Vec<AtomicUsize>,
    asked_after: Vec<AtomicUsize>,
    current: AtomicUsize,
}

/// How many tokens each lane has.
const TOKENS: usize = 200;
const SENDERS: usize = 3;
/// Who has asked so often with one token lets the one that takes it away have its turn, however slow the machine is.
const ENOUGH: usize = 100;

impl Lane {
    fn new(sign: impl Fn(usize) -> String) -> Self {
        let counters = || (0..TOKENS).map(|_| AtomicUsize::new(0)).collect();
        Self {
            texts: (0..TOKENS).map(sign).collect(),
            gone: (0..TOKENS).map(|_| AtomicBool::new(false)).collect(),
            good: counters(),
            asked_after: counters(),
            current: AtomicUsize::new(0),
        }
    }

    fn is_done(&self) -> bool {
        self.current.load(Ordering::Acquire) == TOKENS
    }

    /// Asks with the token whose turn it is. Whether it was good though it was gone before it was sent.
    fn ask(&self, runtime: &Runtime, app: &axum::Router) -> bool {
        let current = self.current.load(Ordering::Acquire).min(TOKENS - 1);
        if self.good[current].load(Ordering::Acquire) > ENOUGH && !self.gone[current].load(Ordering::Acquire)
        {
            thread::yield_now();
            return false;
        }
        let was_gone = self.gone[current].load(Ordering::Acquire);
        let good = runtime.block_on(ask(app, &self.texts[current])).status == 200;
        self.good[current].fetch_add(usize::from(good), Ordering::AcqRel);
        self.asked_after[current].fetch_add(usize::from(was_gone), Ordering::AcqRel);
        was_gone && good
    }

    fn take_away(&self, senders: &AtomicUsize, take: impl Fn(usize)) {
        let wait_for = |count: &AtomicUsize, least| {
            while count.load(Ordering::Acquire) < least && senders.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
        };
        for index in 0..TOKENS {
            wait_for(&self.good[index], 2);
            take(index);
            self.gone[index].store(true, Ordering::Release);
            wait_for(&self.asked_after[index], SENDERS);
            self.current.store(index + 1, Ordering::Release);
        }
    }
}

#[test]
fn what_was_taken_away_is_never_good_again() {
    let clock = TestClock::new();
    let key = |number: usize| {
        let secret = [number.to_le_bytes(); 4].concat();
        SigningKey::secret(Algorithm::HS256, &secret).unwrap().with_id(number.to_string())
    };
    // The keys of one issuer change. The tokens of the other are revoked, and one key is good for all of them.
    let other = TrustedIssuer::new(OTHER).audience(AUDIENCE).key(key(0).verifying_key());
    let builder = Auth::builder().token_issuer(issuer(&People::default())).issuer(other);
    let auth = builder.clock(clock.clone()).token_cache(4, 1 << 20).build().unwrap();
    let (app, tokens, now) = (app(&auth), auth.tokens().unwrap(), seconds_of(&clock));
    tokens.rotate_keys(key(0)).unwrap();
    let claims = |issuer: &str, id: usize| {
        let id = id.to_string();
        json!({
            "iss": issuer, "aud": AUDIENCE, "sub": id, "jti": id, "sid": id, "roles": ["admin"],
            "iat": now, "exp": now + 60,
        })
    };
    let by_key = Lane::new(|index| key(index).sign(&claims(ISSUER, index)).unwrap());
    let by_revocation = Lane::new(|index| key(0).sign(&claims(OTHER, index)).unwrap());
    let (senders, wrong) = (AtomicUsize::new(SENDERS), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let (runtime, lanes) = (runtime(), [&by_key, &by_revocation]);
                while !lanes.iter().all(|lane| lane.is_done()) {
                    for lane in lanes {
                        wrong.fetch_add(usize::from(lane.ask(&runtime, &app)), Ordering::AcqRel);
                    }
                }
                senders.fetch_sub(1, Ordering::AcqRel);
            });
        }
        scope.spawn(|| by_key.take_away(&senders, |index| tokens.rotate_keys(key(index + 1)).unwrap()));
        let runtime = runtime();
        by_revocation.take_away(&senders, |index| {
            let revocation = revocation(OTHER, index, &index.to_string(), now);
            runtime.block_on(auth.revocations().revoke(revocation)).unwrap();
        });
    });
    assert_eq!(wrong.into_inner(), 0, "tokens were good that had been taken away");
    for lane in [by_key, by_revocation] {
        assert!(lane.good.iter().all(|count| count.load(Ordering::Acquire) >= 2));
    }
}
