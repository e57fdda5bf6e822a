//! The keys of an issuer as they change: which are used, and which were withdrawn.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use crate::excerpt::Excerpt;
use crate::jose::{KeyIdentity, PreparedKey};

/// The keys of an issuer. They can be replaced while tokens are verified.
#[derive(Debug)]
pub(super) struct IssuerKeys {
    current: ArcSwap<Vec<IssuerKey>>,
    trust: Arc<Trust>,
    /// Held while keys are replaced: each replacement must be compared with the one before it.
    replacing: Mutex<()>,
}

/// A key of an issuer.
#[derive(Debug)]
pub(super) struct IssuerKey {
    pub(super) key: PreparedKey,
    pub(super) status: KeyStatus,
}

/// Whether a key still is a key of its issuer, and of which one. A verified token has the status of the key that verified it, so it is known for
/// each token, and not only for each issuer, whether a change of keys concerns it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyStatus(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_withdrawn: AtomicBool,
    /// Of all keys of the issuer.
    trust: Arc<Trust>,
    /// The member `issuer` of its JWK.
    issuer: Option<Box<str>>,
}

/// For how long the keys of an issuer serve. Given keys serve for ever, and fetched ones until the provider has not answered for too long.
#[derive(Debug, Default)]
struct Trust {
    until: Time,
    /// From when on it is certain that nothing refreshes them.
    overdue_at: Time,
}

/// A time in milliseconds of the monotonic clock. Default: never.
#[derive(Debug)]
struct Time(AtomicU64);

impl Default for Time {
    fn default() -> Self {
        Self(AtomicU64::new(Self::NEVER))
    }
}

impl Time {
    const NEVER: u64 = u64::MAX;

    /// `now` is asked for only where it counts.
    fn has_come(&self, now: impl FnOnce() -> Duration) -> bool {
        match self.0.load(Ordering::Acquire) {
            Self::NEVER => false,
            time => now().as_millis() >= u128::from(time),
        }
    }

    fn set(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(Self::NEVER - 1);
        self.0.store(millis.min(Self::NEVER - 1), Ordering::Release);
    }
}

impl KeyStatus {
    fn of(key: &PreparedKey, trust: &Arc<Trust>) -> Self {
        let (trust, issuer) = (Arc::clone(trust), key.issuer.clone());
        Self(Arc::new(State { is_withdrawn: AtomicBool::new(false), trust, issuer }))
    }

    /// The issuer that the key is published for, if its set says so.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.0.is_withdrawn.load(Ordering::Acquire)
    }

    pub(crate) fn withdraw(&self) {
        self.0.is_withdrawn.store(true, Ordering::Release);
    }

    /// Whether the keys of its issuer were fetched too long ago. `now` is the time of the monotonic clock.
    pub(crate) fn is_too_old(&self, now: impl FnOnce() -> Duration) -> bool {
        self.0.trust.until.has_come(now)
    }

    /// Whether nothing refreshes the keys of its issuer: it may have been withdrawn long ago.
    pub(crate) fn is_overdue(&self, now: impl FnOnce() -> Duration) -> bool {
        self.0.trust.overdue_at.has_come(now)
    }
}

impl IssuerKeys {
    /// Keys that are given.
    pub(super) fn new(keys: Vec<PreparedKey>) -> Self {
        let trust = Arc::new(Trust::default());
        let keys = keys.into_iter().map(|key| IssuerKey { status: KeyStatus::of(&key, &trust), key });
        Self { current: ArcSwap::from_pointee(keys.collect()), trust, replacing: Mutex::new(()) }
    }

    /// Keys that have yet to be fetched.
    pub(super) fn not_fetched() -> Self {
        let keys = Self::new(Vec::new());
        keys.trust_until(Duration::ZERO);
        keys
    }

    /// Sets until when the keys serve, by the monotonic clock.
    pub(super) fn trust_until(&self, time: Duration) {
        self.trust.until.set(time);
    }

    /// Sets from when on it is certain that nothing refreshes them.
    pub(super) fn overdue_at(&self, time: Duration) {
        self.trust.overdue_at.set(time);
    }

    /// Whether the keys serve.
    pub(super) fn are_trusted(&self, now: Duration) -> bool {
        !self.trust.until.has_come(|| now)
    }

    pub(super) fn load(&self) -> Guard<Arc<Vec<IssuerKey>>> {
        self.current.load()
    }

    /// Replaces the keys. Withdrawn are those that are not among the new ones, with the same algorithm and id.
    pub(super) fn replace(&self, keys: Vec<PreparedKey>) -> KeyChange {
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.current.load_full();
        let known: HashMap<KeyIdentity<'_>, &KeyStatus> =
            old.iter().filter_map(|known| Some((known.key.identity()?, &known.status))).collect();
        let mut change = KeyChange::default();
        let keys = keys.into_iter().map(|key| {
            let same = key.identity().and_then(|identity| known.get(&identity).copied());
            let status = same.cloned().unwrap_or_else(|| {
                change.new.note(key.id.as_deref());
                KeyStatus::of(&key, &self.trust)
            });
            IssuerKey { key, status }
        });
        let new: Vec<IssuerKey> = keys.collect();
        let kept: HashSet<KeyIdentity<'_>> = new.iter().filter_map(|new| new.key.identity()).collect();
        let is_kept = |known: &IssuerKey| known.key.identity().is_some_and(|known| kept.contains(&known));
        let withdrawn: Vec<KeyStatus> = old
            .iter()
            .filter(|known| !is_kept(known))
            .map(|known| {
                change.withdrawn.note(known.key.id.as_deref());
                known.status.clone()
            })
            .collect();
        drop(kept);
        // First the keys: from the moment that the last status is set, no token of a withdrawn key is verified or remembered.
        self.current.store(Arc::new(new));
        withdrawn.iter().for_each(KeyStatus::withdraw);
        change
    }
}

