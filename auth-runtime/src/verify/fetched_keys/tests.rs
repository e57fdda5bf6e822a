use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::{
    COOL_DOWN, FetchFailure, FetchedKeys, KeySetKind, LONGEST_FETCH, LONGEST_USE, Overdue, Run, TextHash,
    Unknown,
};
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
fn a_refresh_is_due_as_the_answer_says_after_a_minute_and_in_time_for_the_hour() {
    for (fresh_for, expected) in
        [(None, 600), (Some(0), 60), (Some(59), 60), (Some(90), 90), (Some(3600), 3510), (Some(86_400), 3510)]
    {
        let keys = keys();
        let run = keys.due(seconds(0)).expect("the first is due at once");
        assert!(keys.due(seconds(0)).is_none(), "one runs");
        succeed(&keys, run, fresh_for);
        assert!(keys.due(seconds(expected - 1)).is_none(), "{fresh_for:?}");
        assert!(keys.due(seconds(expected)).is_some(), "{fresh_for:?}");
    }
}

/// The first refresh fails as late as it can, and the second one takes as long.
#[test]
fn the_keys_are_new_or_overdue_before_the_hour_is_over() {
    let keys = keys();
    let first = keys.due(seconds(0)).unwrap();
    succeed(&keys, first, Some(86_400));
    assert!(keys.overdue_at() <= LONGEST_USE, "nothing has refreshed them");
    let refresh = keys.due(seconds(3511)).expect("the background task looks every second");
    let given_up = refresh.began() + LONGEST_FETCH;
    keys.failed(refresh, FetchFailure::passing("it took too long"), given_up);
    let next = keys.due((refresh.began() + COOL_DOWN).max(given_up) + seconds(1)).unwrap();
    assert!(next.began() + LONGEST_FETCH < LONGEST_USE, "{:?}", next.began());
}

/// The task that runs a fetch notices its end a little later than the background task looks again.
#[test]
fn the_next_fetch_does_not_begin_before_the_longest_one_is_known_to_have_failed() {
    let keys = keys();
    let run = keys.due(seconds(0)).unwrap();
    let late = LONGEST_FETCH + Duration::from_millis(1);
    assert!(keys.due(late).is_none(), "it runs");
    assert!(keys.counts(run), "its failure will be known");
    keys.failed(run, FetchFailure::passing("it took too long"), late);
    assert!(keys.due(late + seconds(1)).is_some(), "the next one");
}

#[test]
fn nothing_is_decided_by_overdue_keys_while_they_are_fetched() {
    let keys = keys();
    let run = keys.due(seconds(0)).unwrap();
    succeed(&keys, run, None);
    assert!(matches!(keys.overdue(seconds(599)), Overdue::Settled), "they are fresh");
    let Overdue::Wait(Some(run), first) = keys.overdue(seconds(660)) else { panic!("none runs") };
    let joined: Vec<_> = (0..999).map(|_| keys.overdue(seconds(660))).collect();
    assert!(joined.iter().all(|overdue| matches!(overdue, Overdue::Wait(None, _))));
    assert!(matches!(keys.overdue(seconds(660)), Overdue::Full), "1,000 wait");
    fail(&keys, run, "down");
    assert!(matches!(keys.overdue(seconds(661)), Overdue::Settled), "the last ones serve");
    drop((first, joined));
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
