//! How a page of revocations is read from the log: a bounded part of it, while entries at its head expire and are dropped.

use super::{RecordedRevocation, RevocationList, encode};
use crate::revocation::RevocationListError;
use crate::store::{LogCursor, LogEntry, RevocationLog, StoreError};

/// The maximum number of revocations in a page, and of entries in a read.
const PAGE: usize = 100;

/// How often the log is read for one page: much may be left out, and a request reads a bounded part of the log.
const READS: usize = 100;

/// How often a page is begun: where it has come to may be dropped before it reads on.
const ATTEMPTS: usize = 4;

/// The page that begins after this entry. `listed` makes of an entry what is listed of it.
pub(super) async fn read_page(
    log: &dyn RevocationLog,
    after: LogCursor,
    mut listed: impl FnMut(&LogEntry) -> Option<RecordedRevocation>,
) -> Result<RevocationList, RevocationListError> {
    for _ in 0..ATTEMPTS {
        if let Some(page) = try_page(log, after, &mut listed).await? {
            return Ok(page);
        }
    }
    Err(StoreError::new(format!(
        "entries of the log were dropped while a page of it was read, at each of {ATTEMPTS} attempts"
    ))
    .into())
}

/// `None` if the log does not have a position any more that it had a moment before. Only the caller's own can be an invalid one.
async fn try_page(
    log: &dyn RevocationLog,
    after: LogCursor,
    listed: &mut impl FnMut(&LogEntry) -> Option<RecordedRevocation>,
) -> Result<Option<RevocationList>, RevocationListError> {
    let (mut cursor, mut limit, mut revocations) = (after, PAGE, Vec::new());
    for _ in 0..READS {
        let Some(page) = log.read(cursor, limit).await?.page() else {
            return if cursor == after { Err(RevocationListError::InvalidCursor) } else { Ok(None) };
        };
        let found = page.entries.iter().enumerate();
        let found: Vec<_> =
            found.filter_map(|(index, entry)| listed(entry).map(|one| (index, one))).collect();
        if let Some((too_many, _)) = found.get(PAGE.saturating_sub(revocations.len())) {
            // A read that ends before it says where the next page begins.
            limit = *too_many;
            continue;
        }
        revocations.extend(found.into_iter().map(|(_, one)| one));
        if page.entries.len() < limit {
            return Ok(Some(RevocationList { revocations, next: None }));
        }
        (cursor, limit) = (page.cursor, PAGE);
        if revocations.len() >= PAGE {
            break;
        }
    }
    // One more shows whether there are more.
    let rest = log.read(cursor, 1).await?.page();
    Ok(rest.map(|rest| {
        let next = (!rest.entries.is_empty()).then(|| encode(cursor));
        RevocationList { revocations, next }
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::*;
    use crate::revocation::list::decode;
    use crate::store::{EntryMeaning, LogRead, LoggedRevocation, MemoryStore, Note, Revocation, StoreFuture};

    const ISSUER: &str = "i";

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// It is kept until the second of its number.
    fn entry(number: u64, issuer: &str) -> LogEntry {
        let revocation = Revocation::Token { issuer: issuer.into(), token_id: number.to_string() };
        let keep_until = at(number);
        LoggedRevocation { revocation, keep_until, tag: number, note: Note::default() }.to_entry()
    }

    fn listed(entry: &LogEntry) -> Option<RecordedRevocation> {
        let EntryMeaning::Known(revocation) = entry.meaning() else { return None };
        let kept_until = entry.keep_until;
        (revocation.issuer() == ISSUER).then_some(RecordedRevocation {
            revocation,
            recorded_at: None,
            subject: None,
            kept_until,
        })
    }

    fn ids(list: &RevocationList) -> Vec<u64> {
        list.revocations
            .iter()
            .map(|one| match &one.revocation {
                Revocation::Token { token_id, .. } => token_id.parse().unwrap(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// A log that drops, once it was read: the entries before these seconds, one after another.
    #[derive(Debug, Default)]
    struct DroppingLog {
        store: MemoryStore,
        drops: Vec<u64>,
        reads: AtomicUsize,
        entries_read: AtomicUsize,
    }

    impl DroppingLog {
        async fn of(entries: Vec<LogEntry>, drops: Vec<u64>) -> Self {
            let log = Self { drops, ..Self::default() };
            log.append(entries).await.unwrap();
            log
        }

        fn reads(&self) -> usize {
            self.reads.load(Ordering::SeqCst)
        }
    }

    impl RevocationLog for DroppingLog {
        fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
            RevocationLog::append(&self.store, entries)
        }

        fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
            let drop = self.drops.get(self.reads.fetch_add(1, Ordering::SeqCst)).copied();
            Box::pin(async move {
                let read = RevocationLog::read(&self.store, after, limit).await?;
                if let LogRead::Page(page) = &read {
                    self.entries_read.fetch_add(page.entries.len(), Ordering::SeqCst);
                }
                if let Some(before) = drop {
                    while RevocationLog::drop_expired(&self.store, at(before)).await? {}
                }
                Ok(read)
            })
        }

        fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
            RevocationLog::drop_expired(&self.store, before)
        }
    }

    /// Entries that expired are dropped between two reads of a page: what was read is of no use, and the page is read anew.
    #[tokio::test]
    async fn a_page_whose_entries_are_dropped_meanwhile_is_read_anew() {
        for (count, drops, expected) in [
            (250, vec![151], 151..=250),
            (250, vec![120, 151, 0, 151], 151..=250),
            (150, vec![120], 120..=150),
            (350, vec![120, 0, 240], 240..=339),
        ] {
            let entries = (1..=count).map(|number| entry(number, ISSUER)).collect();
            let log = DroppingLog::of(entries, drops.clone()).await;
            let page = read_page(&log, LogCursor::START, listed).await.unwrap();
            assert_eq!(ids(&page), expected.clone().collect::<Vec<_>>(), "{drops:?}");
            assert_eq!(page.next.is_some(), *expected.end() < count, "{drops:?}");
        }
    }

    #[tokio::test]
    async fn only_the_position_of_the_caller_can_be_an_invalid_one() {
        let entries = || (1..=600).map(|number| entry(number, ISSUER)).collect();
        let log = DroppingLog::of(entries(), vec![]).await;
        let first = read_page(&log, LogCursor::START, listed).await.unwrap();
        let after = decode(&first.next.unwrap()).unwrap();
        while RevocationLog::drop_expired(&log, at(300)).await.unwrap() {}
        let failed = read_page(&log, after, listed).await;
        assert!(matches!(failed, Err(RevocationListError::InvalidCursor)), "{failed:?}");

        // It is dropped anew at each attempt.
        let log = DroppingLog::of(entries(), vec![110, 0, 220, 0, 330, 0, 440, 0]).await;
        let Err(error @ RevocationListError::Unavailable(_)) =
            read_page(&log, LogCursor::START, listed).await
        else {
            panic!("a page")
        };
        assert!(error.to_string().contains("at each of 4 attempts"), "{error}");
        assert_eq!(log.reads(), 2 * ATTEMPTS);
        assert_eq!(ids(&read_page(&log, LogCursor::START, listed).await.unwrap())[0], 440);
    }

    /// A page that is nearly full reads on as far as an empty one does.
    #[tokio::test]
    async fn a_page_takes_few_reads_and_reads_a_bounded_part_of_the_log() {
        let mut entries: Vec<_> = (1..=99).map(|number| entry(number, ISSUER)).collect();
        entries.extend((100..=5_000).map(|number| entry(number, "other")));
        entries.extend((5_001..=5_150).map(|number| entry(number, ISSUER)));
        let log = DroppingLog::of(entries, vec![]).await;
        let page = read_page(&log, LogCursor::START, listed).await.unwrap();
        assert_eq!(ids(&page), (1..=99).chain([5_001]).collect::<Vec<_>>());
        // 50 of other entries, the one that has too many, the one that ends before them, and the one for the next page.
        assert_eq!(log.reads(), 53);
        let next = decode(&page.next.unwrap()).unwrap();
        let page = read_page(&log, next, listed).await.unwrap();
        assert_eq!(ids(&page), (5_002..=5_101).collect::<Vec<_>>());
        let last = read_page(&log, decode(&page.next.unwrap()).unwrap(), listed).await.unwrap();
        assert_eq!((ids(&last), last.next), ((5_102..=5_150).collect(), None));

        let others = (1..=10_001).map(|number| entry(number, "other")).collect();
        let log = DroppingLog::of(others, vec![]).await;
        let page = read_page(&log, LogCursor::START, listed).await.unwrap();
        assert_eq!((ids(&page), page.next.is_some()), (vec![], true));
        assert_eq!(log.entries_read.load(Ordering::SeqCst), 10_000 + 1);
    }
}
