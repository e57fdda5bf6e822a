//! The view: the revocations in the memory of this process. Every request reads it, so reading never waits for I/O.
//!
//! An entry has 16 bytes: 12 of a keyed hash of issuer, kind and id, and 4 for the time up to which tokens are revoked, or for the
//! generation that is valid. The
//! keys of the hash are random and belong to this process alone (SipHash of the standard library, twice), so an attacker
//! can't construct a collision. A random collision (with 10 million entries, once in 10²¹ requests) would reject a valid
//! token, and never accept a revoked one.
//!
//! The entries are divided into shards, so that a shard that grows delays few requests. In each shard they are divided into
//! buckets by the time at which they can be deleted. A bucket is deleted as a whole.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::clock::unix_seconds;
use crate::principal::TokenIdentity;
use crate::store::LoggedRevocation;
use crate::store::Revocation;

const SHARDS: usize = 64;

/// The number of buckets in an entry's term. More buckets hold fewer expired entries, and take longer to search.
const BUCKETS_A_TERM: i64 = 12;

/// The set of revocations.
#[derive(Debug)]
pub(crate) struct RevocationView {
    shards: [RwLock<Shard>; SHARDS],
    hashers: [RandomState; 2],
    /// Increases after each change of the set. If it is read first, and then a token is found not revoked, the token needs no other
    /// check until the epoch changes.
    epoch: AtomicU64,
    /// In seconds.
    bucket_width: i64,
    /// The name of the engine's own issuer, if it has one.
    own_issuer: Option<String>,
}

/// The buckets, by the time at which they are deleted, in seconds since the epoch.
#[derive(Debug, Default)]
struct Shard {
    buckets: BTreeMap<i64, Bucket>,
}

type Bucket = HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>;

/// Issuer, kind and id of a revocation, as 96 bits of a keyed hash. It is bytes, so that entries have no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    first: [u8; 8],
    shard: u8,
    rest: [u8; 3],
}

/// As bytes: the `iat` up to which tokens are revoked, in seconds since the epoch, where [`ALWAYS`] is for a token or a session, which
/// is revoked whatever its `iat`; or the generation that is valid.
#[derive(Clone, Copy, Debug, Default)]
struct Entry([u8; 4]);

const ALWAYS: u32 = u32::MAX;

#[derive(Clone, Copy, Hash)]
enum Kind {
    Token,
    Session,
    User,
    OtherGenerations,
}

