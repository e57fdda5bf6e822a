//! The cache of verified tokens: the signature of a token is checked once.
//!
//! **What is in it.** Verified tokens with their principals. Invalid tokens are never stored, so a caller without a valid token
//! can't fill the cache. What can change between two requests is checked each time: `exp`, `nbf`, `iat`, the age of the view of
//! revocations, and whether something was revoked since the token was last looked up there (the epoch).
//!
//! **How a token is found.** By all of its bytes. Only the last bytes, which are a part of the signature, are hashed, with a key
//! that is random in each process; the hash identifies nothing. An entry also knows whether the key that verified its token was
//! withdrawn: from then on it no longer counts, also if its verification began before and ended after that.
//!
//! **What its timing reveals.** A hit is faster than a verification, so a caller that sends a token can learn that this token
//! was used here lately. It must have the whole token for that, with its signature. A guess that is nearly right reveals as
//! little as any other: bytes are compared in constant time, and entries are found by a keyed hash.
//!
//! **Tokens in memory.** The cache has whole tokens in memory while they are in use; without it, each is there for one request.
//! An attacker that reads the memory of the process can also take its keys or wait for the next request, but a core dump or a
//! swapped page then contains more valid tokens. If that matters more than speed, reduce the cache or turn it off:
//! [`AuthBuilder::token_cache`](crate::AuthBuilder::token_cache).

use std::fmt;
use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};

use crate::principal::Principal;

/// How much of a token's end its place is found by.
const HASHED_BYTES: usize = 32;

/// The cache of verified tokens.
pub(crate) struct TokenCache {
    /// `None`: it is turned off.
    entries: Option<Cache<Token, Arc<Verified>, Weight, RandomState>>,
}

/// A verified token: its principal, and for how long the verification counts.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) principal: Principal,
    /// The epoch of the view of revocations before the token was found not revoked.
    epoch: AtomicU64,
}

impl Verified {
    pub(crate) fn new(principal: Principal, epoch: u64) -> Self {
        Self { principal, epoch: AtomicU64::new(epoch) }
    }

    fn is_withdrawn(&self) -> bool {
        self.principal.token().key_is_withdrawn()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The token was not revoked, by a view whose epoch was this before it was asked.
    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Release);
    }
}

impl TokenCache {
    /// For at most so many entries, and so many bytes in all; none if either is 0.
    pub(crate) fn new(max_entries: usize, max_bytes: usize) -> Self {
        let entries = (max_entries > 0 && max_bytes > 0).then(|| {
            let bytes = max_bytes as u64;
            let weight = Weight { least: bytes.div_ceil(max_entries as u64) };
            Cache::with(max_entries, bytes, weight, RandomState::new(), DefaultLifecycle::default())
        });
        Self { entries }
    }

    /// Returns the entry of `token`, if the key that verified it was not withdrawn.
    pub(crate) fn get(&self, token: &str) -> Option<Arc<Verified>> {
        self.entries.as_ref()?.get(&TokenText(token)).filter(|verified| !verified.is_withdrawn())
    }

    /// Removes the entries whose keys were withdrawn. They no longer count already: this frees their memory.
    pub(crate) fn remove_withdrawn(&self) {
        if let Some(entries) = &self.entries {
            entries.retain(|_, verified| !verified.is_withdrawn());
        }
    }

    pub(crate) fn insert(&self, token: &str, verified: Verified) {
        if let Some(entries) = &self.entries {
            entries.insert(Token(token.into()), Arc::new(verified));
        }
    }

    /// How many tokens are in it.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, Cache::len)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.as_ref().map(Cache::len);
        f.debug_struct("TokenCache").field("entries", &entries).finish_non_exhaustive()
    }
}

/// A token that is kept.
struct Token(Box<str>);

/// A token that is looked for.
struct TokenText<'t>(&'t str);

impl Hash for TokenText<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let bytes = self.0.as_bytes();
        state.write(bytes.last_chunk::<HASHED_BYTES>().map_or(bytes, |end| end));
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        TokenText(&self.0).hash(state);
    }
}

/// In constant time for tokens of one length.
impl Equivalent<Token> for TokenText<'_> {
    fn equivalent(&self, kept: &Token) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), kept.0.as_bytes()).is_ok()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        TokenText(&self.0).equivalent(other)
    }
}

impl Eq for Token {}

/// What an entry takes of the bound on bytes.
#[derive(Clone, Debug)]
struct Weight {
    /// No entry weighs less, so that the bound on bytes is one on entries too.
    least: u64,
}

impl Weighter<Token, Arc<Verified>> for Weight {
    fn weight(&self, token: &Token, _: &Arc<Verified>) -> u64 {
        /// The token's text, its payload, the claims read from it at once, and all of them once a handler asks.
        const TIMES: u64 = 8;
        const FIXED: u64 = 512;
        (FIXED + TIMES * token.0.len() as u64).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::{TokenCache, Verified};
    use crate::principal::Principal;
    use crate::verify::{KeyStatus, TokenClaims, VerifiedToken};
    use crate::vocabulary::VocabularyIndex;

    fn verified(key: &KeyStatus) -> Verified {
        let claims = TokenClaims::from_json(br#"{"sub":"alice"}"#).unwrap();
        let token = VerifiedToken::new(claims).with_key(key.clone());
        let principal = Principal::identify(token, &VocabularyIndex::default(), None);
        Verified::new(principal.unwrap(), 1)
    }

    #[test]
    fn a_token_is_known_by_all_of_its_bytes() {
        let cache = TokenCache::new(100, 1 << 20);
        let end = "0123456789012345678901234567890123456789";
        let tokens = [format!("a{end}"), format!("b{end}"), end.to_owned(), "short".to_owned()];
        assert!(cache.get(&tokens[0]).is_none());
        cache.insert(&tokens[0], verified(&KeyStatus::default()));
        for (token, expected) in tokens.iter().zip([true, false, false, false]) {
            assert_eq!(cache.get(token).is_some(), expected, "{token}");
        }
    }

    #[test]
    fn the_tokens_of_a_withdrawn_key_no_longer_count_and_others_stay() {
        let cache = TokenCache::new(100, 1 << 20);
        let [gone, kept] = [KeyStatus::default(), KeyStatus::default()];
        cache.insert("of gone", verified(&gone));
        cache.insert("of kept", verified(&kept));
        assert!(cache.get("of gone").is_some());
        gone.withdraw();
        assert!(cache.get("of gone").is_none());
        cache.remove_withdrawn();
        assert_eq!(cache.len(), 1);
        assert!(cache.get("of kept").is_some());
        // A verification that began before the key was withdrawn ends after it.
        cache.insert("of gone", verified(&gone));
        assert!(cache.get("of gone").is_none());
    }

    #[test]
    fn it_is_bounded_by_entries_and_by_bytes() {
        let long = "x".repeat(1000);
        for (max_entries, max_bytes, text, expected) in
            [(64, 1 << 30, "", 64), (100_000, 1 << 20, &*long, (1 << 20) / 8512), (0, 1 << 20, "", 0)]
        {
            let cache = TokenCache::new(max_entries, max_bytes);
            for n in 0..1000 {
                cache.insert(&format!("{text}{n}"), verified(&KeyStatus::default()));
            }
            assert!(cache.len() <= expected, "{} of {expected}", cache.len());
            assert!(cache.len() >= expected / 2, "{} of {expected}", cache.len());
        }
    }
}
