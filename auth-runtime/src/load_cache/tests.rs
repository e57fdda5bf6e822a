use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::BoxError;
use futures_util::FutureExt as _;
use tokio::sync::{Notify, oneshot};
use tokio::task::yield_now;

use super::{Bounds, LoadCache, LoadError, Loaded, MAX_IN_FLIGHT, MAX_NOTES};

mod orders;

type Cache = LoadCache<u32, Arc<str>>;

const MINUTE: Duration = Duration::from_secs(60);

fn cache() -> Cache {
    cache_of(1000, 100)
}

fn cache_of(entries: usize, missing: usize) -> Cache {
    let bounds = |entries, longest| Bounds { entries, longest };
    LoadCache::new("things", bounds(entries, 5 * MINUTE), bounds(missing, MINUTE))
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn found(text: &str) -> Result<Loaded<Arc<str>>, BoxError> {
    Ok(Loaded::new(Some(text.into()), Duration::MAX))
}

fn none() -> Result<Loaded<Arc<str>>, BoxError> {
    Ok(Loaded::new(None, Duration::MAX))
}

async fn never() -> Result<Loaded<Arc<str>>, BoxError> {
    panic!("this load must not run")
}

/// The text of an answer: `-` if there is none.
fn text(answer: Result<Option<Arc<str>>, LoadError>) -> String {
    match answer {
        Ok(value) => value.as_deref().unwrap_or("-").to_owned(),
        Err(LoadError::Busy(..)) => "busy".to_owned(),
        Err(LoadError::Failed(error)) => format!("failed: {error}"),
    }
}

/// Polls once.
fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    future.now_or_never().is_none()
}

fn is_idle(cache: &Cache) -> bool {
    let state = cache.state();
    let has_load = !state.flights.is_empty() || state.loading > 0 || !state.notes.is_empty();
    !has_load && cache.in_flight.available_permits() == MAX_IN_FLIGHT
}

#[tokio::test]
async fn an_answer_counts_for_its_time_and_no_longer_than_the_bound() {
    for (value, remember_for, until) in [
        (Some("a"), at(10), 10),
        (Some("a"), Duration::MAX, 300),
        (None, at(10), 10),
        (None, Duration::MAX, 60),
        (Some("a"), Duration::ZERO, 0),
        (None, Duration::ZERO, 0),
    ] {
        let cache = cache();
        let value: Option<Arc<str>> = value.map(Into::into);
        let loaded = Loaded::new(value.clone(), remember_for);
        assert_eq!(cache.load(1, at(1000), ready(Ok(loaded))).await.unwrap(), value);
        for second in [0, until.max(1) - 1, until, until + 1, 1_000_000] {
            let expected = (second < until).then(|| value.clone());
            assert_eq!(cache.get(&1, at(1000 + second)), expected, "{value:?} {remember_for:?} {second}");
        }
        assert_eq!(cache.get(&2, at(1000)), None);
        assert!(is_idle(&cache));
    }
}

#[tokio::test]
async fn a_load_looks_again_before_it_begins() {
    let cache = cache();
    cache.load(1, at(0), ready(found("a"))).await.unwrap();
    cache.load(2, at(0), ready(none())).await.unwrap();
    assert_eq!(text(cache.load(1, at(1), never()).await), "a");
    assert_eq!(text(cache.load(2, at(1), never()).await), "-");
}

#[tokio::test]
async fn the_later_answer_replaces_the_other_kind() {
    let cache = cache();
    cache.load(1, at(0), ready(none())).await.unwrap();
    cache.load(1, at(60), ready(found("a"))).await.unwrap();
    assert_eq!(cache.get(&1, at(61)), Some(Some("a".into())));
    cache.load(1, at(360), ready(none())).await.unwrap();
    assert_eq!(cache.get(&1, at(361)), Some(None));
}

#[tokio::test]
async fn it_is_bounded_and_keys_that_do_not_exist_push_out_no_others() {
    let cache = cache_of(64, 8);
    let key_of_a_user = u32::MAX;
    cache.load(key_of_a_user, at(0), ready(found("user"))).await.unwrap();
    for key in 0..1000 {
        cache.load(key, at(0), ready(none())).await.unwrap();
    }
    assert_eq!(cache.get(&key_of_a_user, at(1)), Some(Some("user".into())));
    let missing = (0..1000).filter(|key| cache.get(key, at(1)).is_some()).count();
    assert!((1..=8).contains(&missing), "{missing}");
    for key in 2000..3000 {
        cache.load(key, at(0), ready(found("user"))).await.unwrap();
    }
    let users = (2000..3000).filter(|key| cache.get(key, at(1)).is_some()).count();
    assert!((32..=64).contains(&users), "{users}");
}

