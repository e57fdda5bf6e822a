//! What is revoked, in the memory of this process: asked on every request, so it waits for nothing.
//!
//! An entry is 16 bytes: 12 of a keyed hash of issuer, kind and id, and 4 for the time up to which tokens are revoked. The
//! hash's keys are this process's own and random (SipHash of the standard library, twice), so nobody can aim at a
//! collision. One by chance, at 10 million entries once in 10²¹ requests, would refuse a good token, and never let a
//! revoked one pass.
//!
//! The entries stand in shards, so that one that grows keeps no request waiting for long, and in each by the time at which
//! they may go, in buckets that are dropped whole.

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

/// How many buckets an entry's term is cut into: more of them hold fewer dead entries, and take longer to look through.
const BUCKETS_A_TERM: i64 = 12;

/// What is revoked.
#[derive(Debug)]
pub(crate) struct RevocationView {
    shards: [RwLock<Shard>; SHARDS],
    hashers: [RandomState; 2],
    /// Changes after each change of the set: a reader that takes it first, and then finds a token not revoked, need not
    /// look again while it stays the same.
    epoch: AtomicU64,
    /// In seconds.
    bucket_width: i64,
}

/// The buckets, by the time in seconds since the epoch at which they are dropped.
#[derive(Debug, Default)]
struct Shard {
    buckets: BTreeMap<i64, Bucket>,
}

type Bucket = HashMap<Key, Bound, BuildHasherDefault<KeyHasher>>;

/// Issuer, kind and id of what is revoked, as 96 bits of a keyed hash. Bytes, so that no padding stands between entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    first: [u8; 8],
    shard: u8,
    rest: [u8; 3],
}

/// The `iat` up to which tokens are revoked, in seconds since the epoch, as bytes; [`ALWAYS`] for a token or a session,
/// which are revoked whenever they were issued.
#[derive(Clone, Copy, Debug, Default)]
struct Bound([u8; 4]);

const ALWAYS: u32 = u32::MAX;

#[derive(Clone, Copy, Hash)]
enum Kind {
    Token,
    Session,
    User,
}

impl RevocationView {
    /// Nothing revoked. `term` is how long most entries are kept.
    pub(crate) fn new(term: Duration) -> Self {
        let term = i64::try_from(term.as_secs()).unwrap_or(i64::MAX);
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            hashers: [RandomState::new(), RandomState::new()],
            epoch: AtomicU64::new(1),
            bucket_width: (term / BUCKETS_A_TERM).max(60),
        }
    }

    /// Take it before [`is_revoked`](Self::is_revoked) is asked.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        let hit = |kind, id: &str| {
            let key = self.key(kind, token.issuer, id);
            // Where an entry exists, a token that does not say when it was issued can't be shown to be newer.
            read(self.shard(&key)).bounds(&key).any(|bound| {
                bound == ALWAYS || token.issued_at.is_none_or(|issued_at| issued_at <= i64::from(bound))
            })
        };
        token.token_id.is_some_and(|id| hit(Kind::Token, id))
            || token.session_id.is_some_and(|id| hit(Kind::Session, id))
            || hit(Kind::User, token.subject)
    }

    pub(crate) fn is_session_revoked(&self, issuer: &str, session_id: &str) -> bool {
        let key = self.key(Kind::Session, issuer, session_id);
        read(self.shard(&key)).bounds(&key).next().is_some()
    }

    /// The `iat` up to which all tokens of a user are revoked; `None` if there is no such bound.
    pub(crate) fn user_bound(&self, issuer: &str, subject: &str) -> Option<i64> {
        let key = self.key(Kind::User, issuer, subject);
        read(self.shard(&key)).bounds(&key).max().map(i64::from)
    }

    /// When this returns, the revocations are in force.
    pub(crate) fn apply<'r>(&self, entries: impl IntoIterator<Item = &'r LoggedRevocation>) {
        for entry in entries {
            let (kind, issuer, id, bound) = match &entry.revocation {
                Revocation::Token { issuer, token_id } => (Kind::Token, issuer, token_id, ALWAYS),
                Revocation::Session { issuer, session_id } => (Kind::Session, issuer, session_id, ALWAYS),
                Revocation::User { issuer, subject, issued_at_or_before } => {
                    let bound = unix_seconds(*issued_at_or_before);
                    (Kind::User, issuer, subject, u32::try_from(bound).unwrap_or(ALWAYS))
                }
            };
            let key = self.key(kind, issuer, id);
            let ends = self.bucket_end(unix_seconds(entry.keep_until));
            let mut shard = write(self.shard(&key));
            let known = shard.buckets.entry(ends).or_default().entry(key).or_default();
            // It only ever moves forward.
            *known = Bound(bound.max(u32::from_ne_bytes(known.0)).to_ne_bytes());
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Drops what may go. It takes nothing back from anybody, so the epoch stays.
    pub(crate) fn drop_expired(&self, now: i64) {
        // A clock that stands wrong must not be what forgets.
        if now == i64::MAX {
            return;
        }
        for shard in &self.shards {
            let dropped = {
                let mut shard = write(shard);
                match shard.buckets.first_key_value() {
                    Some((ends, _)) if *ends < now => {
                        let living = shard.buckets.split_off(&now);
                        std::mem::replace(&mut shard.buckets, living)
                    }
                    _ => continue,
                }
            };
            // Given back to the allocator when nobody waits for the shard any more.
            drop(dropped);
        }
    }

    /// How many entries there are, and how many bytes their tables take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (mut entries, mut bytes) = (0, 0);
        for shard in &self.shards {
            for bucket in read(shard).buckets.values() {
                entries += bucket.len();
                // Seven of eight slots are used at most, and each has a byte beside it.
                let slots = (bucket.capacity() * 8 / 7).next_power_of_two();
                bytes += slots * (size_of::<(Key, Bound)>() + 1);
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

    /// The end of the bucket that something kept until then belongs in: not before it.
    fn bucket_end(&self, keep_until: i64) -> i64 {
        let into = keep_until.rem_euclid(self.bucket_width);
        if into == 0 { keep_until } else { keep_until.saturating_add(self.bucket_width - into) }
    }
}

impl Shard {
    fn bounds(&self, key: &Key) -> impl Iterator<Item = u32> {
        self.buckets.values().filter_map(|bucket| bucket.get(key)).map(|bound| u32::from_ne_bytes(bound.0))
    }
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

/// A key is a hash already.
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

    /// Of a term that makes buckets of 60 seconds.
    fn view() -> RevocationView {
        RevocationView::new(Duration::from_secs(720))
    }

    fn token<'a>(jti: &'a str, sid: &'a str, sub: &'a str, iat: Option<i64>) -> TokenIdentity<'a> {
        TokenIdentity {
            issuer: "i",
            subject: sub,
            token_id: Some(jti),
            session_id: Some(sid),
            issued_at: iat,
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
        assert!(!view.is_revoked(&token("s1", "t1", "u", None)), "kinds don't mix");
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
        assert_eq!(view.user_bound("i", "u"), Some(50));
        assert_eq!(view.user_bound("j", "u"), None);
    }

    #[test]
    fn a_bound_that_no_clock_gives_revokes_all() {
        let view = view();
        // A clock before the epoch stands wrong.
        revoke_user(&view, "u", UNIX_EPOCH - Duration::from_secs(1), 100);
        assert!(view.is_revoked(&token("t", "s", "u", Some(i64::MAX))));
    }

    #[test]
    fn buckets_go_whole_and_not_too_early() {
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
    fn a_wrong_clock_forgets_nothing() {
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
