//! The forms that a password is hashed and compared in.

use super::*;

/// `é` as one character and as two, and with a space of another kind.
const NORMAL: &str = "caf\u{e9} noir";
const DECOMPOSED: &str = "cafe\u{301} noir";
const OTHER_SPACE: &str = "caf\u{e9}\u{a0}noir";

/// A hash as this library made it before, and as Django does: of the bytes that were sent.
fn hash_as_sent(password: &str) -> String {
    hasher().hash(password, &mut Buffers::default().take()).unwrap()
}

#[tokio::test]
async fn a_password_matches_however_it_is_typed() {
    let passwords = passwords();
    for hashed in [NORMAL, DECOMPOSED, OTHER_SPACE] {
        let stored = passwords.hash(hashed).await.unwrap();
        for sent in [NORMAL, DECOMPOSED, OTHER_SPACE] {
            assert!(passwords.verify(sent, Some(&stored)).await.unwrap(), "{hashed:?} {sent:?}");
        }
        for wrong in ["cafe noir", "Caf\u{e9} noir", "caf\u{e9} noir ", "caf\u{e9}noir"] {
            assert!(!passwords.verify(wrong, Some(&stored)).await.unwrap(), "{hashed:?} {wrong:?}");
        }
    }
}

/// The second of two forms is compared in the memory that the first was computed in.
#[tokio::test]
async fn a_hash_of_what_was_sent_matches_what_was_sent() {
    let passwords = passwords();
    for old in [NORMAL, DECOMPOSED, OTHER_SPACE] {
        let stored = hash_as_sent(old);
        for sent in [NORMAL, DECOMPOSED, OTHER_SPACE] {
            let expected = sent == old || old == NORMAL;
            assert_eq!(passwords.verify(sent, Some(&stored)).await, Ok(expected), "{old:?} {sent:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_allowed_is_an_error_to_hash_and_is_compared_as_it_was_sent() {
    let passwords = passwords();
    for password in ["", "tab\t", "nul\0", "❤\u{fe0f}", "\u{50000}", "zero\u{200b}width"] {
        assert_eq!(passwords.hash(password).await, Err(PasswordError::Disallowed), "{password:?}");
        let stored = hash_as_sent(password);
        assert_eq!(passwords.verify(password, Some(&stored)).await, Ok(true), "{password:?}");
        assert_eq!(passwords.verify(format!("{password}x"), Some(&stored)).await, Ok(false), "{password:?}");
        assert_eq!(passwords.verify(password, None).await, Ok(false), "{password:?}");
    }
}

/// Each form is hashed once, so their number is the work: it depends on what was sent alone.
#[test]
fn how_many_hashes_are_computed_says_nothing_of_the_account() {
    let hasher = hasher();
    let of_normal = hash_as_sent(NORMAL);
    let costly = of_normal.replace("m=32", "m=200000");
    let others = [NORMAL, DECOMPOSED, OTHER_SPACE, "", "other"].map(hash_as_sent);
    let stored: Vec<Option<&str>> = others
        .iter()
        .map(|hash| Some(hash.as_str()))
        .chain([Some(costly.as_str()), Some("$"), None])
        .collect();
    let kib = |bytes: usize, text: &str| text.repeat(bytes / text.len());
    for (sent, forms) in [
        (NORMAL.to_owned(), 1),
        (DECOMPOSED.to_owned(), 2),
        (OTHER_SPACE.to_owned(), 2),
        (String::new(), 1),
        ("tab\t".to_owned(), 1),
        // 3 bytes become 2
        (kib(1023, "e\u{301}"), 2),
        (kib(1536, "e\u{301}"), 1),
        (kib(3072, "e\u{301}"), 1),
        (kib(1024, "x"), 1),
        (kib(1025, "x"), 1),
        (kib(1_000_000, "\u{301}"), 1),
    ] {
        for stored in &stored {
            let comparison = hasher.comparison(sent.clone(), *stored);
            assert_eq!(comparison.forms.len(), forms, "{stored:?}");
        }
    }
}

/// The limit is that of the normalized form, which is shorter than what was sent, or longer.
#[tokio::test]
async fn a_password_is_as_long_as_its_normalized_form() {
    let passwords = passwords();
    let (sent, form) = ("e\u{301}".repeat(512), "\u{e9}".repeat(512));
    assert_eq!((sent.len(), form.len()), (1536, MAX_PASSWORD_BYTES));
    for password in [&sent, &form] {
        let stored = passwords.hash(password).await.unwrap();
        assert!(passwords.verify(&*sent, Some(&stored)).await.unwrap());
        assert!(passwords.verify(&*form, Some(&stored)).await.unwrap());
    }
    let (sent, form) = ("\u{1FBE}\u{308}\u{301}".repeat(512), "\u{390}".repeat(512));
    assert_eq!((sent.len(), form.len()), (3584, MAX_PASSWORD_BYTES), "the most that NFC makes shorter");
    assert!(passwords.verify(sent, Some(&passwords.hash(form).await.unwrap())).await.unwrap());

    // U+0958 becomes two characters of 3 bytes each.
    for long in ["\u{958}".repeat(171), "x".repeat(1025), "e\u{301}".repeat(100_000)] {
        assert_eq!(passwords.hash(&*long).await, Err(PasswordError::TooLong));
    }
    let stored = hash_as_sent(&"\u{958}".repeat(171));
    assert_eq!(passwords.verify("\u{958}".repeat(171), Some(&stored)).await, Ok(true), "as it was sent");
}
