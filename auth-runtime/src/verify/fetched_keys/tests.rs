use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::{FetchFailure, FetchedKeys, KeySetKind, Run, TextHash, Unknown};
use crate::verify::key_source::{FetchedKeySet, Fetching};

fn keys() -> FetchedKeys {
    let fetch = || -> Fetching { Box::pin(async { Ok(FetchedKeySet::new("")) }) };
    FetchedKeys::new(0, ("issuer `i`".into(), "i".into()), Arc::new(fetch), false)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn fail(keys: &FetchedKeys, run: Run, failure: &str) {
    keys.failed(run, FetchFailure::passing(failure), run.began());
}

fn succeed(keys: &FetchedKeys, run: Run, fresh_for: Option<u64>) {
    keys.succeeded(run, TextHash::of("keys"), fresh_for.map(seconds), UNIX_EPOCH);
}

#[test]
fn a_refresh_is_due_as_the_answer_says_within_a_minute_and_an_hour() {
    for (fresh_for, expected) in
        [(None, 600), (Some(0), 60), (Some(59), 60), (Some(90), 90), (Some(86_400), 3600)]
    {
        let keys = keys();
        let run = keys.due(seconds(0)).expect("the first is due at once");
        assert!(keys.due(seconds(0)).is_none(), "one runs");
        succeed(&keys, run, fresh_for);
        assert!(keys.due(seconds(expected - 1)).is_none(), "{fresh_for:?}");
        assert!(keys.due(seconds(expected)).is_some(), "{fresh_for:?}");
    }
}

#[test]
fn a_failure_is_tried_again_after_the_cool_down_by_whomever() {
    let keys = keys();
    let run = keys.due(seconds(100)).unwrap();
    fail(&keys, run, "down");
    assert!(keys.due(seconds(129)).is_none());
    assert!(matches!(keys.unknown_key(seconds(129)), Unknown::CoolDown(time, _) if time == seconds(1)));
    assert!(keys.due(seconds(130)).is_some());
}

#[test]
fn an_unknown_key_has_one_fetch_run_in_a_cool_down() {
    let keys = keys();
    let run = keys.due(seconds(0)).unwrap();
    succeed(&keys, run, None);
    let Unknown::Run(run, first) = keys.unknown_key(seconds(1)) else {
        panic!("a regular fetch is no cool-down")
    };
    let joined: Vec<_> = (0..999).map(|_| keys.unknown_key(seconds(1))).collect();
    assert!(joined.iter().all(|unknown| matches!(unknown, Unknown::Join(_))));
    assert!(matches!(keys.unknown_key(seconds(1)), Unknown::Full), "1,000 wait");
    succeed(&keys, run, None);
    drop((first, joined));
    assert!(matches!(keys.unknown_key(seconds(2)), Unknown::CoolDown(time, _) if time == seconds(29)));
    assert!(matches!(keys.unknown_key(seconds(31)), Unknown::Run(..)));
}

#[test]
fn a_fetch_that_never_ends_is_given_up() {
    let keys = keys();
    let lost = keys.due(seconds(0)).unwrap();
    assert!(keys.due(seconds(30)).is_none());
    let second = keys.due(seconds(31)).expect("the first was given up");
    assert!(!keys.counts(lost));
    succeed(&keys, second, None);
    fail(&keys, lost, "late");
    assert_eq!(keys.status(KeySetKind::Issuer, 1, true).failure, None, "what was given up says nothing");
}

#[tokio::test]
async fn who_waits_learns_how_it_ended() {
    let keys = keys();
    let (run, waiting) = keys.first(seconds(0)).unwrap();
    let (none, second) = keys.first(seconds(0)).unwrap();
    assert!(none.is_none(), "one runs");
    fail(&keys, run.unwrap(), "down");
    assert_eq!(waiting.ended().await, Some(FetchFailure::passing("down")));
    assert_eq!(second.ended().await, Some(FetchFailure::passing("down")));
    let (run, waiting) = keys.first(seconds(1)).unwrap();
    succeed(&keys, run.unwrap(), None);
    assert_eq!(waiting.ended().await, None);
    assert!(keys.first(seconds(2)).is_none(), "there is a set");
}
