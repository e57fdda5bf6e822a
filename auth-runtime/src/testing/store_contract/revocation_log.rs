//! What a log of revocations must do.

mod history;
mod opened_again;
mod reading;
mod retention;

pub use self::history::*;
pub use self::opened_again::*;
pub use self::reading::*;
pub use self::retention::*;
use super::{Broken, Checked, all, at, ensure, equal};
use crate::store::{LogCursor, LogEntry, LogPage, LogRead, RevocationLog, StoreError};

/// As large as a signed number of 64 bits can be.
const LARGE: u64 = u64::MAX >> 1;

fn entry(number: usize, keep_until: u64) -> LogEntry {
    let bytes = format!("entry {number}").into_bytes();
    LogEntry { tag: tag(number), keep_until: at(keep_until), bytes }
}

/// A tag that looks like a random number, a different one for each number.
fn tag(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The number that [`entry`] made it from, by its tag: the factor is the inverse modulo 2^64 of that in [`tag`].
fn number_of(entry: &LogEntry) -> usize {
    usize::try_from(entry.tag.wrapping_mul(0xF1DE_83E1_9937_733D).wrapping_sub(1)).unwrap_or(usize::MAX)
}

fn entries(numbers: impl IntoIterator<Item = usize>, keep_until: u64) -> Vec<LogEntry> {
    numbers.into_iter().map(|number| entry(number, keep_until)).collect()
}

async fn page(log: &impl RevocationLog, after: LogCursor, limit: usize) -> Result<LogPage, Broken> {
    match log.read(after, limit).await? {
        LogRead::Page(page) => Ok(page),
        LogRead::AnotherHistory => Err(Broken(format!("`read` after {after:?} is `AnotherHistory`"))),
    }
}

/// Whether a cursor is known, and which entries are after it.
async fn after(log: &impl RevocationLog, cursor: LogCursor) -> Result<Option<Vec<LogEntry>>, Broken> {
    Ok(match log.read(cursor, 10_000).await? {
        LogRead::Page(page) => Some(page.entries),
        LogRead::AnotherHistory => None,
    })
}

/// All entries after a cursor, read in pages, and their cursors.
async fn read_on(
    log: &impl RevocationLog,
    mut after: LogCursor,
    limit: usize,
) -> Result<(Vec<LogEntry>, LogCursor), Broken> {
    let mut read = Vec::new();
    loop {
        let page = page(log, after, limit).await?;
        ensure(
            page.entries.len() <= limit,
            format_args!("a page of {} entries with the limit {limit}", page.entries.len()),
        )?;
        let Some(last) = page.entries.last() else {
            equal(page.cursor, after, "the cursor of a page without entries, which is the requested one")?;
            return Ok((read, after));
        };
        equal(page.cursor.tag, last.tag, "the tag in the cursor of a page, which is that of its last entry")?;
        ensure(
            page.cursor.sequence > after.sequence,
            format_args!("the page after {after:?} has the cursor {:?}", page.cursor),
        )?;
        after = page.cursor;
        read.extend(page.entries);
    }
}

/// The cursor of each entry.
async fn cursors(log: &impl RevocationLog) -> Result<Vec<LogCursor>, Broken> {
    let (mut cursors, mut cursor) = (Vec::new(), LogCursor::START);
    loop {
        let page = page(log, cursor, 1).await?;
        if page.entries.is_empty() {
            return Ok(cursors);
        }
        cursor = page.cursor;
        cursors.push(cursor);
    }
}
