//! The view: the revocations in the memory of this process. Every request reads it, so reading never waits for I/O.
//!
//! An entry has 16 bytes: 12 of a keyed hash of issuer, kind and id, and 4 for the time up to which tokens are revoked, or for the
//! generation that is valid. The keys of the hash are random and belong to this process alone (SipHash of the standard library, twice),
//! so an attacker can't construct a collision. A random collision (with 10 million entries, once in 10²¹ requests) would reject a valid
//! token, and never accept a revoked one.
//!
//! The entries are divided into shards, so that a shard that grows delays few requests. In each shard they are divided into
//! buckets by the time at which they can be deleted. A bucket is deleted as a whole.

mod key_hasher;
mod shard;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

pub(super) use self::shard::Key;
use self::shard::{Bucket, Entry, Shard, read, write};
use super::generation::is_newer;
use super::waiters::{Registration, Waiters};
use super::{SubjectCaches, Subjects};
use crate::clock::unix_seconds;
use crate::principal::TokenIdentity;
use crate::store::LoggedRevocation;
use crate::store::Revocation;

pub(super) const SHARDS: usize = 64;

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
    /// Whether all tokens of an issuer were ever revoked: seldom, and then each token is looked up by its issuer too.
    has_issuers: AtomicBool,
    waiters: Arc<Waiters>,
    /// What is evicted when a subject is forgotten.
    caches: SubjectCaches,
    /// How many subjects were forgotten.
    forgotten: AtomicU32,
    /// The number of the last time that all subjects were.
    all_forgotten: AtomicU32,
}

const ALWAYS: u32 = u32::MAX;

/// How much longer new sessions are of a generation than others are revoked, in seconds: 16 days. The times by which two instances
/// forget differ by less, and all instances have the same value.
pub(super) const GENERATION_LAG: i64 = 16 * 24 * 60 * 60;