/// What a replacement has changed.
#[derive(Debug, Default)]
pub(super) struct KeyChange {
    pub(super) new: NotedKeys,
    pub(super) withdrawn: NotedKeys,
}

/// Keys, for the log: how many, and the ids of the first.
#[derive(Debug, Default)]
pub(super) struct NotedKeys {
    pub(super) count: usize,
    ids: Vec<Excerpt>,
}

impl NotedKeys {
    fn note(&mut self, id: Option<&str>) {
        /// Of how many keys the ids are shown.
        const SHOWN: usize = 10;
        self.count += 1;
        if self.ids.len() < SHOWN {
            self.ids.push(Excerpt::new(id.unwrap_or_default()));
        }
    }
}

/// As in `2: "2027-01", "2027-02"`.
impl fmt::Display for NotedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        let mut separators = std::iter::once(": ").chain(std::iter::repeat(", "));
        self.ids.iter().try_for_each(|id| write!(f, "{}{id}", separators.next().unwrap_or_default()))?;
        f.write_str(if self.count > self.ids.len() { ", .." } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::IssuerKeys;
    use crate::jose::{Algorithm, Key, PreparedKey, SigningKey};

    fn secret(byte: u8, id: &str) -> PreparedKey {
        Key::secret(Algorithm::HS256, [byte; 32]).with_id(id).prepare().unwrap()
    }

    #[test]
    fn a_key_is_withdrawn_if_it_is_gone_or_has_another_algorithm_id_or_material() {
        let pair = SigningKey::generate(Algorithm::ES256).unwrap().with_id("e");
        let public = || pair.verifying_key().prepare().unwrap();
        let as_jwk = || {
            let jwk = serde_json::to_string(&public().to_jwk().unwrap()).unwrap();
            Key::jwk(jwk).prepare().unwrap()
        };
        let other_algorithm = || Key::secret(Algorithm::HS512, [1; 64]).with_id("a").prepare().unwrap();
        let renamed = || pair.verifying_key().with_id("f").prepare().unwrap();
        let rows: [(&str, Vec<PreparedKey>, [bool; 2]); 8] = [
            ("the same", vec![secret(1, "a"), public()], [false, false]),
            ("in another order and form", vec![as_jwk(), secret(1, "a")], [false, false]),
            ("with one more", vec![secret(2, "b"), secret(1, "a"), public()], [false, false]),
            ("without one", vec![secret(1, "a")], [false, true]),
            ("another secret", vec![secret(2, "a"), public()], [true, false]),
            ("another id", vec![secret(1, "b"), renamed()], [true, true]),
            ("another algorithm", vec![other_algorithm(), public()], [true, false]),
            ("none of them", vec![secret(9, "z")], [true, true]),
        ];
        for (what, new, expected) in rows {
            let keys = IssuerKeys::new(vec![secret(1, "a"), public()]);
            let statuses: Vec<_> = keys.load().iter().map(|key| key.status.clone()).collect();
            let count = keys.replace(new).withdrawn.count;
            let withdrawn: Vec<_> = statuses.iter().map(super::KeyStatus::is_withdrawn).collect();
            assert_eq!(withdrawn, expected, "{what}");
            assert_eq!(count, expected.iter().filter(|gone| **gone).count(), "{what}");
        }
    }

    #[test]
    fn fetched_keys_serve_until_the_time_that_was_set_last_and_given_ones_for_ever() {
        let at = Duration::from_secs;
        let given = IssuerKeys::new(vec![secret(1, "a")]);
        assert!(given.are_trusted(Duration::MAX));
        let fetched = IssuerKeys::not_fetched();
        assert!(!fetched.are_trusted(at(0)));
        fetched.replace(vec![secret(1, "a")]);
        let status = fetched.load().first().unwrap().status.clone();
        for until in [10, 20] {
            fetched.trust_until(at(until));
            assert!(!status.is_too_old(|| at(until - 1)) && fetched.are_trusted(at(until - 1)));
            assert!(status.is_too_old(|| at(until)) && !fetched.are_trusted(at(until)));
        }
    }

    #[test]
    fn a_key_that_comes_back_is_another_one() {
        let keys = IssuerKeys::new(vec![secret(1, "a")]);
        let before = keys.load().first().unwrap().status.clone();
        keys.replace(vec![secret(2, "b")]);
        keys.replace(vec![secret(1, "a")]);
        assert!(before.is_withdrawn());
        assert!(!keys.load().first().unwrap().status.is_withdrawn());
    }
}
