//! Parts of a token, or of what else a stranger wrote, that a log may show.

use std::fmt;

/// The greatest length of an excerpt, in characters.
const MAX_CHARACTERS: usize = 200;

/// A claim of a token that was rejected, for the log: at most 200 characters, quoted. Characters that end a line, that are
/// invisible or that change the direction of the text are escaped, so that the sender of a token can't forge a line of the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    /// Returns the excerpt of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::of(&text)
    }

    /// Returns the excerpt of a list of texts; of the text itself if there is only one.
    pub(crate) fn of_list(texts: &[impl fmt::Debug]) -> Self {
        match texts {
            [one] => Self::of(one),
            several => Self::of(&several),
        }
    }

    /// `Debug` of a string escapes what is not printable (`char::escape_debug`).
    fn of(value: &dyn fmt::Debug) -> Self {
        let quoted = format!("{value:?}");
        Self(match quoted.char_indices().nth(MAX_CHARACTERS) {
            Some((end, _)) => format!("{}..", quoted.get(..end).unwrap_or_default()).into(),
            None => quoted.into(),
        })
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Excerpt, MAX_CHARACTERS};

    #[test]
    fn it_is_quoted_and_shortened() {
        let list = |texts: &[&str]| Excerpt::of_list(texts).to_string();
        assert_eq!(Excerpt::new("https://id.example").to_string(), r#""https://id.example""#);
        assert_eq!(Excerpt::new("\n\u{1b}[31m\"\\").to_string(), r#""\n\u{1b}[31m\"\\""#);
        assert_eq!(Excerpt::new("a\u{202e}b\u{2028}\u{200b}").to_string(), r#""a\u{202e}b\u{2028}\u{200b}""#);
        assert_eq!(list(&[]), "[]");
        assert_eq!(list(&["a"]), r#""a""#);
        assert_eq!(list(&["a", "b\r"]), r#"["a", "b\r"]"#);
        for long in [Excerpt::new(&"é".repeat(10_000)).to_string(), list(&["ab"; 5_000])] {
            assert_eq!(long.chars().count(), MAX_CHARACTERS + 2, "{long}");
            assert!(long.ends_with(".."));
        }
    }

    #[test]
    fn it_never_holds_more_than_one_line() {
        auth_tests_random::runner(1_000)
            .run(&prop::collection::vec(any::<char>(), 0..300), |characters| {
                let text: String = characters.into_iter().collect();
                let excerpt = Excerpt::new(&text).to_string();
                prop_assert!(excerpt.chars().count() <= MAX_CHARACTERS + 2);
                let hidden =
                    ['\u{200b}', '\u{200e}', '\u{202e}', '\u{2028}', '\u{2029}', '\u{2066}', '\u{feff}'];
                prop_assert!(!excerpt.chars().any(|c| c.is_control() || hidden.contains(&c)), "{}", excerpt);
                Ok(())
            })
            .unwrap();
    }
}
