//! What a log of revocations must keep.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::revocation::Revocation;
use auth_runtime::store::{LoggedRevocation, RevocationLog};
use tokio::task::JoinSet;

use super::odd_strings;

pub(super) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(super) fn entry(token_id: impl ToString, keep_until: u64) -> LoggedRevocation {
    let revocation = Revocation::Token { issuer: "i".into(), token_id: token_id.to_string() };
    LoggedRevocation { revocation, keep_until: at(keep_until) }
}

pub(super) fn entries(ids: impl IntoIterator<Item = usize>, keep_until: u64) -> Vec<LoggedRevocation> {
    ids.into_iter().map(|id| entry(id, keep_until)).collect()
}

fn token_id(entry: &LoggedRevocation) -> &str {
    match &entry.revocation {
        Revocation::Token { token_id, .. } => token_id,
        other => panic!("{other:?} is of no token"),
    }
}

/// All that is there behind a cursor, read in pages, and the last cursor.
pub(super) async fn read_on(
    log: &impl RevocationLog,
    mut after: u64,
    limit: usize,
) -> (Vec<LoggedRevocation>, u64) {
    let mut all = Vec::new();
    loop {
        let page = log.read(after, limit).await.unwrap();
        assert!(page.entries.len() <= limit);
        if page.entries.is_empty() {
            assert_eq!(page.cursor, after, "of a page with nothing in it");
            return (all, after);
        }
        assert!(page.cursor > after, "{} is not behind {after}", page.cursor);
        all.extend(page.entries);
        after = page.cursor;
    }
}

pub(super) async fn entries_come_back_in_order_and_in_pages<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    assert_eq!(read_on(&log, 0, 10).await, (vec![], 0), "of a new log");
    for batch in [0..4, 4..4, 4..5, 5..10] {
        log.append(entries(batch, 100)).await.unwrap();
    }
    for limit in [1, 3, 5, 10, 4096] {
        assert_eq!(read_on(&log, 0, limit).await.0, entries(0..10, 100), "in pages of {limit}");
    }
    assert_eq!(log.read(0, 4).await.unwrap().entries, entries(0..4, 100), "as many as fit");
}

pub(super) async fn a_cursor_never_yields_what_lies_before_it<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    log.append(entries(0..10, 100)).await.unwrap();
    let mut cursor = 0;
    for next in 0..10 {
        assert_eq!(read_on(&log, cursor, 4).await.0, entries(next..10, 100));
        cursor = log.read(cursor, 1).await.unwrap().cursor;
    }
    for beyond in [cursor, cursor + 1, u64::MAX >> 1] {
        assert_eq!(read_on(&log, beyond, 4).await, (vec![], beyond));
    }
}

pub(super) async fn cursors_go_on_when_everything_was_dropped<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    let mut cursor = 0;
    for round in 0..3 {
        log.append(entries([round, round + 10], 100)).await.unwrap();
        let (read, last) = read_on(&log, cursor, 10).await;
        assert_eq!(read, entries([round, round + 10], 100), "of round {round}");
        assert!(!log.drop_expired(at(101)).await.unwrap());
        assert_eq!(read_on(&log, 0, 10).await, (vec![], 0));
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
            let mut cursor = 0;
            for round in 0..10 {
                let batch = entries([writer * 100 + round; BATCH], 100);
                log.append(batch.clone()).await.unwrap();
                let page = log.read(cursor, usize::MAX).await.unwrap();
                let mut read = BTreeMap::new();
                for entry in &page.entries {
                    *read.entry(token_id(entry)).or_insert(0) += 1;
                }
                assert!(read.contains_key(token_id(&batch[0])), "it can't be read");
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
    let (mut read, mut cursor) = (Vec::new(), 0);
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
    assert_eq!(read, read_on(&*log, 0, 4096).await.0, "what was read on the way, and what is there");
    for writer in 0..WRITERS {
        let prefix = format!("{writer} ");
        let own = read.iter().filter(|entry| token_id(entry).starts_with(&prefix));
        let expected = (0..EACH).map(|number| entry(format!("{writer} {number}"), 100));
        assert_eq!(own.cloned().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}

pub(super) async fn every_revocation_comes_back_as_it_was<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    let mut all = Vec::new();
    for issuer in odd_strings() {
        for id in odd_strings() {
            let issuer = || issuer.clone();
            let [token_id, session_id, subject, logged_out, forgotten] = [0; 5].map(|_| id.clone());
            let generation = u32::MAX - all.len() as u32;
            let issued_at_or_before = at(1_900_000_000 + all.len() as u64);
            all.extend([
                Revocation::Token { issuer: issuer(), token_id },
                Revocation::Session { issuer: issuer(), session_id },
                Revocation::User { issuer: issuer(), subject, issued_at_or_before },
                Revocation::OtherGenerations { issuer: issuer(), subject: logged_out, generation },
                Revocation::Forgotten { issuer: issuer(), subject: forgotten },
            ]);
        }
    }
    let logged = |(number, revocation)| LoggedRevocation { revocation, keep_until: at(number) };
    let all: Vec<_> = (0..).zip(all).map(logged).collect();
    log.append(all.clone()).await.unwrap();
    assert_eq!(read_on(&log, 0, 10).await.0, all);
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
        assert_eq!(read_on(&log, 0, 3).await.0, expected, "at {now}");
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
        let first = log.read(0, 1).await.unwrap().entries;
        assert_eq!(more, first != living, "more are left: {more}, and the first is {first:?}");
        if !more {
            assert_eq!(read_on(&log, 0, 4096).await.0, living);
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
        assert_eq!(read_on(&log, 0, 10).await.0.len(), 6, "at {now:?}");
    }
}
