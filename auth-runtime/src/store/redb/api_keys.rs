//! The tables of API keys.

use std::time::SystemTime;

use ::redb::{
    Key, ReadTransaction, ReadableTable, Table, TableDefinition, TableHandle as _, WriteTransaction,
};

use super::failure::Failure;
use super::tables::{MAX_DROPPED, unreadable};
use super::{RedbStore, Write};
use crate::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse, StoreError, StoreFuture, drop_before};

/// Prefix, owner, id.
type OwnerRow = (&'static str, &'static str, &'static str);

const KEYS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("api_keys");
const BY_OWNER: TableDefinition<'static, OwnerRow, ()> = TableDefinition::new("api_keys_by_owner");
/// The keys that end, by [`ApiKeyRecord::ends_at`].
const ENDS: TableDefinition<'static, (i64, &str), ()> = TableDefinition::new("api_key_ends");

/// A write. Each variant says what its result is.
pub(super) enum ApiKeyWrite {
    /// The result is `true`.
    Insert(ApiKeyRecord),
    /// Removes a key that its caller did not get. The result is `true`.
    Remove(String),
    /// The result is whether the version was the expected one.
    Rotate { id: String, expected: u64, overlap_ends_at: i64, next: ApiKeyRecord },
    /// The result is whether the key was not revoked before.
    Revoke { id: String, at: i64 },
    /// The result is `true`.
    RecordUses(Vec<ApiKeyUse>),
    /// Deletes keys that ended before this second. The result is whether more can be deleted.
    DropEnded(i64),
}

impl ApiKeyWrite {
    /// Whether it is of no use when its caller does not wait for it any more: no caller would get the new key.
    pub(super) fn is_for_its_caller_alone(&self) -> bool {
        matches!(self, Self::Insert(_) | Self::Rotate { .. })
    }

    /// What takes it back, if its caller did not get the key that it adds.
    pub(super) fn undo(&self) -> Option<Self> {
        if let Self::Insert(key) = self { Some(Self::Remove(key.id.clone())) } else { None }
    }
}

/// The tables of a write transaction.
pub(super) struct ApiKeyTables<'t> {
    keys: Table<'t, &'static str, &'static [u8]>,
    by_owner: Table<'t, OwnerRow, ()>,
    ends: Table<'t, (i64, &'static str), ()>,
}

impl<'t> ApiKeyTables<'t> {
    pub(super) fn are_in(transaction: &WriteTransaction) -> Result<bool, Failure> {
        Ok(transaction.list_tables()?.any(|table| table.name() == KEYS.name()))
    }

    /// Opens the tables, and creates those that are missing.
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Failure> {
        Ok(Self {
            keys: transaction.open_table(KEYS)?,
            by_owner: transaction.open_table(BY_OWNER)?,
            ends: transaction.open_table(ENDS)?,
        })
    }

    pub(super) fn run(&mut self, write: ApiKeyWrite) -> Result<bool, Failure> {
        match write {
            ApiKeyWrite::Insert(key) => self.put(&key).map(|()| true),
            ApiKeyWrite::Remove(id) => self.remove(&id).map(|()| true),
            ApiKeyWrite::Rotate { id, expected, overlap_ends_at, next } => {
                let is_expected = self.change(&id, |key| {
                    let is_expected = key.version == expected;
                    if is_expected {
                        key.overlap_ends_at = Some(overlap_ends_at);
                        key.version += 1;
                    }
                    is_expected
                })?;
                if is_expected {
                    self.put(&next)?;
                }
                Ok(is_expected)
            }
            ApiKeyWrite::Revoke { id, at } => self.change(&id, |key| {
                let is_new = key.revoked_at.is_none();
                if is_new {
                    key.revoked_at = Some(at);
                    key.version += 1;
                }
                is_new
            }),
            ApiKeyWrite::RecordUses(uses) => {
                for ApiKeyUse { id, at } in uses {
                    self.change(&id, |key| {
                        let is_later = key.last_used_at < Some(at);
                        key.last_used_at = key.last_used_at.max(Some(at));
                        is_later
                    })?;
                }
                Ok(true)
            }
            ApiKeyWrite::DropEnded(time) => self.drop_ended(time),
        }
    }

    fn drop_ended(&mut self, time: i64) -> Result<bool, Failure> {
        for _ in 0..MAX_DROPPED {
            let Some((at, id)) = first_ended(&self.ends, time)? else { return Ok(false) };
            self.remove(&id)?;
            // Also if the key is missing or can't be read, or the same row would be found again.
            self.ends.remove((at, id.as_str()))?;
        }
        Ok(first_ended(&self.ends, time)?.is_some())
    }

