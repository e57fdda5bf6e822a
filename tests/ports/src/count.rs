//! Counts lines: all but blank ones and those that are a comment alone. So attributes, imports and lines of one brace count.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

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

/// Those lines of what a row names: of the chain's own line if the line is one of a chain of methods, such as `.users(accounts)`, else of the
/// whole function or type that it is in.
///
/// # Panics
/// If the source cannot be parsed.
pub fn lines_of_item(source: &str, line: usize) -> BTreeSet<usize> {
    let text = source.lines().nth(line - 1).unwrap();
    let mut range = line..=line;
    if !text.trim_start().starts_with('.') {
        let mut items = Items { line, smallest: None };
        items.visit_file(&syn::parse_file(source).unwrap());
        if let Some((first, last)) = items.smallest {
            range = first..=last;
        }
    }
    lines(source).into_iter().filter(|line| range.contains(line)).collect()
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

/// Looks for the smallest function or type with a line in it.
struct Items {
    line: usize,
    smallest: Option<(usize, usize)>,
}

impl Items {
    fn consider(&mut self, span: Span) {
        let (first, last) = (span.start().line, span.end().line);
        let is_smaller = self.smallest.is_none_or(|(from, to)| last - first < to - from);
        if (first..=last).contains(&self.line) && is_smaller {
            self.smallest = Some((first, last));
        }
    }
}

impl<'ast> Visit<'ast> for Items {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.consider(item.span());
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.consider(function.span());
        visit::visit_impl_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::{lines, lines_of_item};

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

    #[test]
    fn a_line_of_a_chain_counts_alone_and_another_one_with_its_function() {
        let source = "use a;\n\n/// b\n#[c]\nfn d() {\n    // e\n    f()\n        .g()\n}\n\nimpl H {\n    fn i() {\n        j\n    }\n}\n";
        let of = |line| lines_of_item(source, line).into_iter().collect::<Vec<_>>();
        assert_eq!(of(8), [8]);
        assert_eq!(of(7), [4, 5, 7, 8, 9]);
        assert_eq!(of(4), [4, 5, 7, 8, 9]);
        assert_eq!(of(13), [12, 13, 14]);
        assert_eq!(of(11), [11, 12, 13, 14, 15]);
        assert_eq!(of(1), [1]);
    }
}
