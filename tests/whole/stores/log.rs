//! What a log of revocations must keep.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::store::{LogCursor, LogEntry, LogPage, LogRead, RevocationLog};
use tokio::task::JoinSet;

use super::odd_strings;

pub(super) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An entry that says its name. Its tag is that of the name, so that two entries of one name are equal.
pub(super) fn entry(name: impl ToString, keep_until: u64) -> LogEntry {
    let name = name.to_string();
    let tag = name.bytes().fold(1_u64 << 63, |tag, byte| tag.wrapping_mul(31).wrapping_add(byte.into()));
    LogEntry { tag, keep_until: at(keep_until), bytes: name.into_bytes() }
}

pub(super) fn entries(ids: impl IntoIterator<Item = usize>, keep_until: u64) -> Vec<LogEntry> {
    ids.into_iter().map(|id| entry(id, keep_until)).collect()
}

fn name(entry: &LogEntry) -> &str {
    std::str::from_utf8(&entry.bytes).unwrap()
}

pub(super) async fn page(log: &impl RevocationLog, after: LogCursor, limit: usize) -> LogPage {
    let read = log.read(after, limit).await.unwrap();
    read.page().unwrap_or_else(|| {
        panic!("{after:?} is of this log, and the store says that it is of another history")
    })
}

/// All that is there behind a cursor, read in pages, and the last cursor.
pub(super) async fn read_on(
    log: &impl RevocationLog,
    mut after: LogCursor,
    limit: usize,
) -> (Vec<LogEntry>, LogCursor) {
    let mut all = Vec::new();
    loop {
        let page = page(log, after, limit).await;
        assert!(page.entries.len() <= limit);
        let Some(last) = page.entries.last() else {
            assert_eq!(page.cursor, after, "of a page with nothing in it");
            return (all, after);
        };
        assert!(page.cursor.sequence > after.sequence, "{:?} is not behind {after:?}", page.cursor);
        assert_eq!(page.cursor.tag, last.tag, "the cursor is that of the last entry");
        all.extend(page.entries);
        after = page.cursor;
    }
}

pub(super) async fn entries_come_back_in_order_and_in_pages<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    assert_eq!(read_on(&log, LogCursor::START, 10).await, (vec![], LogCursor::START), "of a new log");
    for batch in [0..4, 4..4, 4..5, 5..10] {
        log.append(entries(batch, 100)).await.unwrap();
    }
    for limit in [1, 3, 5, 10, 4096] {
        assert_eq!(
            read_on(&log, LogCursor::START, limit).await.0,
            entries(0..10, 100),
            "in pages of {limit}"
        );
    }
    assert_eq!(page(&log, LogCursor::START, 4).await.entries, entries(0..4, 100), "as many as fit");
}

pub(super) async fn a_cursor_never_yields_what_lies_before_it<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    log.append(entries(0..10, 100)).await.unwrap();
    let mut cursor = LogCursor::START;
    for next in 0..10 {
        assert_eq!(read_on(&log, cursor, 4).await.0, entries(next..10, 100));
        cursor = page(&log, cursor, 1).await.cursor;
    }
    assert_eq!(read_on(&log, cursor, 4).await, (vec![], cursor));
}

/// The entry at a position is known by its tag: a store that was set back, and written on, has another there.
pub(super) async fn a_cursor_of_another_history_is_found_out<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    let other = |sequence, tag| LogCursor { sequence, tag };
    for unknown in [other(1, 7), other(0, 7), other(u64::MAX >> 1, 7)] {
        assert_eq!(log.read(unknown, 4).await.unwrap(), LogRead::AnotherHistory, "{unknown:?} of a new log");
    }
    log.append(entries(0..2, 100)).await.unwrap();
    log.append(entries(2..4, 200)).await.unwrap();
    let first = page(&log, LogCursor::START, 1).await.cursor;
    let second = page(&log, first, 1).await.cursor;
    let (_, last) = read_on(&log, second, 4).await;
    let is_known = async |cursor| log.read(cursor, 4).await.unwrap() != LogRead::AnotherHistory;
    for known in [first, second, last] {
        assert!(is_known(known).await, "{known:?}");
        assert!(!is_known(other(known.sequence, known.tag ^ 1)).await, "{known:?} with another tag");
    }
    assert!(!is_known(other(last.sequence + 1, last.tag)).await, "behind the last");

    // Of those that were dropped, the last is known: a reader that has read everything finds nothing new.
    assert!(!log.drop_expired(at(101)).await.unwrap());
    for (cursor, expected) in [(first, false), (second, true), (other(second.sequence, first.tag), false)] {
        assert_eq!(
            is_known(cursor).await,
            expected,
            "{cursor:?}, of {first:?} and {second:?}, which were dropped"
        );
    }
    assert!(is_known(last).await && is_known(LogCursor::START).await);
    assert!(!log.drop_expired(at(201)).await.unwrap());
    assert!(is_known(last).await && !is_known(second).await, "all were dropped");
    log.append(entries(4..5, 300)).await.unwrap();
    assert_eq!(read_on(&log, last, 4).await.0, entries(4..5, 300));
}