#[tokio::test]
async fn many_who_ask_at_once_load_once() {
    let (cache, loads, go) = (cache(), AtomicUsize::new(0), Notify::new());
    let ask = |key| {
        cache.load(key, at(0), async {
            loads.fetch_add(1, Ordering::Relaxed);
            go.notified().await;
            found("a")
        })
    };
    let mut all = (0..100).map(|_| Box::pin(ask(1))).collect::<Vec<_>>();
    for one in &mut all {
        assert!(is_pending(one));
    }
    go.notify_one();
    for one in all {
        assert_eq!(text(one.await), "a");
    }
    assert_eq!(loads.into_inner(), 1);
    assert!(is_idle(&cache));
}

#[tokio::test]
async fn who_waits_goes_on_if_the_one_that_loads_is_dropped_or_panics() {
    for is_panic in [false, true] {
        let (cache, go) = (cache(), Notify::new());
        let mut first = Box::pin(cache.load(1, at(0), async {
            go.notified().await;
            assert!(!is_panic, "the load panics");
            found("first")
        }));
        assert!(is_pending(&mut first));
        let mut second = Box::pin(cache.load(1, at(0), ready(found("second"))));
        let mut third = Box::pin(cache.load(1, at(0), never()));
        assert!(is_pending(&mut second));
        assert!(is_pending(&mut third));
        if is_panic {
            go.notify_one();
            assert!(AssertUnwindSafe(first).catch_unwind().await.is_err());
        } else {
            drop(first);
        }
        assert!(is_pending(&mut third), "it is the turn of the second");
        assert_eq!(text(second.await), "second");
        assert_eq!(text(third.await), "second");
        assert_eq!(cache.get(&1, at(0)), Some(Some("second".into())));
        assert!(is_idle(&cache));
    }
}

#[tokio::test]
async fn all_who_ask_can_go_away() {
    let cache = cache();
    let mut all = (0..10).map(|_| Box::pin(cache.load(1, at(0), pending()))).collect::<Vec<_>>();
    for one in &mut all {
        assert!(is_pending(one));
    }
    assert_eq!(cache.state().flights.len(), 1);
    drop(all);
    assert!(is_idle(&cache));
    assert_eq!(text(cache.load(1, at(0), ready(found("a"))).await), "a");
}

#[tokio::test]
async fn an_error_is_answered_to_those_who_wait_and_not_remembered() {
    let (cache, go) = (cache(), Notify::new());
    let mut first = Box::pin(cache.load(1, at(0), async {
        go.notified().await;
        Err("the database is down".into())
    }));
    assert!(is_pending(&mut first));
    let mut second = Box::pin(cache.load(1, at(0), never()));
    assert!(is_pending(&mut second));
    go.notify_one();
    assert_eq!(text(first.await), "failed: the database is down");
    assert_eq!(text(second.await), "failed: the database is down");
    assert_eq!(cache.get(&1, at(0)), None);
    assert_eq!(text(cache.load(1, at(0), ready(found("a"))).await), "a");
    assert!(is_idle(&cache));
}

#[tokio::test]
async fn an_answer_that_is_not_remembered_is_not_shared() {
    for value in ["a", "-"] {
        let (cache, go) = (cache(), Notify::new());
        let ask = |own: &'static str, waits: bool| {
            let go = &go;
            cache.load(1, at(0), async move {
                if waits {
                    go.notified().await;
                }
                Ok(Loaded::new((own != "-").then(|| own.into()), Duration::ZERO))
            })
        };
        let mut first = Box::pin(ask(value, true));
        let mut others = ["b", "c"].map(|own| (own, Box::pin(ask(own, false))));
        assert!(is_pending(&mut first));
        for (_, other) in &mut others {
            assert!(is_pending(other));
        }
        go.notify_one();
        assert_eq!(text(first.await), value);
        for (own, other) in others {
            assert_eq!(text(other.await), own);
        }
        assert_eq!(cache.get(&1, at(0)), None);
        assert!(is_idle(&cache));
    }
}

#[tokio::test]
async fn no_more_than_so_many_loads_run_and_the_next_fails_at_once() {
    for cache in [cache(), cache_of(0, 0)] {
        let mut all = (0..64).map(|key| Box::pin(cache.load(key, at(0), pending()))).collect::<Vec<_>>();
        for one in &mut all {
            assert!(is_pending(one));
        }
        assert_eq!(text(cache.load(64, at(0), never()).await), "busy");
        drop(all.pop());
        assert_eq!(text(cache.load(64, at(0), ready(found("a"))).await), "a");
        drop(all);
        assert!(is_idle(&cache));
    }
}

