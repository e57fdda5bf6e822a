//! The cache of verified tokens: the signature of a token is checked once; while it is more than three quarters full, twice.
//!
//! **What is in it.** Verified tokens with their principals. Invalid tokens are never stored, so a caller without a valid token
//! can't fill the cache. What can change between two requests is checked each time: `exp`, `nbf`, `iat`, the age of the view of
//! revocations, and whether something was revoked since the token was last looked up there (the epoch).
//!
//! **Tokens that are sent once**, as by a client that gets a new one for each request, would fill it, and take memory that nobody asks for
//! again. So once three quarters are full, a token is remembered when it is sent for the second time, lately.
//!
//! **How a token is found.** By all of its bytes. Only the last bytes, which are a part of the signature, are hashed, with a key
//! that is random in each process; the hash identifies nothing, and what it leads to is compared with the whole token. An entry also
//! knows whether the key that verified its token was withdrawn: from then on it no longer counts, also if its verification began
//! before and ended after that.
//!
//! **What its timing reveals.** A hit is faster than a verification, so a caller that sends a token can learn that this token
//! was used here lately. It must have the whole token for that, with its signature. A guess that is nearly right reveals as
//! little as any other: bytes are compared in constant time, and entries are found by a keyed hash.
//!
//! **Tokens in memory.** The cache has whole tokens in memory while they are in use; without it, each is there for one request.
//! An attacker that reads the memory of the process can also take its keys or wait for the next request, but a core dump or a
//! swapped page then contains more valid tokens. If that matters more than speed, reduce the cache or turn it off:
//! [`AuthBuilder::token_cache`](crate::AuthBuilder::token_cache).

mod sent_once;

use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};

use self::sent_once::SentOnce;
use crate::principal::Principal;

/// How much of a token's end its place is found by.
const HASHED_BYTES: usize = 32;

/// The cache of verified tokens.
pub(crate) struct TokenCache {
    /// `None`: it is turned off.
    entries: Option<Entries>,
}

struct Entries {
    cache: Cache<Token, Principal, Weight, SeedableRandomState>,
    sent_once: SentOnce,
    state: SeedableRandomState,
    max_bytes: u64,
}

impl TokenCache {
    /// So many that by default the bound on bytes alone acts: no entry takes less than a part of the bytes.
    pub(crate) const DEFAULT_ENTRIES: usize = 100_000;
    pub(crate) const DEFAULT_BYTES: usize = 64 * 1024 * 1024;

    /// For at most so many entries, and so many bytes in all; none if either is 0.
    pub(crate) fn new(max_entries: usize, max_bytes: usize) -> Self {
        let entries = (max_entries > 0 && max_bytes > 0).then(|| {
            let bytes = max_bytes as u64;
            let weight = Weight { least: bytes.div_ceil(max_entries as u64) };
            // The seed of the system: foldhash's own is made of addresses and the time.
            let seed = RandomState::new().hash_one(0);
            let state = SeedableRandomState::with_seed(seed, SharedSeed::global_random());
            let cache = Cache::with(max_entries, bytes, weight, state.clone(), DefaultLifecycle::default());
            Entries { cache, sent_once: SentOnce::new(max_bytes), state, max_bytes: bytes }
        });
        Self { entries }
    }

    /// Returns the principal of `token`, if the key that verified it was not withdrawn.
    pub(crate) fn get(&self, token: &str) -> Option<Principal> {
        self.entries.as_ref()?.cache.get(&TokenText(token)).filter(|principal| !is_withdrawn(principal))
    }

    /// Removes the entries whose keys were withdrawn. They no longer count already: this frees their memory.
    pub(crate) fn remove_withdrawn(&self) {
        if let Some(entries) = &self.entries {
            entries.cache.retain(|_, principal| !is_withdrawn(principal));
        }
    }

    /// Remembers a token that was verified. Once three quarters of the cache are full, one that was not sent before lately is not remembered.
    pub(crate) fn insert(&self, token: &str, principal: Principal) {
        let Some(Entries { cache, sent_once, state, max_bytes }) = &self.entries else { return };
        let has_room = || cache.weight() < max_bytes / 4 * 3;
        if sent_once.is_worth_a_place(state.hash_one(TokenText(token)), has_room) {
            cache.insert(Token(token.into()), principal);
        }
    }

    /// How many tokens are in it.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| entries.cache.len())
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.as_ref().map(|entries| entries.cache.len());
        f.debug_struct("TokenCache").field("entries", &entries).finish_non_exhaustive()
    }
}

