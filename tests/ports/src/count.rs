//! Counts lines: all but blank ones and those that are a comment alone. So attributes, imports and lines of one brace count.

use std::collections::BTreeSet;

/// The numbers of the lines that count, from 1.
pub fn lines(source: &str) -> BTreeSet<usize> {
    let mut lexer = Lexer { rest: source, state: State::Code };
    let mut counted = BTreeSet::new();
    let mut number = 1;
    while let Some(character) = lexer.rest.chars().next() {
        let counts = lexer.step();
        if character == '\n' {
            number += 1;
        } else if counts && !character.is_whitespace() {
            counted.insert(number);
        }
    }
    counted
}

#[derive(Clone, Copy)]
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

struct Lexer<'s> {
    rest: &'s str,
    state: State,
}

impl Lexer<'_> {
    /// Goes on by a character, or by a token that changes the state, in one line. Returns whether it is one of the code.
    fn step(&mut self) -> bool {
        let (taken, next, counts) = self.next();
        self.rest = self.rest.get(taken..).unwrap();
        self.state = next;
        counts
    }

    fn next(&self) -> (usize, State, bool) {
        let (rest, state) = (self.rest, self.state);
        let one = rest.chars().next().map_or(0, char::len_utf8);
        match state {
            State::Code => self.code(one),
            State::LineComment if rest.starts_with('\n') => (one, State::Code, false),
            State::LineComment => (one, state, false),
            State::BlockComment { depth } if rest.starts_with("/*") => {
                (2, State::BlockComment { depth: depth + 1 }, false)
            }
            State::BlockComment { depth: 1 } if rest.starts_with("*/") => (2, State::Code, false),
            State::BlockComment { depth } if rest.starts_with("*/") => {
                (2, State::BlockComment { depth: depth - 1 }, false)
            }
            State::BlockComment { .. } => (one, state, false),
            State::Text if rest.starts_with("\\\"") || rest.starts_with("\\\\") => (2, state, true),
            State::Text if rest.starts_with('"') => (one, State::Code, true),
            State::RawText { hashes } if rest.starts_with(&format!("\"{}", "#".repeat(hashes))) => {
                (1 + hashes, State::Code, true)
            }
            State::Text | State::RawText { .. } => (one, state, true),
        }
    }

    fn code(&self, one: usize) -> (usize, State, bool) {
        let rest = self.rest;
        if rest.starts_with("//") {
            return (2, State::LineComment, false);
        }
        if rest.starts_with("/*") {
            return (2, State::BlockComment { depth: 1 }, false);
        }
        if rest.starts_with('"') {
            return (1, State::Text, true);
        }
        // A quote as a character. That of a lifetime begins nothing.
        if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            return (rest.get(1..).and_then(|rest| rest.find('\'')).unwrap_or(0) + 2, State::Code, true);
        }
        if let Some(raw) = rest.strip_prefix('r') {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            if raw.get(hashes..).is_some_and(|raw| raw.starts_with('"')) {
                return (2 + hashes, State::RawText { hashes }, true);
            }
        }
        (one, State::Code, true)
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    fn counted(source: &str) -> Vec<usize> {
        lines(source).into_iter().collect()
    }

    #[test]
    fn a_comment_alone_does_not_count() {
        assert_eq!(counted("//! a\n\nuse a; // b\n  /// c\n#[d]\nfn e() {\n    // f\n}\n"), [3, 5, 6, 8]);
        assert_eq!(counted("/* a\n b /* c */\n d */ e\n/* f */\n"), [3]);
        assert_eq!(counted(""), [0; 0]);
    }

    #[test]
    fn what_is_in_a_text_is_no_comment() {
        assert_eq!(counted("let a = \"\n// b\n\\\" // c\n\";\n// d\n"), [1, 2, 3, 4]);
        assert_eq!(counted("let a = r#\"\n// \"b\n\"#;\n// c\n"), [1, 2, 3]);
        assert_eq!(counted("let a = '\"';\n// b\nlet c = '\\\"';\n// d\nfn e<'f>() {}\n// g\n"), [1, 3, 5]);
        assert_eq!(counted("let a = \"\\\\\";\n// b\n"), [1]);
        assert_eq!(counted("let a = \"https://b\";\n"), [1]);
    }
}
