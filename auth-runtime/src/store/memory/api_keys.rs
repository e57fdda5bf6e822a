//! The API keys of a store in memory.

use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use super::{BATCH, MemoryStore, done};
use crate::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse, StoreFuture, drop_before};

#[derive(Default)]
pub(super) struct ApiKeyTables {
    keys: HashMap<String, ApiKeyRecord>,
    by_owner: BTreeSet<(String, String, String)>,
    /// The keys that end, by [`ApiKeyRecord::ends_at`].
    ends: BTreeSet<(i64, String)>,
}

impl MemoryStore {
    /// Returns the number of stored API keys, with those that have ended.
    #[must_use]
    pub fn api_keys(&self) -> usize {
        self.tables().api_keys.keys.len()
    }
}

impl ApiKeyStore for MemoryStore {
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        self.tables().api_keys.put(key);
        done(())
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        done(self.tables().api_keys.keys.get(id).cloned())
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        let tables = &self.tables().api_keys;
        let first = (prefix.to_owned(), owner.to_owned(), after.to_owned());
        let rows = tables.by_owner.range(first..);
        let own = rows.take_while(|(row_prefix, row_owner, _)| row_prefix == prefix && row_owner == owner);
        let further = own.filter(|(_, _, id)| id.as_str() > after).take(limit);
        done(further.filter_map(|(_, _, id)| tables.keys.get(id).cloned()).collect())
    }

    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool> {
        let tables = &mut self.tables().api_keys;
        let is_expected = tables.change(id, |key| {
            let is_expected = key.version == expected;
            if is_expected {
                key.overlap_ends_at = Some(overlap_ends_at);
                key.version += 1;
            }
            is_expected
        });
        if is_expected {
            tables.put(next);
        }
        done(is_expected)
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        done(self.tables().api_keys.change(id, |key| {
            let is_new = key.revoked_at.is_none();
            if is_new {
                key.revoked_at = Some(at);
                key.version += 1;
            }
            is_new
        }))
    }

    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        let tables = &mut self.tables().api_keys;
        for ApiKeyUse { id, at } in uses {
            if let Some(key) = tables.keys.get_mut(&id) {
                key.last_used_at = key.last_used_at.max(Some(at));
            }
        }
        done(())
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        let time = drop_before(time);
        let tables = &mut self.tables().api_keys;
        for _ in 0..BATCH {
            let Some(id) = tables.first_ended(time).map(str::to_owned) else { break };
            tables.take(&id);
        }
        done(tables.first_ended(time).is_some())
    }
}

impl ApiKeyTables {
    fn put(&mut self, key: ApiKeyRecord) {
        self.take(&key.id);
        self.ends.extend(key.ends_at().map(|at| (at, key.id.clone())));
        self.by_owner.insert((key.prefix.clone(), key.owner.clone(), key.id.clone()));
        self.keys.insert(key.id.clone(), key);
    }

    fn take(&mut self, id: &str) -> Option<ApiKeyRecord> {
        let key = self.keys.remove(id)?;
        if let Some(at) = key.ends_at() {
            self.ends.remove(&(at, key.id.clone()));
        }
        self.by_owner.remove(&(key.prefix.clone(), key.owner.clone(), key.id.clone()));
        Some(key)
    }

    /// Changes a row; `false` also if there is none.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut ApiKeyRecord) -> bool) -> bool {
        let Some(mut key) = self.take(id) else { return false };
        let changed = change(&mut key);
        self.put(key);
        changed
    }

    /// The key that ended first, if that was before `time`.
    fn first_ended(&self, time: i64) -> Option<&str> {
        self.ends.first().filter(|(at, _)| *at < time).map(|(_, id)| &**id)
    }
}