impl RevocationView {
    /// Returns an empty view. `term` is how long most entries are kept.
    pub(crate) fn new(term: Duration, own_issuer: Option<String>) -> Self {
        let term = i64::try_from(term.as_secs()).unwrap_or(i64::MAX);
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            hashers: [RandomState::new(), RandomState::new()],
            epoch: AtomicU64::new(1),
            bucket_width: (term / BUCKETS_A_TERM).max(60),
            own_issuer,
        }
    }

    /// Returns the epoch. Call it before [`is_revoked`](Self::is_revoked).
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        let matches = |kind, id: &str| {
            let key = self.key(kind, token.issuer, id);
            // A token without `iat` can't be shown to be newer than the bound.
            read(self.shard(&key)).values(&key).any(|bound| {
                bound == ALWAYS || token.issued_at.is_none_or(|issued_at| issued_at <= i64::from(bound))
            })
        };
        if token.token_id.is_some_and(|id| matches(Kind::Token, id))
            || token.session_id.is_some_and(|id| matches(Kind::Session, id))
        {
            return true;
        }
        let generation = self.user_generation(token.issuer, token.subject);
        if generation != 0 && generation != token.user_generation {
            return true;
        }
        // The sessions of the own issuer are ended one by one, whatever the clock showed.
        let is_of_own_session =
            token.session_id.is_some() && self.own_issuer.as_deref() == Some(token.issuer);
        !is_of_own_session && matches(Kind::User, token.subject)
    }

    pub(crate) fn is_session_revoked(&self, issuer: &str, session_id: &str) -> bool {
        let key = self.key(Kind::Session, issuer, session_id);
        read(self.shard(&key)).values(&key).next().is_some()
    }

    /// Returns the generation of the user's sessions that is valid; 0 if all are.
    pub(crate) fn user_generation(&self, issuer: &str, subject: &str) -> u32 {
        let key = self.key(Kind::OtherGenerations, issuer, subject);
        read(self.shard(&key)).values(&key).next().unwrap_or(0)
    }

    /// Returns until when the view keeps the generation, in seconds since the epoch; 0 if there is none.
    pub(crate) fn user_generation_end(&self, issuer: &str, subject: &str) -> i64 {
        let key = self.key(Kind::OtherGenerations, issuer, subject);
        let shard = read(self.shard(&key));
        let holds = |(_, bucket): &(&i64, &Bucket)| bucket.contains_key(&key);
        shard.buckets.iter().find(holds).map_or(0, |(ends, _)| *ends)
    }

    /// Adds revocations. They are enforced when this returns.
    pub(crate) fn apply<'r>(&self, entries: impl IntoIterator<Item = &'r LoggedRevocation>) {
        for entry in entries {
            let (kind, issuer, id, value) = match &entry.revocation {
                Revocation::Token { issuer, token_id } => (Kind::Token, issuer, token_id, ALWAYS),
                Revocation::Session { issuer, session_id } => (Kind::Session, issuer, session_id, ALWAYS),
                Revocation::User { issuer, subject, issued_at_or_before } => {
                    let bound = unix_seconds(*issued_at_or_before);
                    (Kind::User, issuer, subject, u32::try_from(bound).unwrap_or(ALWAYS))
                }
                Revocation::OtherGenerations { issuer, subject, generation } => {
                    (Kind::OtherGenerations, issuer, subject, *generation)
                }
            };
            let key = self.key(kind, issuer, id);
            let ends = self.bucket_end(unix_seconds(entry.keep_until));
            let mut shard = write(self.shard(&key));
            match kind {
                Kind::OtherGenerations => shard.replace(key, value, ends),
                _ => shard.raise(key, value, ends),
            }
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Deletes expired buckets. No valid token becomes invalid, so the epoch does not change.
    pub(crate) fn drop_expired(&self, now: i64) {
        // A wrong clock must not delete revocations.
        if now == i64::MAX {
            return;
        }
        for shard in &self.shards {
            let dropped = {
                let mut shard = write(shard);
                match shard.buckets.first_key_value() {
                    Some((ends, _)) if *ends < now => {
                        let remaining = shard.buckets.split_off(&now);
                        std::mem::replace(&mut shard.buckets, remaining)
                    }
                    _ => continue,
                }
            };
            // Freed after the shard is unlocked.
            drop(dropped);
        }
    }

    /// Returns the number of entries, and the number of bytes of their tables.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (mut entries, mut bytes) = (0, 0);
        for shard in &self.shards {
            for bucket in read(shard).buckets.values() {
                entries += bucket.len();
                // At most seven of eight slots are used, and each has one byte of metadata.
                let slots = (bucket.capacity() * 8 / 7).next_power_of_two();
                bytes += slots * (size_of::<(Key, Entry)>() + 1);
            }
        }
        (entries, bytes)
    }

    fn key(&self, kind: Kind, issuer: &str, id: &str) -> Key {
        let [first, second] = self.hashers.each_ref().map(|hasher| hasher.hash_one((kind, issuer, id)));
        let [shard, a, b, c, ..] = second.to_ne_bytes();
        Key { first: first.to_ne_bytes(), shard, rest: [a, b, c] }
    }

    #[allow(clippy::indexing_slicing, reason = "there are as many shards as `SHARDS` says")]
    fn shard(&self, key: &Key) -> &RwLock<Shard> {
        &self.shards[usize::from(key.shard) % SHARDS]
    }

    /// Returns the end of the bucket for an entry that is kept until `keep_until`. It is not before that time.
    fn bucket_end(&self, keep_until: i64) -> i64 {
        let into = keep_until.rem_euclid(self.bucket_width);
        if into == 0 { keep_until } else { keep_until.saturating_add(self.bucket_width - into) }
    }
}

