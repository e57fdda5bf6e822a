use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn format(prefix: &str) -> KeyFormat {
    KeyFormat::new(prefix).unwrap()
}

/// The form as another program would find it: a regular expression and the checksum of zlib.
#[test]
fn the_form_is_that_of_the_documentation() {
    let text = "acme_live_0123456789ABCDEFGHIJKL_0123456789ABCDEFGHIJKLMNOPQ";
    // python3: zlib.crc32(text.encode()) is 4042725884, which is 4PargC in base62.
    assert_eq!(crc32fast::hash(text.as_bytes()), 4_042_725_884);
    let key = std::format!("{text}4PargC");
    assert_eq!(format("acme_live").id(&key), Ok("0123456789ABCDEFGHIJKL"));
    // printf %s KEY | sha256sum
    let hex: String = hash(&key).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "04d900c617b41a619c912303cc304f65dc697086a3bb4222a116fcc9bb396d76");
}

#[test]
fn keys_are_new_and_use_every_letter() {
    let acme = format("acme");
    let keys: Vec<_> = (0..500).map(|_| acme.draw().unwrap()).collect();
    let mut ids = BTreeSet::new();
    let mut letters = BTreeSet::new();
    for key in &keys {
        assert_eq!(key.len(), "acme".len() + 57);
        assert_eq!(key.capacity(), key.len(), "it has not grown");
        assert!(ids.insert(acme.id(key).unwrap()));
        letters.extend(key.bytes().skip("acme_".len()));
    }
    assert_eq!(letters.len(), 62 + 1, "and `_`");
}

#[test]
fn a_prefix_that_cannot_be_one_is_named() {
    for prefix in ["", "a b", "a-b", "ä", "a.b", &"x".repeat(33)] {
        let error = KeyFormat::new(prefix).unwrap_err();
        assert!(error.contains(&format!("{prefix:?}")) && error.contains("`acme_live`"), "{error}");
    }
    for prefix in ["a", "_", "acme_live", "9", &"x".repeat(32)] {
        let format = KeyFormat::new(prefix).unwrap();
        let key = format.draw().unwrap();
        assert!(format.id(&key).is_ok(), "{prefix}");
    }
}

#[test]
fn a_key_of_another_prefix_is_none() {
    let prefixes = ["acme", "acme_live", "acme_test", "live", "_acme", "acme_", "Acme"];
    for one in prefixes {
        let key = format(one).draw().unwrap();
        for other in prefixes {
            assert_eq!(format(other).id(&key).is_ok(), one == other, "{one} and {other}");
        }
    }
}

fn prefixes() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_]{1,32}"
}

proptest! {
    #[test]
    fn a_key_is_read_as_it_was_drawn(prefix in prefixes()) {
        let format = format(&prefix);
        let key = format.draw().unwrap();
        let id = format.id(&key).unwrap();
        let start = prefix.len() + 1;
        prop_assert_eq!(id, &key[start..start + ID]);
    }

    /// Each position, and each other visible character: the store is not asked for it.
    #[test]
    fn every_wrong_character_is_found(prefix in prefixes()) {
        let format = format(&prefix);
        let key = format.draw().unwrap();
        for at in 0..key.len() {
            for byte in b'!'..=b'~' {
                let mut wrong = key.as_bytes().to_vec();
                if wrong[at] != byte {
                    wrong[at] = byte;
                    let wrong = String::from_utf8(wrong).unwrap();
                    prop_assert!(format.id(&wrong).is_err(), "{}", wrong);
                }
            }
        }
    }

    #[test]
    fn swapped_missing_and_additional_characters_are_found(prefix in prefixes(), other in any::<char>()) {
        let format = format(&prefix);
        let key = format.draw().unwrap();
        for at in 0..key.len() {
            let mut swapped = key.as_bytes().to_vec();
            if at > 0 && swapped[at] != swapped[at - 1] {
                swapped.swap(at, at - 1);
                prop_assert!(format.id(&String::from_utf8(swapped).unwrap()).is_err());
            }
            prop_assert!(format.id(&key[..at]).is_err(), "cut at {}", at);
            let mut missing = key.to_string();
            missing.remove(at);
            prop_assert!(format.id(&missing).is_err());
            let mut more = key.to_string();
            more.insert(at, other);
            prop_assert!(format.id(&more).is_err());
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in ".*", tail in "[A-Za-z0-9_é]{30,70}") {
        let format = format("acme");
        prop_assert!(format.id(&text).is_err());
        prop_assert!(format.id(&tail).is_err());
        let long = format!("acme_{tail}");
        prop_assert!(format.id(&long).is_err());
    }
}
