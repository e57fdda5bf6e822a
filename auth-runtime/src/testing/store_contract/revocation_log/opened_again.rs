//! What a durable log has when it is opened again.

use super::*;

pub async fn entries_are_there_when_it_is_opened_again<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let log = open().await;
    log.append(entries(0..10, 100)).await?;
    log.append(entries(10..20, 200)).await?;
    let before = read_on(&log, LogCursor::START, 7).await?;
    let half = page(&log, LogCursor::START, 10).await?.cursor;
    drop(log);

    let log = open().await;
    equal(read_on(&log, LogCursor::START, 7).await?, before, "the log after it was opened again")?;
    equal(read_on(&log, half, 7).await?.0, entries(10..20, 200), "the entries after a cursor of before")?;
    equal(log.drop_expired(at(101)).await?, false, "whether there is more to drop")?;
    drop(log);

    let left = read_on(&open().await, LogCursor::START, 7).await?.0;
    equal(left, entries(10..20, 200), "the log after some were dropped and it was opened again")
}

pub async fn the_confirmed_time_is_there_when_it_is_opened_again<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let log = open().await;
    log.set_confirmed_time(at(100)).await?;
    drop(log);
    equal(
        open().await.confirmed_time().await?,
        Some(at(100)),
        "the confirmed time after the store was opened again",
    )
}

pub async fn cursors_go_on_when_it_is_opened_again<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = open().await;
    log.append(entries(0..3, 100)).await?;
    let (_, cursor) = read_on(&log, LogCursor::START, 7).await?;
    equal(log.drop_expired(at(101)).await?, false, "whether there is more to drop")?;
    drop(log);

    let log = open().await;
    equal(
        after(&log, cursor).await?,
        Some(vec![]),
        "what is after the last dropped entry, whose cursor is known",
    )?;
    let first = LogCursor { sequence: cursor.sequence - 1, tag: tag(1) };
    equal(after(&log, first).await?, None, "what is after a dropped entry that is not the last")?;
    log.append(entries(3..6, 200)).await?;
    equal(read_on(&log, cursor, 7).await?.0, entries(3..6, 200), "the entries after a cursor of before")
}
