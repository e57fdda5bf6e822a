//! Faults of a store of refresh-token families.

use std::time::SystemTime;

use auth_runtime::store::{
    FamilyId, MemoryStore, RefreshTokenFamily, RefreshTokenStore, StoreFuture, StoredSessionData,
};
use tokio::task::yield_now;

use super::{Fault, Faulty, faults, losses};

faults! { refresh_tokens:
    a_family_comes_back_as_it_was: CutsTexts, LosesLargeData, LosesTheSign;
    a_family_is_replaced_only_at_the_expected_version: IgnoresTheVersion, KeepsTheFirstExpiry;
    a_missing_family_is_not_replaced_and_not_made: AddsWhatIsMissing;
    of_many_simultaneous_replaces_one_is_true: ReplacesInTwoSteps, IgnoresTheVersion;
    every_replace_that_is_true_is_a_version: ReplacesInTwoSteps;
    removed_families_are_gone_and_missing_ones_are_no_error: LosesTheLastOfABatch;
    a_subject_has_exactly_its_own_families: ComparesAShorterText, FindsOneTooMany;
    families_of_an_issuer_come_in_pages: IgnoresTheLimit, RepeatsTheCursor, ListsById;
    an_issuer_lists_exactly_its_own_families: ComparesAShorterText;
    a_family_keeps_its_place_in_the_list: ListsByVersion, LosesItsPlace;
    only_families_that_have_expired_are_dropped: DropsTooEarly, DropsEverything;
    a_replaced_family_expires_when_its_new_row_says: KeepsTheFirstExpiry;
    dropping_families_says_whether_more_are_left_and_ends: AlwaysSaysMore, DropsEverything;
    a_clock_before_the_epoch_drops_no_family: TakesTimesWithoutTheSign, DropsEverything;
}

losses! { refresh_tokens:
    families_are_there_when_it_is_opened_again
}

#[tokio::test]
async fn a_store_without_a_fault_satisfies_the_rules() {
    use auth_runtime::testing::store_contract::refresh_tokens as rules;

    let open = async || Faulty::new(Fault::CutsKeys); // of attempts
    rules::every_replace_that_is_true_is_a_version(open).await.unwrap();
    rules::a_subject_has_exactly_its_own_families(open).await.unwrap();
    rules::families_of_an_issuer_come_in_pages(open).await.unwrap();
    rules::an_issuer_lists_exactly_its_own_families(open).await.unwrap();
    rules::a_family_keeps_its_place_in_the_list(open).await.unwrap();
    rules::only_families_that_have_expired_are_dropped(open).await.unwrap();
}

impl RefreshTokenStore for Faulty {
    fn insert(&self, mut family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        match self.fault {
            Fault::CutsTexts => family.label = family.label.map(|label| label.chars().take(255).collect()),
            // As a column of at most 64 KiB would.
            Fault::LosesLargeData if family.data.bytes() > 60_000 => {
                family.data = StoredSessionData::default();
            }
            Fault::LosesTheSign => family.user_generation &= u32::MAX >> 1,
            _ => {}
        }
        Box::pin(async move { RefreshTokenStore::insert(&self.inner(), family).await })
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        Box::pin(async move { RefreshTokenStore::find(&self.inner(), id).await })
    }

    fn replace(&self, expected: u64, mut family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let inner = self.inner();
            let row = RefreshTokenStore::find(&inner, family.id).await?;
            match (self.fault, row) {
                (Fault::ReplacesInTwoSteps, Some(row)) => {
                    if row.version != expected {
                        return Ok(false);
                    }
                    yield_now().await;
                    RefreshTokenStore::insert(&inner, family).await?;
                    return Ok(true);
                }
                (Fault::AddsWhatIsMissing, None) => {
                    RefreshTokenStore::insert(&inner, family).await?;
                    return Ok(true);
                }
                (Fault::IgnoresTheVersion, Some(row)) => return inner.replace(row.version, family).await,
                (Fault::KeepsTheFirstExpiry, Some(row)) => family.expires_at = row.expires_at,
                _ => {}
            }
            inner.replace(expected, family).await
        })
    }

    fn remove(&self, mut ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        // Of several: with one it would be another fault.
        if self.has(Fault::LosesTheLastOfABatch) && ids.len() > 1 {
            ids.truncate(1);
        }
        Box::pin(async move { self.inner().remove(ids).await })
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let (issuer, mut subject) = (issuer.to_owned(), subject.to_owned());
        if self.has(Fault::ComparesAShorterText) {
            subject = subject.trim_end().to_owned();
        }
        Box::pin(async move {
            let mut found = self.inner().find_by_subject(&issuer, &subject).await?;
            if self.has(Fault::FindsOneTooMany) {
                found.extend(found.first().cloned());
            }
            Ok(found)
        })
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        let issuer = issuer.to_owned();
        let after = after.map(|(subject, id)| (subject.to_owned(), id));
        Box::pin(async move {
            let mut all = self.inner().list(&issuer, None, usize::MAX).await?;
            match self.fault {
                Fault::ComparesAShorterText => {
                    all.extend(self.inner().list(&format!("{issuer}s"), None, usize::MAX).await?);
                }
                Fault::ListsById => all.sort_by_key(|family| family.id),
                Fault::ListsByVersion => all.sort_by_key(|family| (family.version, family.id)),
                _ => {}
            }
            let first =
                after.map_or(0, |(subject, id)| match all.iter().position(|family| family.id == id) {
                    Some(at) if self.has(Fault::RepeatsTheCursor) => at,
                    Some(at) => at + 1,
                    None if self.has(Fault::LosesItsPlace) => 0,
                    None => {
                        let is_after =
                            |family: &RefreshTokenFamily| (&family.subject, family.id) > (&subject, id);
                        all.iter().position(is_after).unwrap_or(all.len())
                    }
                });
            let limit = if self.has(Fault::IgnoresTheLimit) { usize::MAX } else { limit };
            Ok(all.into_iter().skip(first).take(limit).collect())
        })
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            if self.has(Fault::DropsEverything) {
                *self.inner.lock().unwrap() = MemoryStore::new();
                return Ok(false);
            }
            self.says_more(RefreshTokenStore::drop_expired(&self.inner(), self.drop_before(now)).await)
        })
    }
}