/// One with a long time can be before one with a short time, which is dropped first.
pub(super) async fn the_last_that_was_dropped_is_that_with_the_highest_sequence<L: RevocationLog>(
    open: impl AsyncFn() -> L,
) {
    let log = open().await;
    log.append(vec![entry("long", 300), entry("short", 100)]).await.unwrap();
    let (_, last) = read_on(&log, LogCursor::START, 4).await;
    for now in [101, 301] {
        assert!(!log.drop_expired(at(now)).await.unwrap());
        assert_eq!(read_on(&log, last, 4).await, (vec![], last), "at {now}");
    }
}

/// A wake-up is a hint, and comes only if there is something: a reader that is woken for nothing would read for ever.
pub(super) async fn a_wake_up_comes_only_for_new_entries<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    log.append(entries(0..1, 100)).await.unwrap();
    let (_, last) = read_on(&log, LogCursor::START, 4).await;
    let mut woken = log.wait_for_entries(last);
    for _ in 0..100 {
        let is_woken =
            tokio::select! { biased; () = &mut woken => true, () = tokio::task::yield_now() => false };
        assert!(!is_woken, "there is nothing behind {last:?}");
    }
    log.append(entries(1..2, 100)).await.unwrap();
    assert_eq!(read_on(&log, last, 4).await.0, entries(1..2, 100), "with a wake-up or without");
}

/// The store's clock shows what it shows: a reader compares it with its own.
pub(super) async fn the_store_s_clock_is_near_that_of_this_machine_if_it_has_one<L: RevocationLog>(
    open: impl AsyncFn() -> L,
) {
    let log = open().await;
    let before = SystemTime::now();
    let shown = page(&log, LogCursor::START, 4).await.store_time;
    let margin = Duration::from_secs(60 * 60);
    let is_near = |shown| before - margin < shown && shown < SystemTime::now() + margin;
    assert!(shown.is_none_or(is_near), "{shown:?}");
}

pub(super) async fn cursors_go_on_when_everything_was_dropped<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    let mut cursor = LogCursor::START;
    for round in 0..3 {
        log.append(entries([round, round + 10], 100)).await.unwrap();
        let (read, last) = read_on(&log, cursor, 10).await;
        assert_eq!(read, entries([round, round + 10], 100), "of round {round}");
        assert!(!log.drop_expired(at(101)).await.unwrap());
        assert_eq!(read_on(&log, LogCursor::START, 10).await, (vec![], LogCursor::START));
        cursor = last;
    }
}

pub(super) async fn an_append_is_readable_at_once_and_whole<L: RevocationLog>(open: impl AsyncFn() -> L) {
    const BATCH: usize = 1000;
    let log = Arc::new(open().await);
    let mut tasks = JoinSet::new();
    for writer in 0..4 {
        let log = log.clone();
        tasks.spawn(async move {
            let mut cursor = LogCursor::START;
            for round in 0..10 {
                let batch = entries([writer * 100 + round; BATCH], 100);
                log.append(batch.clone()).await.unwrap();
                let page = page(&*log, cursor, 1_000_000).await;
                let mut read = BTreeMap::new();
                for entry in &page.entries {
                    *read.entry(name(entry)).or_insert(0) += 1;
                }
                assert!(read.contains_key(name(&batch[0])), "it can't be read");
                assert!(read.values().all(|&count| count == BATCH), "a part of one was read: {read:?}");
                cursor = page.cursor;
            }
        });
    }
    tasks.join_all().await;
}