    /// Changes a row, if `change` says that it has changed it. Returns what `change` says; `false` if there is no such row.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut ApiKeyRecord) -> bool) -> Result<bool, Failure> {
        let Some(mut key) = self.keys.get(id)?.map(|row| from_json(row.value())).transpose()? else {
            return Ok(false);
        };
        let changed = change(&mut key);
        if changed {
            self.put(&key)?;
        }
        Ok(changed)
    }

    fn put(&mut self, key: &ApiKeyRecord) -> Result<(), Failure> {
        self.remove(&key.id)?;
        let id = key.id.as_str();
        let row = serde_json::to_vec(key).map_err(|error| unreadable("an API key", &error))?;
        self.keys.insert(id, row.as_slice())?;
        self.by_owner.insert((key.prefix.as_str(), key.owner.as_str(), id), ())?;
        if let Some(at) = key.ends_at() {
            self.ends.insert((at, id), ())?;
        }
        Ok(())
    }

    fn remove(&mut self, id: &str) -> Result<(), Failure> {
        match self.keys.remove(id)?.map(|row| from_json(row.value())) {
            None => {}
            Some(Ok(key)) => {
                self.by_owner.remove((key.prefix.as_str(), key.owner.as_str(), id))?;
                if let Some(at) = key.ends_at() {
                    self.ends.remove((at, id))?;
                }
            }
            Some(Err(_)) => {
                tracing::error!("auth: the store had an API key that can't be read, and it was removed");
            }
        }
        Ok(())
    }
}

pub(super) fn find(transaction: &ReadTransaction, id: &str) -> Result<Option<ApiKeyRecord>, Failure> {
    transaction.open_table(KEYS)?.get(id)?.map(|row| from_json(row.value())).transpose()
}

fn find_by_owner(
    transaction: &ReadTransaction,
    prefix: &str,
    owner: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<ApiKeyRecord>, Failure> {
    let by_owner = transaction.open_table(BY_OWNER)?;
    let keys = transaction.open_table(KEYS)?;
    let mut found = Vec::new();
    for row in by_owner.range((prefix, owner, after)..)? {
        let row = row?.0;
        let (row_prefix, row_owner, id) = row.value();
        if found.len() >= limit || row_prefix != prefix || row_owner != owner {
            break;
        }
        if id != after {
            found.extend(keys.get(id)?.map(|row| from_json(row.value())).transpose()?);
        }
    }
    Ok(found)
}

/// The key that ended first, and when, if that was before `time`.
fn first_ended<K>(table: &impl ReadableTable<K, ()>, time: i64) -> Result<Option<(i64, String)>, Failure>
where
    K: for<'a> Key<SelfType<'a> = (i64, &'a str)> + 'static,
{
    let first = table.first()?.map(|(row, _)| {
        let (at, id) = row.value();
        (at, id.to_owned())
    });
    Ok(first.filter(|(at, _)| *at < time))
}

fn from_json(row: &[u8]) -> Result<ApiKeyRecord, Failure> {
    serde_json::from_slice(row).map_err(|error| unreadable("an API key", &error))
}

impl RedbStore {
    async fn write_key(&self, write: ApiKeyWrite) -> Result<bool, StoreError> {
        self.write(Write::ApiKey(Box::new(write))).await
    }
}

impl ApiKeyStore for RedbStore {
    fn insert(&self, key: ApiKeyRecord) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.write_key(ApiKeyWrite::Insert(key)).await.map(drop) })
    }

    fn find(&self, id: &str) -> StoreFuture<'_, Option<ApiKeyRecord>> {
        let id = id.to_owned();
        Box::pin(self.read(move |transaction| find(transaction, &id)))
    }

    fn find_by_owner(
        &self,
        prefix: &str,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> StoreFuture<'_, Vec<ApiKeyRecord>> {
        let [prefix, owner, after] = [prefix, owner, after].map(str::to_owned);
        Box::pin(self.read(move |transaction| find_by_owner(transaction, &prefix, &owner, &after, limit)))
    }

    fn rotate(
        &self,
        id: &str,
        expected: u64,
        overlap_ends_at: i64,
        next: ApiKeyRecord,
    ) -> StoreFuture<'_, bool> {
        let id = id.to_owned();
        Box::pin(self.write_key(ApiKeyWrite::Rotate { id, expected, overlap_ends_at, next }))
    }

    fn revoke(&self, id: &str, at: i64) -> StoreFuture<'_, bool> {
        Box::pin(self.write_key(ApiKeyWrite::Revoke { id: id.to_owned(), at }))
    }

    fn record_uses(&self, uses: Vec<ApiKeyUse>) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.write_key(ApiKeyWrite::RecordUses(uses)).await.map(drop) })
    }

    fn drop_ended(&self, time: SystemTime) -> StoreFuture<'_, bool> {
        let time = drop_before(time);
        Box::pin(async move {
            let has_ended = move |transaction: &ReadTransaction| {
                Ok(first_ended(&transaction.open_table(ENDS)?, time)?.is_some())
            };
            Ok(self.read(has_ended).await? && self.write_key(ApiKeyWrite::DropEnded(time)).await?)
        })
    }
}
