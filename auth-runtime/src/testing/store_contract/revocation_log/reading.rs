//! What was appended is read: all of it, in its order.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;

/// How long a wake-up is waited for. It fails the test, and a store that wakes takes no part of it.
const LONG: Duration = Duration::from_secs(60);

pub async fn entries_come_back_in_order_and_in_pages<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = open().await;
    equal(read_on(&log, LogCursor::START, 10).await?, (vec![], LogCursor::START), "all of a new log")?;
    for batch in [0..4, 4..4, 4..5, 5..10] {
        log.append(entries(batch, 100)).await?;
    }
    for limit in [1, 3, 5, 10, 4096] {
        let (read, _) = read_on(&log, LogCursor::START, limit).await?;
        equal(read, entries(0..10, 100), format_args!("the log in pages of {limit}"))?;
    }
    let first = page(&log, LogCursor::START, 4).await?.entries;
    equal(first, entries(0..4, 100), "the first page of 4 entries, where there are more")
}

pub async fn a_cursor_yields_exactly_what_is_after_it<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let log = open().await;
    log.append(entries(0..10, 100)).await?;
    let mut cursor = LogCursor::START;
    for next in 0..10 {
        let (read, _) = read_on(&log, cursor, 4).await?;
        equal(read, entries(next..10, 100), format_args!("the entries after {cursor:?}"))?;
        cursor = page(&log, cursor, 1).await?.cursor;
    }
    equal(read_on(&log, cursor, 4).await?, (vec![], cursor), "the entries after the last")?;
    log.append(entries(10..12, 100)).await?;
    equal(read_on(&log, cursor, 4).await?.0, entries(10..12, 100), "the entries that were appended since")
}

pub async fn an_entry_comes_back_as_it_was<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = open().await;
    let bytes: [Vec<u8>; 6] = [
        vec![],
        vec![0],
        (0..=u8::MAX).collect(),
        "é 🦀 '; drop table log --".into(),
        vec![0xff; 64 * 1024],
        b"{\"v\":1}".to_vec(),
    ];
    let tags = [1, LARGE, LARGE + 1, u64::MAX, 0, 42];
    let times = [0, 1, 1_900_000_000, 4_102_444_800, 32_503_680_000, 253_402_300_799];
    let mut expected = Vec::new();
    for ((bytes, tag), keep_until) in bytes.into_iter().zip(tags).zip(times) {
        expected.push(LogEntry { tag, keep_until: at(keep_until), bytes });
    }
    // An append that failed is repeated, and may have succeeded: no tag is unique.
    expected.extend([entry(7, 100), entry(7, 100)]);
    log.append(expected.clone()).await?;
    log.append(vec![entry(7, 100)]).await?;
    expected.push(entry(7, 100));
    let (read, _) = read_on(&log, LogCursor::START, 3).await?;
    equal(read.len(), expected.len(), "the number of entries")?;
    for (found, expected) in read.iter().zip(&expected) {
        equal(&found.bytes, &expected.bytes, "the bytes of an entry")?;
        equal(found, expected, "an entry with these bytes")?;
    }
    Ok(())
}

pub async fn an_append_is_readable_at_once_and_whole<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    const BATCH: usize = 1000;
    let log = Arc::new(open().await);
    let mut tasks = JoinSet::new();
    for writer in 0..4 {
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            let mut cursor = LogCursor::START;
            for round in 0..10 {
                let own = writer * 100 + round;
                log.append(entries([own; BATCH], 100)).await?;
                let LogRead::Page(page) = log.read(cursor, 1_000_000).await? else { return Ok(None) };
                let mut read = BTreeMap::new();
                for entry in &page.entries {
                    *read.entry(number_of(entry)).or_insert(0) += 1;
                }
                if !read.contains_key(&own) || read.values().any(|count| *count != BATCH) {
                    return Ok(Some((own, read)));
                }
                cursor = page.cursor;
            }
            Ok(Some((0, BTreeMap::new())))
        });
    }
    for found in all(tasks).await? {
        let (own, read) = found.ok_or_else(|| Broken("a cursor of the log is `AnotherHistory`".into()))?;
        ensure(
            read.is_empty(),
            format_args!(
                "after append {own} of {BATCH} entries was acknowledged, `read` has these, by append: {read:?}"
            ),
        )?;
    }
    Ok(())
}

/// In some stores transactions end in another order than their numbers.
pub async fn a_reader_beside_writers_misses_nothing<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    const WRITERS: usize = 8;
    const EACH: usize = 40;
    let log = Arc::new(open().await);
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            for number in 0..EACH {
                log.append(vec![entry(writer * EACH + number, 100)]).await?;
            }
            Ok::<_, StoreError>(())
        });
    }
    let (mut read, mut cursor) = (Vec::new(), LogCursor::START);
    loop {
        // Asked before reading: what was appended by then has to be found.
        let is_last = tasks.is_empty();
        let (new, last) = read_on(&*log, cursor, 7).await?;
        read.extend(new);
        cursor = last;
        if is_last {
            break;
        }
        while let Some(ended) = tasks.try_join_next() {
            ended??;
        }
        tokio::task::yield_now().await;
    }
    let (there, _) = read_on(&*log, LogCursor::START, 4096).await?;
    equal(there.len(), WRITERS * EACH, "the entries in the log when all writers have ended")?;
    equal(read.len(), there.len(), "the entries that a reader got while others wrote")?;
    ensure(
        read == there,
        "a reader that read while others wrote got the entries in another order than one that reads now",
    )?;
    for writer in 0..WRITERS {
        let of_writer = |entry: &LogEntry| number_of(entry) / EACH == writer;
        let own: Vec<_> = read.iter().filter(|entry| of_writer(entry)).cloned().collect();
        equal(
            own,
            entries(writer * EACH..(writer + 1) * EACH, 100),
            "the entries of one writer, which appended one by one",
        )?;
    }
    Ok(())
}

pub async fn a_wait_ends_when_there_are_entries<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = Arc::new(open().await);
    log.append(entries(0..3, 100)).await?;
    let woken =
        |cursor, log: Arc<S>| async move { timeout(LONG, log.wait_for_entries(cursor)).await.is_ok() };
    equal(
        woken(LogCursor::START, Arc::clone(&log)).await,
        true,
        "whether a wait ends if there are entries already",
    )?;
    for round in 3..10 {
        let (_, end) = read_on(&*log, LogCursor::START, 100).await?;
        // One that is dropped has no effect on the next.
        let mut dropped = log.wait_for_entries(end);
        poll_fn(|context| {
            let _ = dropped.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
        drop(dropped);
        let waiting = tokio::spawn(woken(end, Arc::clone(&log)));
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        log.append(entries([round], 100)).await?;
        equal(waiting.await?, true, "whether a wait ends within a minute after an append")?;
    }
    Ok(())
}

pub async fn a_wait_does_not_end_before_there_are_entries<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let log = open().await;
    log.append(entries(0..1, 100)).await?;
    let (_, end) = read_on(&log, LogCursor::START, 4).await?;
    let mut waiting = log.wait_for_entries(end);
    for _ in 0..100 {
        let has_ended = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_ready())).await;
        ensure(!has_ended, format_args!("there is nothing after {end:?}, and the wait has ended"))?;
        tokio::task::yield_now().await;
    }
    log.append(entries(1..2, 100)).await?;
    equal(read_on(&log, end, 4).await?.0, entries(1..2, 100), "the entries while a wait is there")
}