/// In some stores transactions end in another order than their numbers.
pub(super) async fn a_reader_beside_writers_misses_nothing<L: RevocationLog>(open: impl AsyncFn() -> L) {
    const WRITERS: usize = 8;
    const EACH: usize = 40;
    let log = Arc::new(open().await);
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let log = log.clone();
        tasks.spawn(async move {
            for number in 0..EACH {
                log.append(vec![entry(format!("{writer} {number}"), 100)]).await.unwrap();
            }
        });
    }
    let (mut read, mut cursor) = (Vec::new(), LogCursor::START);
    loop {
        // Asked before reading: what was appended by then has to be found.
        let is_last = tasks.is_empty();
        let (new, last) = read_on(&*log, cursor, 7).await;
        read.extend(new);
        cursor = last;
        if is_last {
            break;
        }
        while tasks.try_join_next().is_some_and(|ended| ended.is_ok()) {}
        tokio::task::yield_now().await;
    }
    assert_eq!(read.len(), WRITERS * EACH);
    assert_eq!(
        read,
        read_on(&*log, LogCursor::START, 4096).await.0,
        "what was read on the way, and what is there"
    );
    for writer in 0..WRITERS {
        let prefix = format!("{writer} ");
        let own = read.iter().filter(|entry| name(entry).starts_with(&prefix));
        let expected = (0..EACH).map(|number| entry(format!("{writer} {number}"), 100));
        assert_eq!(own.cloned().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}

/// Bytes of any values, tags of any bits, and times far ahead.
pub(super) async fn every_entry_comes_back_as_it_was<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    let texts = odd_strings().into_iter().map(String::into_bytes);
    let bytes = texts.chain([vec![], (0..=u8::MAX).collect(), vec![0xFF; 64 * 1024]]);
    let tags = [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1].into_iter().cycle();
    let all = bytes.zip(tags).zip([0, 1, 4_000_000_000, 253_402_300_799].into_iter().cycle());
    let all: Vec<_> = all.map(|((bytes, tag), time)| LogEntry { tag, keep_until: at(time), bytes }).collect();
    log.append(all.clone()).await.unwrap();
    assert_eq!(read_on(&log, LogCursor::START, 3).await.0, all);
}

pub(super) async fn only_entries_that_expired_before_now_are_dropped<L: RevocationLog>(
    open: impl AsyncFn() -> L,
) {
    let log = open().await;
    assert!(!log.drop_expired(at(1000)).await.unwrap(), "nothing to drop");
    let times = [101, 99, 100, 300, 100, 200, 1, 99];
    log.append((0_usize..).zip(times).map(|(id, time)| entry(id, time)).collect()).await.unwrap();
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
        assert!(!log.drop_expired(at(now)).await.unwrap());
        let expected: Vec<_> = left.iter().map(|&id| entry(id, times[id])).collect();
        assert_eq!(read_on(&log, LogCursor::START, 3).await.0, expected, "at {now}");
    }
}

pub(super) async fn dropping_entries_says_whether_more_are_left_and_ends<L: RevocationLog>(
    open: impl AsyncFn() -> L,
) {
    // Whole batches of the stores here.
    const EXPIRED: usize = 20_000;
    let log = open().await;
    log.append(entries(0..EXPIRED, 100)).await.unwrap();
    log.append(entries([EXPIRED], 200)).await.unwrap();
    let living = entries([EXPIRED], 200);
    for _ in 0..EXPIRED {
        let more = log.drop_expired(at(101)).await.unwrap();
        let first = page(&log, LogCursor::START, 1).await.entries;
        assert_eq!(more, first != living, "more are left: {more}, and the first is {first:?}");
        if !more {
            assert_eq!(read_on(&log, LogCursor::START, 4096).await.0, living);
            return;
        }
    }
    panic!("as many calls as entries, and some are left");
}

/// A store that remembers no time has the default, and then nothing is dropped in the first hour after a start.
pub(super) async fn the_confirmed_time_is_remembered_if_any_is<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    assert_eq!(log.confirmed_time().await.unwrap(), None);
    for time in [at(100), at(4_000_000_000), at(50)] {
        log.set_confirmed_time(time).await.unwrap();
        let remembered = log.confirmed_time().await.unwrap();
        assert!(remembered.is_none_or(|remembered| remembered == time), "{remembered:?}");
    }
    log.check_writable().await.unwrap();
}

pub(super) async fn a_clock_before_the_epoch_drops_no_entry<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    log.append(entries(0..3, 0)).await.unwrap();
    log.append(entries(3..6, 100)).await.unwrap();
    for now in [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH - Duration::from_nanos(1), UNIX_EPOCH] {
        assert!(!log.drop_expired(now).await.unwrap());
        assert_eq!(read_on(&log, LogCursor::START, 10).await.0.len(), 6, "at {now:?}");
    }
}
