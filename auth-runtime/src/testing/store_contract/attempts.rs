//! What a store of login attempts must do. It has a clock of its own, so a test waits for what is to be replenished; it never asserts that
//! something was fast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Checked, all, ensure, equal};
use crate::store::{AttemptKey, AttemptLimit, AttemptStore, CountedAttempt, StoreError};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// What nothing of is replenished during a test.
const fn daily(burst: u32) -> AttemptLimit {
    AttemptLimit::new(burst, DAY)
}

fn attempt(key: u128, limit: AttemptLimit) -> CountedAttempt {
    CountedAttempt { key: AttemptKey::new(key.to_be_bytes()), limit }
}

async fn count(
    store: &impl AttemptStore,
    attempts: impl IntoIterator<Item = (u128, AttemptLimit)>,
) -> Result<Option<Duration>, StoreError> {
    store.count(attempts.into_iter().map(|(key, limit)| attempt(key, limit)).collect()).await
}

/// Counts until the limit rejects it; how many were counted.
async fn count_all(store: &impl AttemptStore, key: u128, limit: AttemptLimit) -> Result<u32, StoreError> {
    let mut counted = 0;
    while counted <= limit.burst().get() && count(store, [(key, limit)]).await?.is_none() {
        counted += 1;
    }
    Ok(counted)
}

pub async fn as_many_attempts_are_counted_as_the_limit_allows<S: AttemptStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    for (key, burst) in [(1, 1), (2, 2), (3, 10), (4, 50)] {
        equal(
            count_all(&store, key, daily(burst)).await?,
            burst,
            format_args!("attempts counted with {:?}", daily(burst)),
        )?;
    }
    let limits = [AttemptLimit::PER_ACCOUNT, daily(u32::MAX), AttemptLimit::new(u32::MAX, Duration::ZERO)];
    for (key, limit) in (5..).zip(limits) {
        equal(count(&store, [(key, limit)]).await?, None, format_args!("the first attempt with {limit:?}"))?;
    }
    equal(count(&store, []).await?, None, "no attempt at all")
}

pub async fn the_wait_is_how_long_until_one_is_replenished<S: AttemptStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    for (key, burst) in [(1, 1), (2, 3)] {
        count_all(&store, key, daily(burst)).await?;
        // Also the hundredth is rejected for no longer than the first.
        for number in 0..100 {
            let wait = count(&store, [(key, daily(burst))]).await?;
            ensure(
                wait.is_some_and(|wait| wait <= DAY && wait > DAY - HOUR),
                format_args!("one is replenished in a day, and rejection {number} says to wait for {wait:?}"),
            )?;
        }
    }
    Ok(())
}

pub async fn after_the_wait_an_attempt_is_counted<S: AttemptStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    let limit = AttemptLimit::new(2, Duration::from_millis(200));
    let mut rejected = 0;
    // A machine that is busy may let one be replenished between two calls.
    for _ in 0..200 {
        let Some(wait) = count(&store, [(1, limit)]).await? else { continue };
        ensure(
            !wait.is_zero() && wait <= limit.replenish_one_every(),
            format_args!("one is replenished in 200 ms, and a rejection says to wait for {wait:?}"),
        )?;
        // A millisecond more, for a store that counts in whole ones.
        sleep(wait + Duration::from_millis(1)).await;
        equal(
            count(&store, [(1, limit)]).await?,
            None,
            format_args!("an attempt after the wait of {wait:?}"),
        )?;
        rejected += 1;
        if rejected == 3 {
            return Ok(());
        }
    }
    ensure(false, format_args!("of 200 attempts {rejected} were rejected, with {limit:?}"))
}

pub async fn idle_time_allows_no_more_than_the_burst<S: AttemptStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    count(&store, [(1, AttemptLimit::new(1, Duration::ZERO))]).await?;
    sleep(Duration::from_millis(500)).await;
    let limit = AttemptLimit::new(2, Duration::from_millis(100));
    let (began, mut counted) = (Instant::now(), 0);
    for _ in 0..8 {
        counted += u128::from(count(&store, [(1, limit)]).await?.is_none());
    }
    let allowed = 2 + began.elapsed().as_millis() / 100;
    ensure(
        counted <= allowed,
        format_args!(
            "{counted} attempts were counted at once after an idle time, and {limit:?} allows {allowed}"
        ),
    )
}