#[tokio::test]
async fn waiting_for_a_load_takes_no_place_of_one() {
    let cache = cache();
    let mut all = (0..1000).map(|key| Box::pin(cache.load(key % 64, at(0), pending()))).collect::<Vec<_>>();
    for one in &mut all {
        assert!(is_pending(one));
    }
    // 64 load, and 936 wait for them. One that loads goes, and one that waited takes its place.
    drop(all.swap_remove(0));
    for one in &mut all {
        assert!(is_pending(one));
    }
    assert_eq!(cache.in_flight.available_permits(), 0);
}

#[tokio::test]
async fn forgetting_evicts_what_is_named_of_both_kinds() {
    let cache = cache();
    for key in 0..20 {
        let answer = if key % 2 == 0 { found("even") } else { none() };
        cache.load(key, at(0), ready(answer)).await.unwrap();
    }
    cache.forget(|&key, value| {
        assert_eq!(value.is_some(), key % 2 == 0);
        key % 5 == 0
    });
    for key in 0..20 {
        assert_eq!(cache.get(&key, at(0)).is_none(), key % 5 == 0, "{key}");
    }
}

#[tokio::test]
async fn a_load_that_began_before_is_not_remembered_and_answers_no_later_caller() {
    for (old, new) in [(found("old"), found("new")), (none(), found("new")), (found("old"), none())] {
        let cache = cache();
        let (answer, answered) = oneshot::channel();
        let mut before = Box::pin(cache.load(1, at(0), async { answered.await? }));
        assert!(is_pending(&mut before));
        let mut with_it = Box::pin(cache.load(1, at(0), never()));
        assert!(is_pending(&mut with_it));

        cache.forget(|&key, _| key == 1);

        let (new_answer, new_answered) = oneshot::channel();
        let mut after = Box::pin(cache.load(1, at(0), async { new_answered.await? }));
        assert!(is_pending(&mut after));
        let mut with_that = Box::pin(cache.load(1, at(0), never()));
        assert!(is_pending(&mut with_that));

        let (old, new) = (old.unwrap(), new.unwrap());
        answer.send(Ok(old.clone())).unwrap();
        assert_eq!(before.await.unwrap(), old.value);
        assert_eq!(with_it.await.unwrap(), old.value);
        assert_eq!(cache.get(&1, at(0)), None);
        assert!(is_pending(&mut after), "it waits for its own load");

        new_answer.send(Ok(new.clone())).unwrap();
        assert_eq!(after.await.unwrap(), new.value);
        assert_eq!(with_that.await.unwrap(), new.value);
        assert_eq!(cache.get(&1, at(0)), Some(new.value));
        assert!(is_idle(&cache));
    }
}

/// As a key that is the hash of a credential, which does not say whose that is.
#[tokio::test]
async fn who_asks_after_its_value_was_forgotten_has_it_loaded_again() {
    let cache = cache();
    let (answer, answered) = oneshot::channel();
    let mut before = Box::pin(cache.load(1, at(0), async { answered.await? }));
    assert!(is_pending(&mut before));
    let mut with_it = Box::pin(cache.load(1, at(0), never()));
    assert!(is_pending(&mut with_it));

    cache.forget(|_, value| value.is_some_and(|value| **value == *"old"));

    let (new_answer, new_answered) = oneshot::channel();
    let mut after = Box::pin(cache.load(1, at(0), async { new_answered.await? }));
    let mut with_that = Box::pin(cache.load(1, at(0), never()));
    assert!(is_pending(&mut after) && is_pending(&mut with_that));
    answer.send(found("old")).unwrap();
    assert_eq!(text(before.await), "old");
    assert_eq!(text(with_it.await), "old");
    assert!(is_pending(&mut after) && is_pending(&mut with_that), "it is loaded again, once");
    assert_eq!(cache.get(&1, at(0)), None);
    new_answer.send(found("new")).unwrap();
    assert_eq!(text(after.await), "new");
    assert_eq!(text(with_that.await), "new");
    assert_eq!(cache.get(&1, at(0)), Some(Some("new".into())));
    assert!(is_idle(&cache));
}

/// However much of others is forgotten meanwhile; what is no longer noted counts for all.
#[tokio::test]
async fn a_load_is_not_disturbed_by_what_is_forgotten_of_others() {
    for (count, is_disturbed) in [(MAX_NOTES, false), (MAX_NOTES + 1, true)] {
        let cache = cache();
        let (answer, answered) = oneshot::channel();
        let mut before = Box::pin(cache.load(1, at(0), async { answered.await? }));
        assert!(is_pending(&mut before));
        for _ in 0..count {
            cache.forget(|&key, value| key == 2 || value.is_some_and(|value| **value == *"other"));
        }
        let loads = AtomicUsize::new(0);
        let mut after = Box::pin(cache.load(1, at(0), async {
            loads.fetch_add(1, Ordering::Relaxed);
            found("again")
        }));
        assert!(is_pending(&mut after));
        answer.send(found("a")).unwrap();
        assert_eq!(text(before.await), "a");
        let (expected, expected_loads) = if is_disturbed { ("again", 1) } else { ("a", 0) };
        assert_eq!(text(after.await), expected);
        assert_eq!(loads.into_inner(), expected_loads);
        assert_eq!(cache.get(&1, at(0)), Some(Some(expected.into())));
        assert!(is_idle(&cache));
    }
}

