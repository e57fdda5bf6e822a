//! The keys of an issuer as they change: which are used, and which were withdrawn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::jose::PreparedKey;

/// The keys of an issuer. They can be replaced while tokens are verified.
#[derive(Debug)]
pub(super) struct IssuerKeys {
    current: ArcSwap<Vec<IssuerKey>>,
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
pub(crate) struct KeyStatus {
    is_withdrawn: Arc<AtomicBool>,
    /// The member `issuer` of its JWK.
    pub(super) issuer: Option<Arc<str>>,
}

impl KeyStatus {
    fn of(key: &PreparedKey) -> Self {
        Self { issuer: key.issuer.as_deref().map(Arc::from), ..Self::default() }
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.is_withdrawn.load(Ordering::Acquire)
    }

    pub(crate) fn withdraw(&self) {
        self.is_withdrawn.store(true, Ordering::Release);
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.is_withdrawn, &other.is_withdrawn)
    }
}

impl IssuerKeys {
    pub(super) fn new(keys: Vec<PreparedKey>) -> Self {
        let keys = keys.into_iter().map(|key| IssuerKey { status: KeyStatus::of(&key), key });
        Self { current: ArcSwap::from_pointee(keys.collect()), replacing: Mutex::new(()) }
    }

    pub(super) fn load(&self) -> Guard<Arc<Vec<IssuerKey>>> {
        self.current.load()
    }

    /// Replaces the keys, and returns how many were withdrawn: those that are not among the new ones, with the same algorithm and id.
    pub(super) fn replace(&self, keys: Vec<PreparedKey>) -> usize {
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.current.load_full();
        let keys = keys.into_iter().map(|key| {
            let same = old.iter().find(|known| known.key.is_same(&key));
            let status = same.map_or_else(|| KeyStatus::of(&key), |known| known.status.clone());
            IssuerKey { key, status }
        });
        let new: Vec<IssuerKey> = keys.collect();
        let is_kept = |known: &&IssuerKey| new.iter().any(|key| key.status.is(&known.status));
        let withdrawn: Vec<KeyStatus> =
            old.iter().filter(|known| !is_kept(known)).map(|known| known.status.clone()).collect();
        // First the keys: from the moment that the last status is set, no token of a withdrawn key is verified or remembered.
        self.current.store(Arc::new(new));
        withdrawn.iter().for_each(KeyStatus::withdraw);
        withdrawn.len()
    }
}

#[cfg(test)]
mod tests {
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
            let count = keys.replace(new);
            let withdrawn: Vec<_> = statuses.iter().map(super::KeyStatus::is_withdrawn).collect();
            assert_eq!(withdrawn, expected, "{what}");
            assert_eq!(count, expected.iter().filter(|gone| **gone).count(), "{what}");
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