#[derive(Clone, Copy, Hash)]
enum Kind {
    Token,
    Session,
    User,
    /// As the issuer names it. Waiters are those of `User`.
    UserBySub,
    /// The generation that is valid: tokens of others are revoked.
    OtherGenerations,
    /// The generation that new sessions are of. It is kept longer, until no instance revokes others.
    Generation,
    /// All users of an issuer. The id is empty, in this kind and the next two.
    Issuer,
    /// The generation of all users that is valid.
    OtherIssuerGenerations,
    /// The generation of all users that new sessions are of.
    IssuerGeneration,
    /// What was loaded for a user is loaded again. Its value is the number of the last time.
    Forgotten,
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
            has_issuers: AtomicBool::new(false),
            waiters: Arc::new(Waiters::new()),
            caches: SubjectCaches::default(),
            forgotten: AtomicU32::new(0),
            all_forgotten: AtomicU32::new(0),
        }
    }

    /// Adds a waiter that is woken by what concerns this token, its session or its user. Look at the view after it.
    pub(crate) fn register_waiter(&self, token: &TokenIdentity<'_>) -> Registration {
        let key = |kind, id: &str| self.key(kind, token.issuer, id);
        self.waiters.register([
            Some(key(Kind::User, token.subject)),
            token.session_id.map(|id| key(Kind::Session, id)),
            token.token_id.map(|id| key(Kind::Token, id)),
            token.sub.filter(|sub| *sub != token.subject).map(|sub| key(Kind::User, sub)),
        ])
    }

    #[cfg(test)]
    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// Wakes every waiter: something changed that the view does not know.
    pub(crate) fn wake_all(&self) {
        self.waiters.wake_all();
    }

    /// The same, which evicts from these caches too.
    pub(super) fn with_caches(self, caches: SubjectCaches) -> Self {
        Self { caches, ..self }
    }

    /// How long what it evicts from remembers, at the longest.
    pub(super) fn longest_cache(&self) -> Duration {
        self.caches.longest()
    }

    /// Returns the epoch. Call it before [`is_revoked`](Self::is_revoked).
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        let matches = |kind, id: &str| self.is_up_to_bound(kind, token, id);
        if token.token_id.is_some_and(|id| matches(Kind::Token, id))
            || token.session_id.is_some_and(|id| matches(Kind::Session, id))
        {
            return true;
        }
        let generation = self.value(Kind::OtherGenerations, token.issuer, token.subject);
        if generation != 0 && generation != token.user_generation {
            return true;
        }
        // The sessions of the own issuer are ended one by one, or by their generation, whatever the clock showed.
        let is_of_own_session =
            token.session_id.is_some() && self.own_issuer.as_deref() == Some(token.issuer);
        !is_of_own_session
            && (matches(Kind::User, token.subject)
                || token.sub.is_some_and(|sub| matches(Kind::UserBySub, sub)))
            || self.has_issuers.load(Ordering::Acquire) && self.is_issuer_revoked(token, is_of_own_session)
    }

    /// Whether it was revoked with all tokens of its issuer.
    #[cold]
    fn is_issuer_revoked(&self, token: &TokenIdentity<'_>, is_of_own_session: bool) -> bool {
        let generation = self.value(Kind::OtherIssuerGenerations, token.issuer, "");
        generation != 0 && generation != token.issuer_generation
            || !is_of_own_session && self.is_up_to_bound(Kind::Issuer, token, "")
    }

    /// Whether a token was issued by the time up to which what it is named by is revoked.
    fn is_up_to_bound(&self, kind: Kind, token: &TokenIdentity<'_>, id: &str) -> bool {
        let key = self.key(kind, token.issuer, id);
        // A token without `iat` can't be shown to be newer than the bound.
        read(self.shard(&key)).values(&key).any(|bound| {
            bound == ALWAYS || token.issued_at.is_none_or(|issued_at| issued_at <= i64::from(bound))
        })
    }

    pub(crate) fn is_session_revoked(&self, issuer: &str, session_id: &str) -> bool {
        let key = self.key(Kind::Session, issuer, session_id);
        read(self.shard(&key)).values(&key).next().is_some()
    }

    /// Returns the generation that the user's new sessions are of; 0 if the user was not logged out everywhere lately.
    pub(crate) fn user_generation(&self, issuer: &str, subject: &str) -> u32 {
        self.value(Kind::Generation, issuer, subject)
    }

    /// Returns the generation that the new sessions of all users are of; 0 if they were not all logged out lately.
    pub(crate) fn issuer_generation(&self, issuer: &str) -> u32 {
        self.value(Kind::IssuerGeneration, issuer, "")
    }

    fn value(&self, kind: Kind, issuer: &str, id: &str) -> u32 {
        let key = self.key(kind, issuer, id);
        read(self.shard(&key)).values(&key).next().unwrap_or(0)
    }

    /// Returns how many subjects were forgotten.
    pub(crate) fn forgotten(&self) -> u32 {
        self.forgotten.load(Ordering::Acquire)
    }

    /// Returns the number of the last time that this subject was forgotten; 0 if it was not lately.
    pub(crate) fn last_forgotten(&self, issuer: &str, subject: &str) -> u32 {
        self.value(Kind::Forgotten, issuer, subject).max(self.all_forgotten.load(Ordering::Acquire))
    }

    /// Returns whether this subject was forgotten since so many were.
    pub(crate) fn is_forgotten_since(&self, forgotten: u32, issuer: &str, subject: &str) -> bool {
        self.last_forgotten(issuer, subject) > forgotten
    }

    /// Returns until when the view keeps the generation of a user, in seconds since the epoch; 0 if there is none.
    pub(crate) fn user_generation_end(&self, issuer: &str, subject: &str) -> i64 {
        self.end(Kind::Generation, issuer, subject)
    }

    /// The same of all users.
    pub(crate) fn issuer_generation_end(&self, issuer: &str) -> i64 {
        self.end(Kind::IssuerGeneration, issuer, "")
    }

    fn end(&self, kind: Kind, issuer: &str, id: &str) -> i64 {
        let key = self.key(kind, issuer, id);
        let shard = read(self.shard(&key));
        let holds = |(_, bucket): &(&i64, &Bucket)| bucket.contains_key(&key);
        shard.buckets.iter().find(holds).map_or(0, |(ends, _)| *ends)
    }

    /// Adds revocations, and evicts what was loaded for subjects. They are enforced when this returns.
    pub(crate) fn apply<'r>(&self, entries: impl IntoIterator<Item = &'r LoggedRevocation, IntoIter: Clone>) {
        let entries = entries.into_iter();
        // First: what is loaded after the eviction has this number, and does not end by it.
        entries.clone().for_each(|entry| self.number_forgotten(entry));
        self.caches.apply(entries.clone());
        for entry in entries {
            match &entry.revocation {
                Revocation::OtherGenerations { issuer, subject, generation } => {
                    let kinds = [Kind::Generation, Kind::OtherGenerations];
                    self.set_generation(kinds, issuer, subject, *generation, entry.keep_until);
                    self.waiters.wake(self.key(Kind::User, issuer, subject));
                }
                Revocation::OtherIssuerGenerations { issuer, generation } => {
                    self.has_issuers.store(true, Ordering::Release);
                    let kinds = [Kind::IssuerGeneration, Kind::OtherIssuerGenerations];
                    self.set_generation(kinds, issuer, "", *generation, entry.keep_until);
                    self.waiters.wake_all();
                }
                // It revokes nothing.
                Revocation::Forgotten { issuer, subject } => {
                    self.waiters.wake(self.key(Kind::User, issuer, subject));
                }
                revocation => self.raise(revocation, self.bucket_end(unix_seconds(entry.keep_until))),
            }
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Sets the generation that new sessions are of, and revokes the tokens of others, which is forgotten first.
    fn set_generation(
        &self,
        [valid, others]: [Kind; 2],
        issuer: &str,
        id: &str,
        generation: u32,
        keep_until: SystemTime,
    ) {
        let keep_until = unix_seconds(keep_until);
        for (kind, until) in [(valid, keep_until), (others, keep_until.saturating_sub(GENERATION_LAG))] {
            let key = self.key(kind, issuer, id);
            let ends = self.bucket_end(until);
            write(self.shard(&key)).replace(key, generation, ends, is_newer);
        }
    }

    /// Enforces a revocation up to a time, until `ends`, and wakes those whom it concerns.
    fn raise(&self, revocation: &Revocation, ends: i64) {
        let Some((kind, issuer, id, value)) = up_to(revocation) else { return };
        let key = self.key(kind, issuer, id);
        if matches!(kind, Kind::Issuer) {
            self.has_issuers.store(true, Ordering::Release);
        }
        write(self.shard(&key)).raise(key, value, ends);
        match kind {
            Kind::Issuer => self.waiters.wake_all(),
            Kind::UserBySub => self.waiters.wake(self.key(Kind::User, issuer, id)),
            _ => self.waiters.wake(key),
        }
    }

    /// Returns whether this revocation, or one up to a later time, is enforced already.
    pub(super) fn enforces(&self, revocation: &Revocation) -> bool {
        up_to(revocation).is_some_and(|(kind, issuer, id, value)| {
            let key = self.key(kind, issuer, id);
            read(self.shard(&key)).values(&key).any(|known| known >= value)
        })
    }

    /// Gives an entry that says that a subject is forgotten the next number.
    fn number_forgotten(&self, entry: &LoggedRevocation) {
        let Revocation::Forgotten { issuer, subject } = &entry.revocation else { return };
        let key = self.key(Kind::Forgotten, issuer, subject);
        let ends = self.bucket_end(unix_seconds(entry.keep_until));
        let mut shard = write(self.shard(&key));
        let number = self.forgotten.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        shard.replace(key, number, ends, |new, known| new > known);
    }

    /// Evicts what was loaded for every subject.
    pub(super) fn forget_all(&self) {
        let number = self.forgotten.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        self.all_forgotten.fetch_max(number, Ordering::AcqRel);
        self.caches.forget(Subjects::All);
        self.waiters.wake_all();
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
        &self.shards[key.shard()]
    }

    /// Returns the end of the bucket for an entry that is kept until `keep_until`. It is not before that time.
    fn bucket_end(&self, keep_until: i64) -> i64 {
        let into = keep_until.rem_euclid(self.bucket_width);
        if into == 0 { keep_until } else { keep_until.saturating_add(self.bucket_width - into) }
    }
}

/// What a revocation names, and the `iat` up to which it revokes; `None` if it is of another kind.
fn up_to(revocation: &Revocation) -> Option<(Kind, &str, &str, u32)> {
    let bound = |time: &SystemTime| u32::try_from(unix_seconds(*time)).unwrap_or(ALWAYS);
    match revocation {
        Revocation::Token { issuer, token_id } => Some((Kind::Token, issuer, token_id, ALWAYS)),
        Revocation::Session { issuer, session_id } => Some((Kind::Session, issuer, session_id, ALWAYS)),
        Revocation::User { issuer, subject, issued_at_or_before } => {
            Some((Kind::User, issuer, subject, bound(issued_at_or_before)))
        }
        Revocation::UserBySub { issuer, sub, issued_at_or_before } => {
            Some((Kind::UserBySub, issuer, sub, bound(issued_at_or_before)))
        }
        Revocation::Issuer { issuer, issued_at_or_before } => {
            Some((Kind::Issuer, issuer, "", bound(issued_at_or_before)))
        }
        Revocation::OtherGenerations { .. }
        | Revocation::OtherIssuerGenerations { .. }
        | Revocation::Forgotten { .. } => None,
    }
}

#[cfg(test)]
mod tests;