#[tokio::test]
async fn one_that_takes_over_after_something_was_forgotten_is_remembered() {
    let cache = cache();
    let mut before = Box::pin(cache.load(1, at(0), pending()));
    assert!(is_pending(&mut before));
    let mut with_it = Box::pin(cache.load(1, at(0), ready(found("new"))));
    assert!(is_pending(&mut with_it));
    cache.forget(|_, _| true);
    drop(before);
    assert_eq!(text(with_it.await), "new");
    assert_eq!(cache.get(&1, at(0)), Some(Some("new".into())));
}

/// Values whose destructor uses the cache that it is in.
#[tokio::test]
async fn a_destructor_of_a_value_runs_where_nothing_is_locked() {
    struct Uses(std::sync::Weak<LoadCache<u32, Arc<Uses>>>, Arc<AtomicUsize>);

    impl Drop for Uses {
        fn drop(&mut self) {
            if let Some(cache) = self.0.upgrade() {
                cache.forget(|_, _| false);
                assert!(cache.get(&1, at(0)).is_none());
                self.1.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    let dropped = Arc::new(AtomicUsize::new(0));
    let bounds = Bounds { entries: 8, longest: MINUTE };
    let cache = Arc::new(LoadCache::new("things", bounds, bounds));
    let load = async |key, now| {
        let value = Arc::new(Uses(Arc::downgrade(&cache), Arc::clone(&dropped)));
        let answer = Ok(Loaded::new(Some(value), Duration::MAX));
        drop(cache.load(key, now, ready(answer)).await.unwrap());
    };
    load(0, at(0)).await;
    cache.forget(|_, _| true);
    assert_eq!(dropped.load(Ordering::Relaxed), 1, "evicted");
    load(0, at(0)).await;
    load(0, at(60)).await;
    assert_eq!(dropped.load(Ordering::Relaxed), 2, "replaced");
    cache.load(0, at(120), ready(Ok(Loaded::new(None, MINUTE)))).await.unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), 3, "there is none any more");
    for key in 2..100 {
        load(key, at(0)).await;
    }
    assert!(dropped.load(Ordering::Relaxed) > 80, "pushed out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_many_threads_no_answer_is_older_than_what_was_forgotten_before() {
    let cache = Arc::new(LoadCache::<u32, Arc<usize>>::new(
        "things",
        Bounds { entries: 16, longest: Duration::MAX },
        Bounds { entries: 16, longest: Duration::MAX },
    ));
    let written = Arc::new(AtomicUsize::new(0));
    let tasks = (0..8).map(|task| {
        let (cache, written) = (Arc::clone(&cache), Arc::clone(&written));
        tokio::spawn(async move {
            for round in 0..2000 {
                if (round + task) % 7 == 0 {
                    written.fetch_add(1, Ordering::SeqCst);
                    cache.forget(|_, _| true);
                }
                let least = written.load(Ordering::SeqCst);
                // A writer may not yet have forgotten what it changed.
                let least = least.saturating_sub(8);
                let load = async {
                    let now = written.load(Ordering::SeqCst);
                    yield_now().await;
                    Ok(Loaded::new(Some(Arc::new(now)), Duration::MAX))
                };
                let key = round % 3;
                let answer = match cache.get(&key, at(0)) {
                    Some(known) => known,
                    None => cache.load(key, at(0), load).await.unwrap(),
                };
                assert!(*answer.unwrap() >= least);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert!(cache.state().flights.is_empty());
}

#[tokio::test]
async fn a_load_alone_waits_for_no_other_and_is_remembered_as_any_other() {
    let cache = cache();
    let (answer, waits) = oneshot::channel::<()>();
    let mut slow = Box::pin(cache.load(1, at(0), async {
        waits.await.unwrap();
        found("slow")
    }));
    assert!(is_pending(&mut slow));
    // An answer that is not to be remembered, and one that is.
    let once = Ok(Loaded::new(Some("once".into()), Duration::ZERO));
    assert_eq!(text(cache.load_alone(&1, at(0), ready(once)).await), "once");
    assert_eq!(cache.get(&1, at(0)), None);
    assert_eq!(text(cache.load_alone(&1, at(0), ready(found("alone"))).await), "alone");
    assert_eq!(cache.get(&1, at(0)), Some(Some("alone".into())));
    answer.send(()).unwrap();
    assert_eq!(text(slow.await), "slow");
    assert!(is_idle(&cache));
}
