//! The account that a name means to the limits. Nothing else is normalized: the application gets the name as it was sent.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// How much of a name counts, in bytes. It bounds the work for an anonymous caller; longer names that begin alike are one account.
const MAX_BYTES: usize = 1024;

/// The key of an account. Every name has one.
#[derive(PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct AccountKey(String);

impl AccountKey {
    /// Names that differ in case, in compatibility characters (`ｆ`, `ﬁ`, `ℌ`), in the composition of accents or in spaces around them
    /// are one account. This is Unicode's compatibility caseless match (Unicode 17 §3.13, D146), in NFKC.
    pub(super) fn of(name: &str) -> Self {
        let name = name.trim();
        let name = name.get(..name.floor_char_boundary(MAX_BYTES)).unwrap_or(name);
        if name.is_ascii() {
            return Self(name.trim_end().to_ascii_lowercase());
        }
        let folder = CaseMapper::new();
        let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(name);
        let folded = folder.fold_string(&decomposed);
        let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&folded);
        let folded = folder.fold_string(&decomposed);
        // A character such as `¨` is a space and an accent, so spaces are removed at the end.
        Self(ComposingNormalizerBorrowed::new_nfkc().normalize(&folded).trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use auth_tests_random::runner;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_a_reader_takes_for_one_are_one_account() {
        for same in [
            &["alice", "Alice", " ALICE\n", "\u{3000}ａｌｉｃｅ", "ALI\u{2102}E", "𝓪𝓵𝓲𝓬𝓮"][..],
            &["ärger", "ÄRGER", "a\u{308}rger", "A\u{308}RGER"],
            &["straße", "STRASSE", "strasse", "STRA\u{1E9E}E"],
            &["σας", "ΣΑΣ", "σασ"],
            &["ﬁn", "FIN", "fin"],
            &["α\u{345}\u{301}", "\u{1FB4}", "ΆΙ", "άι"],
            &["¨x", "\u{308}x", " \u{308}X"],
            &["", " ", "\u{A0}\n"],
        ] {
            for name in same {
                assert_eq!(AccountKey::of(name), AccountKey::of(same[0]), "{name:?}");
            }
        }
    }

    #[test]
    fn other_names_are_other_accounts() {
        let names = ["alice", "a lice", "аlice", "al\0ice", "alice\0", "älice", "alıce", "alice@example.com"];
        for (index, name) in names.iter().enumerate() {
            for other in &names[..index] {
                assert_ne!(AccountKey::of(name), AccountKey::of(other), "{name:?} {other:?}");
            }
        }
    }

    /// No name is refused, and none takes more work than its first kibibyte.
    #[test]
    fn the_work_is_bounded() {
        // U+FDFA becomes 18 characters.
        for text in ["x", "\u{0}", "\u{FDFA}", "\u{301}", "\u{1F80}", "🤔"] {
            let long = format!("a{}", text.repeat(16 * 1024));
            let key = AccountKey::of(&long);
            assert!(key.0.len() <= 11 * MAX_BYTES, "{text:?}: {}", key.0.len());
            assert_eq!(key, AccountKey::of(&format!("{long}b")), "{text:?}");
        }
        assert_ne!(AccountKey::of(&"x".repeat(1023)), AccountKey::of(&"x".repeat(1024)));
    }

    #[test]
    fn a_key_is_its_own_key() {
        runner(500)
            .run(&any::<String>(), |name| {
                let key = AccountKey::of(&name);
                prop_assert_eq!(AccountKey::of(&key.0), AccountKey::of(&name));
                Ok(())
            })
            .unwrap();
    }
}
