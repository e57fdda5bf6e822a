//! Faults of a log of revocations.

use std::future::pending;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::store::{
    LogCursor, LogEntry, LogPage, LogRead, MemoryStore, RevocationLog, StoreError, StoreFuture, WakeUpFuture,
};
use tokio::task::yield_now;

use super::{Fault, Faulty, faults, losses};

faults! { revocation_log:
    entries_come_back_in_order_and_in_pages: ReadsBackwards, IgnoresTheLimit, LosesTheLastOfABatch;
    a_cursor_yields_exactly_what_is_after_it: LosesTheLastOfABatch, ReadsBackwards, ShowsAnEntryLater;
    an_entry_comes_back_as_it_was: CutsTexts, LosesTheSign, LosesTheLastOfABatch;
    a_cursor_of_another_history_is_noticed: AcceptsEveryCursor;
    of_dropped_entries_the_last_is_known: ForgetsTheLastDropped, AcceptsEveryCursor, DropsTooEarly;
    sequences_go_on_when_everything_was_dropped: StartsAgainWhenEmpty, ForgetsTheLastDropped;
    an_append_is_readable_at_once_and_whole: AppendsOneByOne, LosesTheLastOfABatch;
    a_reader_beside_writers_misses_nothing: ShowsAnEntryLater, LosesTheLastOfABatch;
    only_entries_that_have_expired_are_dropped: DropsTooEarly, DropsEverything;
    dropping_entries_says_whether_more_are_left_and_ends: NeverSaysMore, AlwaysSaysMore, DropsEverything;
    a_clock_before_the_epoch_drops_no_entry: TakesTimesWithoutTheSign, DropsEverything;
    the_confirmed_time_is_remembered_if_any_is: RemembersTheLatest;
    a_wait_does_not_end_before_there_are_entries: WakesForNothing;
    a_store_that_can_be_written_says_so: SaysItCannotBeWritten;
    the_clock_of_the_store_shows_the_time: ShowsMillisecondsAsSeconds;
}

/// Time is paused, so the minute of a wait passes at once.
mod paused {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_there_are_entries() {
        for fault in [Fault::NeverWakes, Fault::WakesOnlyWaiters] {
            let rule =
                auth_runtime::testing::store_contract::revocation_log::a_wait_ends_when_there_are_entries;
            assert!(rule(async || Faulty::new(fault)).await.is_err(), "{fault:?}");
        }
    }
}

losses! { revocation_log:
    entries_are_there_when_it_is_opened_again
    the_confirmed_time_is_there_when_it_is_opened_again
    cursors_go_on_when_it_is_opened_again
}

#[derive(Debug, Default)]
pub(super) struct LogState {
    /// The entry that is shown later.
    shown_later: Option<u64>,
    latest: Option<SystemTime>,
}

/// The cursors of the entries that are there.
async fn cursors(store: &MemoryStore) -> Result<Vec<LogCursor>, StoreError> {
    let (mut cursors, mut after) = (Vec::new(), LogCursor::START);
    while let LogRead::Page(page) = store.read(after, 1).await? {
        if page.entries.is_empty() {
            break;
        }
        after = page.cursor;
        cursors.push(after);
    }
    Ok(cursors)
}

impl Faulty {
    fn change_page(&self, page: &mut LogPage) {
        match self.fault {
            Fault::ReadsBackwards => page.entries.reverse(),
            Fault::CutsTexts => page.entries.iter_mut().for_each(|entry| entry.bytes.truncate(255)),
            Fault::LosesTheSign => page.entries.iter_mut().for_each(|entry| entry.tag &= u64::MAX >> 1),
            Fault::ShowsMillisecondsAsSeconds => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                page.store_time = Some(UNIX_EPOCH + since * 1000);
            }
            // A transaction with a lower number has not ended yet.
            Fault::ShowsAnEntryLater if page.entries.len() > 1 => {
                let mut state = self.log.lock().unwrap();
                if state.shown_later.is_none() {
                    state.shown_later = Some(page.entries.remove(0).tag);
                }
            }
            _ => {}
        }
    }
}

impl RevocationLog for Faulty {
    fn append(&self, mut entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if self.has(Fault::AppendsOneByOne) {
                for entry in entries {
                    self.inner().append(vec![entry]).await?;
                    yield_now().await;
                }
                return Ok(());
            }
            if self.has(Fault::LosesTheLastOfABatch) {
                entries.pop();
            }
            self.inner().append(entries).await
        })
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        let limit = if self.has(Fault::IgnoresTheLimit) { usize::MAX } else { limit };
        Box::pin(async move {
            let inner = self.inner();
            if self.has(Fault::ForgetsTheLastDropped)
                && after != LogCursor::START
                && !cursors(&inner).await?.contains(&after)
            {
                return Ok(LogRead::AnotherHistory);
            }
            let mut read = inner.read(after, limit).await?;
            match &mut read {
                LogRead::Page(page) => self.change_page(page),
                LogRead::AnotherHistory if self.has(Fault::AcceptsEveryCursor) => {
                    read = LogRead::Page(LogPage { entries: Vec::new(), cursor: after, store_time: None });
                }
                LogRead::AnotherHistory => {}
            }
            Ok(read)
        })
    }

    fn wait_for_entries(&self, after: LogCursor) -> WakeUpFuture {
        let (faulty, inner) = (self.clone(), self.inner());
        Box::pin(async move {
            if faulty.has(Fault::WakesForNothing) {
                return;
            }
            // It is woken by what comes, and does not look at what is there.
            let is_late = after == LogCursor::START && faulty.has(Fault::WakesOnlyWaiters);
            if is_late || faulty.has(Fault::NeverWakes) {
                pending::<()>().await;
            }
            inner.wait_for_entries(after).await;
        })
    }

    fn check_writable(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if self.has(Fault::SaysItCannotBeWritten) {
                Err(StoreError::new("it is read-only"))
            } else {
                Ok(())
            }
        })
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        let latest = self.log.lock().unwrap().latest;
        Box::pin(async move { Ok(latest) })
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        let mut state = self.log.lock().unwrap();
        state.latest = state
            .latest
            .filter(|latest| *latest > time && self.has(Fault::RemembersTheLatest))
            .or(Some(time));
        Box::pin(async { Ok(()) })
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            if self.has(Fault::DropsEverything) {
                *self.inner.lock().unwrap() = MemoryStore::new();
                return Ok(false);
            }
            let inner = self.inner();
            let more = RevocationLog::drop_expired(&inner, self.drop_before(before)).await;
            if self.has(Fault::StartsAgainWhenEmpty) && inner.revocations() == 0 {
                *self.inner.lock().unwrap() = MemoryStore::new();
            }
            self.says_more(more)
        })
    }
}

/// Without a fault all is well: what fails above fails for its fault.
#[tokio::test]
async fn a_log_without_a_fault_satisfies_the_rules() {
    use auth_runtime::testing::store_contract::revocation_log as rules;

    let open = async || Faulty::new(Fault::CutsKeys); // of attempts
    rules::of_dropped_entries_the_last_is_known(open).await.unwrap();
    rules::a_reader_beside_writers_misses_nothing(open).await.unwrap();
    rules::the_confirmed_time_is_remembered_if_any_is(open).await.unwrap();
    rules::only_entries_that_have_expired_are_dropped(open).await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), rules::a_wait_ends_when_there_are_entries(open))
        .await
        .unwrap()
        .unwrap();
}