fn is_withdrawn(principal: &Principal) -> bool {
    principal.token().key_is_withdrawn()
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

impl Weighter<Token, Principal> for Weight {
    fn weight(&self, token: &Token, principal: &Principal) -> u64 {
        /// What the tables of the cache take for an entry, which depends on how full they are.
        const IN_TABLES: usize = 112;
        let bytes = IN_TABLES + token.0.len() + principal.heap_bytes();
        (bytes as u64).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::TokenCache;
    use crate::principal::Principal;
    use crate::verify::{KeyStatus, TokenClaims, VerifiedToken};
    use crate::vocabulary::VocabularyIndex;

    fn verified(key: &KeyStatus) -> Principal {
        let claims = TokenClaims::from_json(br#"{"sub":"alice"}"#).unwrap();
        let token = VerifiedToken::new(claims).with_key(key.clone());
        Principal::identify(token, &VocabularyIndex::default(), None).unwrap()
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
        for (max_entries, max_bytes, text, expected) in [
            (64, 1 << 30, "", 64),
            (2, 1 << 30, "", 2),
            (1, 1 << 30, "", 1),
            (100_000, 1 << 20, &*long, (1 << 20) / 1_500),
            (0, 1 << 20, "", 0),
        ] {
            let cache = TokenCache::new(max_entries, max_bytes);
            for n in 0..1000 {
                cache.insert(&format!("{text}{n}"), verified(&KeyStatus::default()));
            }
            assert!(cache.len() <= expected, "{} of {expected}", cache.len());
            assert!(cache.len() >= expected / 2, "{} of {expected}", cache.len());
        }
    }

    /// A verified token with these claims, as the engine remembers it.
    fn verified_with(claims: &str) -> Principal {
        let claims = TokenClaims::from_json(claims.as_bytes()).unwrap();
        Principal::identify(VerifiedToken::new(claims), &VocabularyIndex::default(), None).unwrap()
    }

    /// Payloads of different shapes, with their sizes in kB: names, texts, numbers, escapes.
    fn payloads() -> Vec<(&'static str, String)> {
        let list =
            |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>().join(",");
        let base = r#""iss":"https://id.example.com","sub":"5f0c6f0e-8a9b-4c1d-9e2f-3a4b5c6d7e8f","aud":"orders","exp":1800000900,"iat":1800000000"#;
        vec![
            ("0.1", r#"{"sub":"alice"}"#.to_owned()),
            (
                "0.3",
                format!(
                    r#"{{{base},"jti":"6FnIIZrnBwqZ7B9LLNNjyw","roles":["editor","author"],"scope":"article:read article:write"}}"#
                ),
            ),
            (
                "2 of roles",
                format!(r#"{{{base},"roles":[{}]}}"#, list(120, &|n| format!(r#""department-{n}""#))),
            ),
            (
                "2 of claims",
                format!(r#"{{{base},{}}}"#, list(60, &|n| format!(r#""attribute_{n}":"value of {n}""#))),
            ),
            (
                "8 of a tree",
                format!(
                    r#"{{{base},"access":{{{}}}}}"#,
                    list(150, &|n| format!(r#""service-{n}":{{"roles":["viewer","editor"],"level":{n}}}"#))
                ),
            ),
            ("2 of numbers", format!(r#"{{{base},"ids":[{}]}}"#, list(300, &|n| format!("{}", 100_000 + n)))),
            (
                "2 of escapes",
                format!(r#"{{{base},"notes":[{}]}}"#, list(100, &|n| format!(r#""line\n\u00e9 of {n}""#))),
            ),
        ]
    }

    #[test]
    fn an_entry_counts_as_many_bytes_as_it_takes() {
        const ENTRIES: usize = 1_500;
        for (shape, claims) in payloads() {
            // As long as the token of these claims, with a signature of RS256.
            let padding = "x".repeat(claims.len() * 4 / 3 + 400);
            let cache = TokenCache::new(1 << 21, 1 << 30);
            let mut counted = 0;
            let taken = allocation_counter::measure(|| {
                for n in 0..ENTRIES {
                    cache.insert(&format!("{padding}{n:06}"), verified_with(&claims));
                }
                counted = cache.entries.as_ref().unwrap().cache.weight();
            });
            assert_eq!(cache.len(), ENTRIES);
            let (counted, taken) =
                (counted as f64 / ENTRIES as f64, taken.bytes_current as f64 / ENTRIES as f64);
            let ratio = counted / taken;
            assert!(
                (0.8..=1.25).contains(&ratio),
                "{shape}: {counted:.0} of {taken:.0} bytes are {ratio:.2}"
            );
        }
    }

    #[test]
    fn by_default_an_entry_counts_as_what_it_takes() {
        let cache = TokenCache::new(TokenCache::DEFAULT_ENTRIES, TokenCache::DEFAULT_BYTES);
        cache.insert("short", verified(&KeyStatus::default()));
        let least = (TokenCache::DEFAULT_BYTES / TokenCache::DEFAULT_ENTRIES) as u64;
        assert!(
            cache.entries.as_ref().unwrap().cache.weight() > least,
            "the number of entries bounds nothing"
        );
    }

    /// As of users whose tokens live long, while others are issued a new token for each request.
    #[test]
    fn tokens_that_are_sent_once_do_not_push_out_those_that_are_sent_again() {
        let (_, claims) = payloads().swap_remove(1);
        for (max_entries, max_bytes, again) in
            [(TokenCache::DEFAULT_ENTRIES, TokenCache::DEFAULT_BYTES, 8_000), (10_000, 64 << 20, 4_000)]
        {
            let cache = TokenCache::new(max_entries, max_bytes);
            let (mut hits, mut asked) = (0, 0);
            for round in 0..8 {
                for n in 0..again {
                    let token = format!("{}again {n:06}", "x".repeat(500));
                    let is_known = cache.get(&token).is_some();
                    if round > 5 {
                        (hits, asked) = (hits + usize::from(is_known), asked + 1);
                    }
                    if !is_known {
                        cache.insert(&token, verified_with(&claims));
                    }
                    let once = format!("{}once {round} {n:06}", "x".repeat(500));
                    cache.insert(&once, verified_with(&claims));
                }
            }
            assert!(hits * 100 >= asked * 99, "{hits} of {asked} with at most {max_entries}");
        }
    }

    #[test]
    fn four_thousand_tokens_of_the_usual_size_stay_in_the_cache_of_the_default_size() {
        let (_, claims) = payloads().swap_remove(2);
        let padding = "x".repeat(2_700 - 6);
        let cache = TokenCache::new(TokenCache::DEFAULT_ENTRIES, TokenCache::DEFAULT_BYTES);
        let tokens: Vec<String> = (0..4_000).map(|n| format!("{padding}{n:06}")).collect();
        for round in 0..3 {
            for token in &tokens {
                assert_eq!(cache.get(token).is_some(), round > 0, "{round}");
                if round == 0 {
                    cache.insert(token, verified_with(&claims));
                }
            }
        }
    }
}