pub async fn keys_are_counted_apart<S: AttemptStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    // Keys that a store which cuts, trims or folds bytes would take for each other.
    let mut keys: Vec<u128> = (0..128).map(|bit| 1 << bit).collect();
    keys.extend([0, u128::MAX, u128::from_be_bytes([b'a'; 16]), u128::from_be_bytes([b'A'; 16])]);
    for round in 0..3 {
        for key in &keys {
            let wait = count(&store, [(*key, daily(2))]).await?;
            equal(
                wait.is_none(),
                round < 2,
                format_args!("whether attempt {} of key {key:x} is counted", round + 1),
            )?;
        }
    }
    Ok(())
}

pub async fn attempts_are_counted_up_to_the_first_that_is_rejected<S: AttemptStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    let (before, rejecting, after) = ((1, daily(3)), (2, AttemptLimit::new(1, DAY / 2)), (3, daily(2)));
    equal(count(&store, [before, rejecting, after]).await?, None, "three attempts that are allowed")?;
    let wait = count(&store, [before, rejecting, after]).await?;
    ensure(
        wait.is_some_and(|wait| wait <= DAY / 2 && wait > DAY / 2 - HOUR),
        format_args!("the second of three rejects for half a day, and the wait is {wait:?}"),
    )?;
    equal(
        count_all(&store, 1, before.1).await?,
        1,
        "what is left of three before the one that rejected, counted twice",
    )?;
    equal(
        count_all(&store, 3, after.1).await?,
        1,
        "what is left of two after the one that rejected, counted once",
    )?;
    equal(
        count(&store, [(4, daily(1)), (4, daily(1))]).await?.is_some(),
        true,
        "whether a key counts twice in one call",
    )
}

pub async fn the_limit_of_a_key_may_change<S: AttemptStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    for _ in 0..5 {
        count(&store, [(1, daily(10))]).await?;
    }
    equal(count_all(&store, 1, daily(3)).await?, 0, "attempts of 3 after 5 were counted")?;
    equal(count_all(&store, 1, daily(10)).await?, 5, "attempts of 10 after 5 were counted")
}

pub async fn of_simultaneous_attempts_no_more_are_counted_than_allowed<S: AttemptStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    const CALLERS: usize = 50;
    let store = Arc::new(open().await);
    for round in 0..4 {
        let start = Arc::new(Barrier::new(CALLERS));
        let mut tasks = JoinSet::new();
        for _ in 0..CALLERS {
            let (store, start) = (Arc::clone(&store), Arc::clone(&start));
            tasks.spawn(async move {
                start.wait().await;
                let mut counted = 0;
                for _ in 0..4 {
                    let own = count(&*store, [(100, daily(100_000)), (round, daily(30))]).await?;
                    counted += u32::from(own.is_none());
                }
                Ok(counted)
            });
        }
        let counted: u32 = all(tasks).await?.into_iter().sum();
        equal(counted, 30, "attempts counted of 200 at the same time, where 30 are allowed")?;
    }
    Ok(())
}

pub async fn dropping_expired_attempts_ends_and_drops_no_others<S: AttemptStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    const EXPIRED: u128 = 2_500;
    let store = open().await;
    let rejected = (u128::MAX, daily(2));
    for _ in 0..2 {
        count(&store, [rejected]).await?;
    }
    let soon = AttemptLimit::new(1, Duration::ZERO);
    let expiring: Vec<_> = (0..EXPIRED).map(|key| (key, soon)).collect();
    for some in expiring.chunks(50) {
        equal(count(&store, some.iter().copied()).await?, None, "attempts on 50 new keys in one call")?;
    }
    sleep(Duration::from_millis(20)).await;
    let mut calls = 0;
    while store.drop_expired().await? {
        calls += 1;
        ensure(calls < EXPIRED, format_args!("after {calls} calls there is still more to drop"))?;
    }
    equal(
        count(&store, [rejected]).await?.is_some(),
        true,
        "whether a limit still rejects after `drop_expired`",
    )?;
    for key in [0, EXPIRED / 2, EXPIRED - 1] {
        equal(count_all(&store, key, daily(2)).await?, 2, "attempts on a key that has expired")?;
    }
    Ok(())
}
