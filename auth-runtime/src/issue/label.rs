//! The label of a session or of an API key: text that its owner recognizes it by, and that may come from a client.

/// The maximum number of characters of a label.
const MAX_CHARACTERS: usize = 200;

/// Returns the text in one line of at most 200 characters, without control characters; `None` if nothing is left.
pub(crate) fn one_line(text: &str) -> Option<String> {
    let words = text.split(is_separator).filter(|word| !word.is_empty());
    let mut label = String::new();
    let mut left = MAX_CHARACTERS;
    for word in words {
        if !label.is_empty() && left > 1 {
            label.push(' ');
            left -= 1;
        } else if !label.is_empty() {
            break;
        }
        let taken = word.char_indices().nth(left).map_or(word, |(end, _)| word.get(..end).unwrap_or(word));
        label.push_str(taken);
        left -= taken.chars().count();
        if left == 0 {
            break;
        }
    }
    (!label.is_empty()).then_some(label)
}

/// White space, control characters, and the characters that change the direction of the text around them (UAX #9 §2).
fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{MAX_CHARACTERS, is_separator, one_line};
    use proptest::prelude::*;

    #[test]
    fn a_label_is_one_line() {
        for (text, label) in [
            ("Firefox on Linux", Some("Firefox on Linux")),
            ("  a\r\n\tb\u{0}c  ", Some("a b c")),
            ("\u{202e}gpj.exe", Some("gpj.exe")),
            ("a\u{85}b\u{2028}c\u{9b}31m", Some("a b c 31m")),
            ("", None),
            (" \r\n\u{2066}", None),
        ] {
            assert_eq!(one_line(text).as_deref(), label, "{text:?}");
        }
        let long = "ü".repeat(1000);
        assert_eq!(one_line(&long), Some("ü".repeat(MAX_CHARACTERS)));
    }

    #[test]
    fn a_label_is_bounded_and_printable_whatever_the_text_is() {
        let words = || prop_oneof![3 => any::<String>(), 1 => "[a-z \\r\\n]{190,220}", 1 => "(.| ){150,260}"];
        auth_tests_random::runner(512)
            .run(&words(), |text| {
                let Some(label) = one_line(&text) else {
                    prop_assert!(text.chars().all(is_separator));
                    return Ok(());
                };
                prop_assert!(label.chars().count() <= MAX_CHARACTERS);
                prop_assert!(label.chars().all(|character| character == ' ' || !is_separator(character)));
                prop_assert_eq!(label.trim(), &label);
                prop_assert_eq!(one_line(&label), Some(label));
                Ok(())
            })
            .unwrap();
    }
}
