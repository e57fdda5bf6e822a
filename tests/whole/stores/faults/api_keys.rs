//! Faults of a store of API keys.

use std::time::SystemTime;

use auth_runtime::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse, MemoryStore, StoreFuture};
use tokio::task::yield_now;

use super::{Fault, Faulty, faults, losses};

faults! { api_keys:
    a_key_comes_back_as_it_was: CutsTexts, ComparesAShorterText;
    an_owner_has_exactly_its_own_keys: ComparesAShorterText, FindsOneTooMany;
    keys_of_an_owner_come_in_pages_by_id: IgnoresTheLimit, ReadsBackwards;
    a_key_is_rotated_only_at_the_expected_version: IgnoresTheVersion;
    of_many_simultaneous_rotations_one_is_true: ReplacesInTwoSteps, IgnoresTheVersion;
    a_revoked_key_stays_revoked: RevokesAgain;
    the_last_use_is_the_latest: LosesTheLastOfABatch, AddsWhatIsMissing;
    only_keys_that_have_ended_are_dropped: DropsTooEarly, DropsEverything;
    dropping_keys_says_whether_more_are_left_and_ends: AlwaysSaysMore, DropsEverything;
    a_clock_before_the_epoch_drops_no_key: TakesTimesWithoutTheSign, DropsEverything;
}

losses! { api_keys:
    keys_are_there_when_it_is_opened_again
}

#[tokio::test]
async fn a_store_without_a_fault_satisfies_the_rules() {
    use auth_runtime::testing::store_contract::api_keys as rules;

    let open = async || Faulty::new(Fault::CutsKeys); // of attempts
    rules::of_many_simultaneous_rotations_one_is_true(open).await.unwrap();
    rules::the_last_use_is_the_latest(open).await.unwrap();
    rules::only_keys_that_have_ended_are_dropped(open).await.unwrap();
}

impl ApiKeyStore for Faulty {
    fn insert(&self, mut key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        if self.has(Fault::CutsTexts) {
            key.label = key.label.map(|label| label.chars().take(255).collect());
        }
        Box::pin(async move { ApiKeyStore::insert(&self.inner(), key).await })
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        let id = if self.has(Fault::ComparesAShorterText) { id.trim_end() } else { id }.to_owned();
        Box::pin(async move { ApiKeyStore::find(&self.inner(), &id).await })
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        let shorter = if self.has(Fault::ComparesAShorterText) { owner.trim_end() } else { owner };
        let (prefix, owner, after) = (prefix.to_owned(), shorter.to_owned(), after.to_owned());
        let limit = if self.has(Fault::IgnoresTheLimit) { usize::MAX } else { limit };
        Box::pin(async move {
            let mut found = self.inner().find_by_owner(&prefix, &owner, &after, limit).await?;
            match self.fault {
                Fault::FindsOneTooMany => found.extend(found.first().cloned()),
                Fault::ReadsBackwards => found.reverse(),
                _ => {}
            }
            Ok(found)
        })
    }

    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool> {
        let id = id.to_owned();
        Box::pin(async move {
            let inner = self.inner();
            let version = ApiKeyStore::find(&inner, &id).await?.map(|row| row.version);
            match (self.fault, version) {
                (Fault::ReplacesInTwoSteps, Some(version)) => {
                    yield_now().await;
                    if version != expected {
                        return Ok(false);
                    }
                    ApiKeyStore::insert(&inner, next).await?;
                    Ok(true)
                }
                (Fault::IgnoresTheVersion, Some(version)) => {
                    inner.rotate(&id, version, overlap_ends_at, next).await
                }
                _ => inner.rotate(&id, expected, overlap_ends_at, next).await,
            }
        })
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        let id = id.to_owned();
        Box::pin(async move {
            let inner = self.inner();
            let revoked = inner.revoke(&id, at).await?;
            let again = self.has(Fault::RevokesAgain) && ApiKeyStore::find(&inner, &id).await?.is_some();
            Ok(revoked || again)
        })
    }

    fn record_uses(&self, mut uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        if self.has(Fault::LosesTheLastOfABatch) {
            uses.truncate(uses.len().min(1));
        }
        Box::pin(async move {
            let inner = self.inner();
            for ApiKeyUse { id, at } in uses.iter().filter(|_| self.has(Fault::AddsWhatIsMissing)) {
                if ApiKeyStore::find(&inner, id).await?.is_none() {
                    let like = ApiKeyStore::find(&inner, "a").await?.unwrap();
                    let added = ApiKeyRecord { id: id.clone(), last_used_at: Some(*at), ..like };
                    ApiKeyStore::insert(&inner, added).await?;
                }
            }
            inner.record_uses(uses).await
        })
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            if self.has(Fault::DropsEverything) {
                *self.inner.lock().unwrap() = MemoryStore::new();
                return Ok(false);
            }
            self.says_more(self.inner().drop_ended(self.drop_before(time)).await)
        })
    }
}
