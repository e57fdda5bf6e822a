//! Requests are served while keys are replaced.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use auth_runtime::routing::get;
use auth_runtime::{Router, auth};
use tokio::runtime::Runtime;

use super::{ONE, OTHER, engine, key, token, trusted};
use crate::support::status;

#[auth]
async fn guarded() {}

/// How many keys are withdrawn, one after the other, and how many threads ask meanwhile.
const KEYS: usize = 60;
const SENDERS: usize = 3;

#[test]
fn a_token_of_a_withdrawn_key_is_never_accepted_again_and_others_always_are() {
    let keys: Vec<_> = (0..=KEYS).map(|number| key(&number.to_string())).collect();
    let stays = key("stays");
    let auth = engine([trusted(ONE, &[&keys[0], &stays]), trusted(OTHER, &[&stays])]);
    let app = Router::new().route("/", get(guarded)).finish(&auth).unwrap();
    let tokens: Vec<_> = keys.iter().map(|key| token(key, ONE)).collect();
    let kept = [token(&stays, ONE), token(&stays, OTHER)];
    let is_gone: Vec<_> = (0..KEYS).map(|_| AtomicBool::new(false)).collect();
    let asked_after: Vec<_> = (0..KEYS).map(|_| AtomicUsize::new(0)).collect();
    let asked: Vec<_> = (0..KEYS).map(|_| AtomicUsize::new(0)).collect();
    let (current, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let runtime = Runtime::new().unwrap();
                let ask = |token: &str| runtime.block_on(status(&app, "GET", "/", Some(token))) == 200;
                loop {
                    let now = current.load(Ordering::Acquire);
                    if now == KEYS {
                        break;
                    }
                    let was_gone = is_gone[now].load(Ordering::Acquire);
                    let is_accepted = ask(&tokens[now]);
                    wrong.fetch_add(usize::from(was_gone && is_accepted), Ordering::AcqRel);
                    for text in &kept {
                        wrong.fetch_add(usize::from(!ask(text)), Ordering::AcqRel);
                    }
                    asked[now].fetch_add(usize::from(is_accepted), Ordering::AcqRel);
                    asked_after[now].fetch_add(usize::from(was_gone), Ordering::AcqRel);
                }
            });
        }
        let wait_for = |count: &AtomicUsize| {
            while count.load(Ordering::Acquire) < SENDERS && wrong.load(Ordering::Acquire) == 0 {
                thread::yield_now();
            }
        };
        for number in 0..KEYS {
            wait_for(&asked[number]);
            let new = super::set(&[super::jwk(&stays), super::jwk(&keys[number + 1])]);
            auth.replace_keys(ONE, new).unwrap();
            is_gone[number].store(true, Ordering::Release);
            wait_for(&asked_after[number]);
            current.store(number + 1, Ordering::Release);
        }
    });
    assert_eq!(wrong.into_inner(), 0);
}

#[test]
fn replacements_at_once_take_effect_one_after_the_other() {
    let pairs: Vec<_> = (0..8).map(|number| key(&number.to_string())).collect();
    let first = key("first");
    let auth = engine([trusted(ONE, &[&first])]);
    let verify = |text: &str| super::verify(&auth, text).0.is_ok();
    let tokens: Vec<_> = pairs.iter().map(|key| token(key, ONE)).collect();
    for _ in 0..50 {
        thread::scope(|scope| {
            for (pair, text) in pairs.iter().zip(&tokens) {
                let (auth, verify) = (&auth, &verify);
                scope.spawn(move || {
                    auth.replace_keys(ONE, pair.verifying_key()).unwrap();
                    // It may be remembered now, if no other replacement came between.
                    verify(text);
                });
            }
        });
        assert_eq!(tokens.iter().filter(|text| verify(text)).count(), 1, "the last replacement counts");
        assert!(!verify(&token(&first, ONE)));
    }
}
