//! What has expired is dropped, and the clocks that decide it.

use std::time::{Duration, SystemTime};

use super::*;
use crate::testing::store_contract::before_the_epoch;

pub async fn only_entries_that_have_expired_are_dropped<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let log = open().await;
    equal(log.drop_expired(at(1000)).await?, false, "`drop_expired` of an empty log")?;
    let times = [101, 99, 100, 300, 100, 200, 1, 99];
    log.append((0..).zip(times).map(|(number, time)| entry(number, time)).collect()).await?;
    for (now, left) in [
        (0, [0, 1, 2, 3, 4, 5, 6, 7].as_slice()),
        (1, &[0, 1, 2, 3, 4, 5, 6, 7]),
        (99, &[0, 1, 2, 3, 4, 5, 7]),
        (100, &[0, 2, 3, 4, 5]),
        // A clock that goes back drops no more.
        (50, &[0, 2, 3, 4, 5]),
        (101, &[0, 3, 5]),
        (201, &[3]),
        (301, &[]),
    ] {
        equal(log.drop_expired(at(now)).await?, false, "whether there is more to drop")?;
        let (read, _) = read_on(&log, LogCursor::START, 3).await?;
        let read: Vec<_> = read.iter().map(number_of).collect();
        equal(read, left, format_args!("the entries at {now}, of those that are kept until {times:?}"))?;
    }
    Ok(())
}

pub async fn dropping_entries_says_whether_more_are_left_and_ends<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    // Whole batches of some stores.
    const EXPIRED: usize = 20_000;
    let log = open().await;
    log.append(entries(0..EXPIRED, 100)).await?;
    log.append(entries([EXPIRED], 200)).await?;
    let living = entries([EXPIRED], 200);
    for _ in 0..EXPIRED {
        let more = log.drop_expired(at(101)).await?;
        let first = page(&log, LogCursor::START, 1).await?.entries;
        equal(
            more,
            first != living,
            format_args!("whether more can be dropped, where the first is {first:?}"),
        )?;
        if !more {
            let (left, _) = read_on(&log, LogCursor::START, 4096).await?;
            return equal(left, living, "the entries that have not expired");
        }
    }
    ensure(false, format_args!("after {EXPIRED} calls of `drop_expired`, one for each entry, some are left"))
}

pub async fn a_clock_before_the_epoch_drops_no_entry<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = open().await;
    log.append(entries(0..3, 0)).await?;
    log.append(entries(3..6, 100)).await?;
    for now in before_the_epoch() {
        equal(log.drop_expired(now).await?, false, format_args!("whether there is more to drop at {now:?}"))?;
        equal(read_on(&log, LogCursor::START, 10).await?.0.len(), 6, format_args!("the entries at {now:?}"))?;
    }
    Ok(())
}

pub async fn the_confirmed_time_is_remembered_if_any_is<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let log = open().await;
    equal(log.confirmed_time().await?, None, "the confirmed time of a new store")?;
    for time in [at(100), at(4_000_000_000), at(50)] {
        log.set_confirmed_time(time).await?;
        let remembered = log.confirmed_time().await?;
        // The default remembers none.
        ensure(
            remembered.is_none_or(|remembered| remembered == time),
            format_args!("after `set_confirmed_time({time:?})` the confirmed time is {remembered:?}"),
        )?;
    }
    Ok(())
}

pub async fn a_store_that_can_be_written_says_so<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = open().await;
    for round in 0..3 {
        log.check_writable().await?;
        log.append(entries([round], 100)).await?;
    }
    Ok(())
}

pub async fn the_clock_of_the_store_shows_the_time<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    const DAY: Duration = Duration::from_secs(86_400);
    let log = open().await;
    let Some(time) = page(&log, LogCursor::START, 1).await?.store_time else { return Ok(()) };
    let now = SystemTime::now();
    // A wrong unit or a time zone, and not a clock that is off by minutes.
    let difference = now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or(Duration::MAX);
    ensure(
        difference < DAY / 48,
        format_args!("`store_time` is {time:?}, and this machine's clock shows {now:?}"),
    )
}
