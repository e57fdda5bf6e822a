//! A part of the view: buckets of entries, by the time at which they can be deleted.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::SHARDS;
use super::key_hasher::KeyHasher;

/// The buckets, by the time at which they are deleted, in seconds since the epoch.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) buckets: BTreeMap<i64, Bucket>,
}

pub(super) type Bucket = HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>;

/// Issuer, kind and id of a revocation, as 96 bits of a keyed hash. It is bytes, so that entries have no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::revocation) struct Key {
    pub(super) first: [u8; 8],
    pub(super) shard: u8,
    pub(super) rest: [u8; 3],
}

/// As bytes: the `iat` up to which tokens are revoked, in seconds since the epoch, where [`ALWAYS`](super::ALWAYS) is for a token or a
/// session, which is revoked whatever its `iat`; or the generation that is valid.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry([u8; 4]);

impl Key {
    /// The index of its shard, less than [`SHARDS`].
    pub(in crate::revocation) fn shard(&self) -> usize {
        usize::from(self.shard) % SHARDS
    }
}

impl Shard {
    pub(super) fn values(&self, key: &Key) -> impl Iterator<Item = u32> {
        self.buckets.values().filter_map(|bucket| bucket.get(key)).map(|entry| u32::from_ne_bytes(entry.0))
    }

    /// Sets a bound. It never moves back.
    pub(super) fn raise(&mut self, key: Key, bound: u32, ends: i64) {
        let known = self.buckets.entry(ends).or_default().entry(key).or_default();
        *known = Entry(bound.max(u32::from_ne_bytes(known.0)).to_ne_bytes());
    }

    /// Sets a value: the newest counts, in whichever order they arrive. It is kept as long as any of them would be.
    pub(super) fn replace(&mut self, key: Key, value: u32, ends: i64, is_newer: impl Fn(u32, u32) -> bool) {
        let (mut newest, mut last_end) = (value, ends);
        for (ends, bucket) in &mut self.buckets {
            if let Some(Entry(known)) = bucket.remove(&key) {
                let known = u32::from_ne_bytes(known);
                newest = if is_newer(newest, known) { newest } else { known };
                last_end = last_end.max(*ends);
            }
        }
        self.buckets.entry(last_end).or_default().insert(key, Entry(newest.to_ne_bytes()));
    }
}

pub(super) fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

/// A key is already a hash, so the hasher only passes a part of it on.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_ne_bytes(self.first));
    }
}
