//! The account that a name means to the limits. Nothing else is normalized: the application gets the name as it was sent.

use std::fmt;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// How much of a name counts, in bytes. It bounds the work for an anonymous caller; longer names that begin alike are one account.
const MAX_BYTES: usize = 1024;

/// The account of a login attempt: what its attempts are counted for.
///
/// Names and ids are never one account, so that the attempts for a name that no user has say nothing of the user with this id.
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_enums, reason = "an account has a name or an id")]
pub enum Account<'a> {
    /// The name that the client sent, whether such a user exists or not. The limits ignore its case, its form in Unicode and spaces
    /// around it, and of a name of more than 1,024 bytes the beginning counts.
    Name(&'a str),
    /// The application's id of the user, where several names lead to one user, such as an alias and an e-mail address.
    Id(&'a str),
}

impl<'a> From<&'a str> for Account<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl<'a> From<&'a String> for Account<'a> {
    fn from(name: &'a String) -> Self {
        Self::Name(name)
    }
}

/// Redacted, because users type their password into the wrong field.
impl fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name(_) => "Name([redacted])",
            Self::Id(_) => "Id([redacted])",
        })
    }
}

/// The key of an account. Every name and every id has one.
#[derive(PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum AccountKey {
    Name(String),
    Id(String),
}

impl AccountKey {
    pub(super) fn of(account: Account<'_>) -> Self {
        match account {
            Account::Name(name) => Self::Name(key_of_name(name)),
            Account::Id(id) => Self::Id(id.to_owned()),
        }
    }
}

/// Names that differ in case, in compatibility characters (`ｆ`, `ﬁ`, `ℌ`), in the composition of accents or in spaces around them
/// are one account. This is Unicode's compatibility caseless match (Unicode 17 §3.13, D146), in NFKC.
fn key_of_name(name: &str) -> String {
    let name = name.trim();
    let name = name.get(..name.floor_char_boundary(MAX_BYTES)).unwrap_or(name);
    if name.is_ascii() {
        return name.trim_end().to_ascii_lowercase();
    }
    let folder = CaseMapper::new();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(name);
    let folded = folder.fold_string(&decomposed);
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&folded);
    let folded = folder.fold_string(&decomposed);
    // A character such as `¨` is a space and an accent, so spaces are removed at the end.
    ComposingNormalizerBorrowed::new_nfkc().normalize(&folded).trim().to_owned()
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
                assert_eq!(key_of_name(name), key_of_name(same[0]), "{name:?}");
            }
        }
    }

    #[test]
    fn an_id_is_no_name() {
        let of = |account| AccountKey::of(account);
        assert_ne!(of(Account::Name("7")), of(Account::Id("7")));
        assert_ne!(of(Account::Id("a")), of(Account::Id("A")));
        assert_eq!(of("A".into()), of(Account::Name("a")));
        assert_eq!(format!("{:?}", Account::Name("secret")), "Name([redacted])");
    }

    #[test]
    fn other_names_are_other_accounts() {
        let names = ["alice", "a lice", "аlice", "al\0ice", "alice\0", "älice", "alıce", "alice@example.com"];
        for (index, name) in names.iter().enumerate() {
            for other in &names[..index] {
                assert_ne!(key_of_name(name), key_of_name(other), "{name:?} {other:?}");
            }
        }
    }

    /// No name is refused, and none takes more work than its first kibibyte.
    #[test]
    fn the_work_is_bounded() {
        // U+FDFA becomes 18 characters.
        for text in ["x", "\u{0}", "\u{FDFA}", "\u{301}", "\u{1F80}", "🤔"] {
            let long = format!("a{}", text.repeat(16 * 1024));
            let key = key_of_name(&long);
            assert!(key.len() <= 11 * MAX_BYTES, "{text:?}: {}", key.len());
            assert_eq!(key, key_of_name(&format!("{long}b")), "{text:?}");
        }
        assert_ne!(key_of_name(&"x".repeat(1023)), key_of_name(&"x".repeat(1024)));
    }

    #[test]
    fn a_key_is_its_own_key() {
        runner(500)
            .run(&any::<String>(), |name| {
                let key = key_of_name(&name);
                prop_assert_eq!(key_of_name(&key), key_of_name(&name));
                Ok(())
            })
            .unwrap();
    }
}