impl Shard {
    fn values(&self, key: &Key) -> impl Iterator<Item = u32> {
        self.buckets.values().filter_map(|bucket| bucket.get(key)).map(|entry| u32::from_ne_bytes(entry.0))
    }

    /// Sets a bound. It never moves back.
    fn raise(&mut self, key: Key, bound: u32, ends: i64) {
        let known = self.buckets.entry(ends).or_default().entry(key).or_default();
        *known = Entry(bound.max(u32::from_ne_bytes(known.0)).to_ne_bytes());
    }

    /// Sets a value: the last one counts, and is kept as long as the one before would be.
    fn replace(&mut self, key: Key, value: u32, ends: i64) {
        let mut last_end = ends;
        for (ends, bucket) in &mut self.buckets {
            if bucket.remove(&key).is_some() {
                last_end = last_end.max(*ends);
            }
        }
        self.buckets.entry(last_end).or_default().insert(key, Entry(value.to_ne_bytes()));
    }
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

/// A key is already a hash, so the hasher only passes a part of it on.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_ne_bytes(self.first));
    }
}

#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Revocation, RevocationView, TokenIdentity};
    use crate::store::LoggedRevocation;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Returns a view with buckets of 60 seconds.
    fn view() -> RevocationView {
        RevocationView::new(Duration::from_secs(720), None)
    }

    fn token<'a>(jti: &'a str, sid: &'a str, sub: &'a str, iat: Option<i64>) -> TokenIdentity<'a> {
        TokenIdentity {
            issuer: "i",
            subject: sub,
            token_id: Some(jti),
            session_id: Some(sid),
            issued_at: iat,
            user_generation: 0,
        }
    }

    fn revoke(view: &RevocationView, revocation: Revocation, keep_until: u64) {
        view.apply(&[LoggedRevocation { revocation, keep_until: at(keep_until) }]);
    }

    fn revoke_token(view: &RevocationView, id: &str, keep_until: u64) {
        revoke(view, Revocation::Token { issuer: "i".into(), token_id: id.into() }, keep_until);
    }

    fn revoke_user(view: &RevocationView, subject: &str, bound: SystemTime, keep_until: u64) {
        let user =
            Revocation::User { issuer: "i".into(), subject: subject.into(), issued_at_or_before: bound };
        revoke(view, user, keep_until);
    }

    #[test]
    fn by_token_session_and_user() {
        let view = view();
        revoke_token(&view, "t1", 100);
        revoke(&view, Revocation::Session { issuer: "i".into(), session_id: "s1".into() }, 100);
        revoke_user(&view, "u1", at(50), 100);

        assert!(view.is_revoked(&token("t1", "s", "u", Some(60))));
        assert!(view.is_revoked(&token("t", "s1", "u", Some(60))));
        assert!(view.is_revoked(&token("t", "s", "u1", Some(50))));
        assert!(view.is_revoked(&token("t", "s", "u1", None)), "no iat, and a bound");
        assert!(!view.is_revoked(&token("t", "s", "u1", Some(51))));
        assert!(!view.is_revoked(&token("s1", "t1", "u", None)), "kinds are not mixed");
        assert!(!view.is_revoked(&TokenIdentity { issuer: "other", ..token("t1", "s1", "u1", Some(1)) }));
    }

    #[test]
    fn a_bound_never_moves_back() {
        let view = view();
        for (bound, keep_until) in [(50, 100), (40, 100), (45, 300)] {
            revoke_user(&view, "u", at(bound), keep_until);
        }
        assert!(view.is_revoked(&token("t", "s", "u", Some(50))));
        assert!(!view.is_revoked(&token("t", "s", "u", Some(51))));
    }

    fn set_generation(view: &RevocationView, subject: &str, generation: u32, keep_until: u64) {
        let (issuer, subject) = ("i".into(), subject.into());
        revoke(view, Revocation::OtherGenerations { issuer, subject, generation }, keep_until);
    }

    #[test]
    fn of_the_generations_of_a_user_the_last_is_valid() {
        let view = view();
        let of = |generation| TokenIdentity { user_generation: generation, ..token("t", "s", "u", Some(50)) };
        assert_eq!(view.user_generation("i", "u"), 0);
        // The second is kept as long as the first, whatever the clock showed when it was recorded.
        for (valid, keep_until) in [(7, 1000), (3, 100), (9, 500)] {
            set_generation(&view, "u", valid, keep_until);
            assert_eq!(view.user_generation("i", "u"), valid);
            for generation in [0, 3, 7, 9] {
                assert_eq!(view.is_revoked(&of(generation)), generation != valid, "{generation}");
            }
        }
        assert!(!view.is_revoked(&TokenIdentity { subject: "v", ..of(0) }));
        assert!(!view.is_revoked(&TokenIdentity { issuer: "j", ..of(0) }));
        view.drop_expired(1000);
        assert_eq!((view.user_generation("i", "u"), view.size().0), (9, 1));
        view.drop_expired(1200);
        assert!(!view.is_revoked(&of(0)));
    }

    #[test]
    fn a_session_of_the_own_issuer_is_not_judged_by_a_time() {
        let view = RevocationView::new(Duration::from_secs(720), Some("i".to_owned()));
        revoke_user(&view, "u", at(100), 1000);
        let of_session = token("t", "s", "u", Some(50));
        assert!(!view.is_revoked(&of_session));
        assert!(view.is_revoked(&TokenIdentity { session_id: None, ..of_session }));
        let other =
            Revocation::User { issuer: "j".into(), subject: "u".into(), issued_at_or_before: at(100) };
        revoke(&view, other, 1000);
        assert!(view.is_revoked(&TokenIdentity { issuer: "j", ..of_session }));
        set_generation(&view, "u", 7, 1000);
        assert!(view.is_revoked(&of_session));
        assert!(!view.is_revoked(&TokenIdentity { user_generation: 7, ..of_session }));
        revoke_token(&view, "t", 1000);
        assert!(view.is_revoked(&TokenIdentity { user_generation: 7, ..of_session }), "itself");
    }

    #[test]
    fn a_bound_outside_of_the_range_revokes_all() {
        let view = view();
        // A clock before the epoch is wrong.
        revoke_user(&view, "u", UNIX_EPOCH - Duration::from_secs(1), 100);
        assert!(view.is_revoked(&token("t", "s", "u", Some(i64::MAX))));
    }

    #[test]
    fn buckets_are_deleted_whole_and_not_too_early() {
        let view = view();
        for (id, keep_until) in [("a", 60), ("b", 61), ("c", 120), ("d", 121), ("a", 180)] {
            revoke_token(&view, id, keep_until);
        }
        assert_eq!(view.size().0, 5);
        for (now, entries, revoked) in
            [(60, 5, "abcd"), (61, 4, "abcd"), (120, 4, "abcd"), (121, 2, "ad"), (180, 2, "ad"), (181, 0, "")]
        {
            view.drop_expired(now);
            assert_eq!(view.size().0, entries, "at {now}");
            for id in ["a", "b", "c", "d"] {
                let expected = revoked.contains(id);
                assert_eq!(view.is_revoked(&token(id, "s", "u", None)), expected, "{id} at {now}");
            }
        }
    }

    #[test]
    fn a_wrong_clock_deletes_nothing() {
        let view = view();
        revoke_token(&view, "a", 60);
        view.drop_expired(i64::MAX);
        assert_eq!(view.size().0, 1);
    }

    #[test]
    fn the_epoch_changes_with_every_change() {
        let view = view();
        let before = view.epoch();
        revoke_token(&view, "a", 60);
        assert_ne!(view.epoch(), before);
    }
}
