//! A cursor is of this log, or of another history.

use super::*;

pub async fn a_cursor_of_another_history_is_noticed<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = open().await;
    let unknown = LogCursor { sequence: 1, tag: 1 };
    equal(after(&log, LogCursor::START).await?, Some(vec![]), "what is after the start of an empty log")?;
    equal(after(&log, unknown).await?, None, format_args!("what is after {unknown:?} in an empty log"))?;
    log.append(entries(0..4, 100)).await?;
    let known = cursors(&log).await?;
    equal(known.len(), 4, "the cursors of 4 entries")?;
    for (number, cursor) in known.iter().enumerate() {
        let expected = entries(number + 1..4, 100);
        equal(after(&log, *cursor).await?, Some(expected), format_args!("what is after {cursor:?}"))?;
        for tag in [cursor.tag ^ 1, cursor.tag ^ (1 << 63), 0, tag(number + 1)] {
            let other = LogCursor { tag, ..*cursor };
            equal(
                after(&log, other).await?,
                None,
                format_args!("what is after {other:?}, a tag that {cursor:?} has not"),
            )?;
        }
    }
    let last = known.last().copied().unwrap_or(LogCursor::START);
    for sequence in [last.sequence + 1, last.sequence + 100, LARGE] {
        for tag in [last.tag, 0, 1] {
            let beyond = LogCursor { sequence, tag };
            equal(
                after(&log, beyond).await?,
                None,
                format_args!("what is after {beyond:?}, beyond the last {last:?}"),
            )?;
        }
    }
    equal(
        after(&log, LogCursor { sequence: 0, tag: 1 }).await?,
        None,
        "what is after sequence 0 with a tag",
    )?;
    equal(after(&log, LogCursor::START).await?, Some(entries(0..4, 100)), "what is after the start")
}

pub async fn of_dropped_entries_the_last_is_known<S: RevocationLog>(open: impl AsyncFn() -> S) -> Checked {
    let log = open().await;
    // Dropped in another order than they were appended.
    let times = [100, 300, 200, 400, 250];
    log.append((0..).zip(times).map(|(number, time)| entry(number, time)).collect()).await?;
    let known = cursors(&log).await?;
    for (now, rest, known_now) in [
        (100, &[0, 1, 2, 3, 4][..], &[0, 1, 2, 3, 4][..]),
        // The last of the dropped is known, also when one before it is dropped later.
        (201, &[1, 3, 4], &[1, 2, 3, 4]),
        (251, &[1, 3], &[1, 3, 4]),
        (301, &[3], &[3, 4]),
        (401, &[], &[4]),
    ] {
        equal(log.drop_expired(at(now)).await?, false, "whether there is more to drop")?;
        let rest: Vec<_> =
            rest.iter().filter_map(|number| Some(entry(*number, *times.get(*number)?))).collect();
        equal(
            after(&log, LogCursor::START).await?,
            Some(rest.clone()),
            format_args!("what is after the start at {now}"),
        )?;
        for (number, cursor) in known.iter().enumerate() {
            let later = rest.iter().filter(|entry| number_of(entry) > number).cloned().collect();
            let expected = known_now.contains(&number).then_some(later);
            equal(
                after(&log, *cursor).await?,
                expected,
                format_args!(
                    "what is after entry {number} at {now}, of entries that are kept until {times:?}"
                ),
            )?;
        }
    }
    let floor = known.last().copied().unwrap_or(LogCursor::START);
    let other = LogCursor { tag: floor.tag ^ 1, ..floor };
    equal(after(&log, other).await?, None, "what is after the last dropped entry, with another tag")
}

pub async fn sequences_go_on_when_everything_was_dropped<S: RevocationLog>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let log = open().await;
    let mut cursor = LogCursor::START;
    for round in 0..3 {
        log.append(entries([round, round + 10], 100)).await?;
        let (read, last) = read_on(&log, cursor, 10).await?;
        equal(read, entries([round, round + 10], 100), format_args!("what is new after {cursor:?}"))?;
        equal(log.drop_expired(at(101)).await?, false, "whether there is more to drop")?;
        let all = read_on(&log, LogCursor::START, 10).await?;
        equal(all, (vec![], LogCursor::START), "what is left when everything was dropped")?;
        cursor = last;
    }
    Ok(())
}
