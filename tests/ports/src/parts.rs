//! The parts of a file: what begins at a line.
//!
//! A part is an attribute, an item, a statement, an expression, a field, an argument, an arm, or a link of a chain of methods, such as
//! `.users(accounts)`. It is whole: an item has its attributes and its body.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::count;

/// A file of Rust.
#[derive(Debug, Default)]
pub struct Parts {
    /// The numbers of the lines that count.
    lines: BTreeSet<usize>,
    /// The column of the first character of each line.
    columns: Vec<usize>,
    /// Where a part begins, by line and column, and its lines. What has attributes begins after them.
    parts: Vec<((usize, usize), RangeInclusive<usize>)>,
    /// The implementations of [`USERS`].
    users: Vec<RangeInclusive<usize>>,
}

/// The traits that a table of users implements: the library has none, and the frameworks of the documents have one.
const USERS: [&str; 3] = ["LoginVerifier", "SubjectStore", "UserStore"];

impl Parts {
    /// # Panics
    /// If the source cannot be parsed.
    pub fn new(source: &str) -> Self {
        let columns = source.lines().map(|line| line.chars().take_while(|c| c.is_whitespace()).count());
        let mut parts = Self { lines: count::lines(source), columns: columns.collect(), ..Self::default() };
        parts.visit_file(&syn::parse_file(source).unwrap());
        parts
    }

    /// The lines that count of the part that begins with the first character of this line. `None`: the line is within a part.
    pub fn at(&self, line: usize) -> Option<BTreeSet<usize>> {
        let start = (line, *self.columns.get(line.checked_sub(1)?)?);
        let parts = self.parts.iter().filter(|(begin, _)| *begin == start).map(|(_, lines)| lines);
        // An expression and its statement begin together.
        let part = parts.max_by_key(|lines| *lines.end())?;
        Some(self.lines.range(part.clone()).copied().collect())
    }

    /// Whether this line is one of a table of users.
    pub fn is_of_users(&self, line: usize) -> bool {
        self.users.iter().any(|lines| lines.contains(&line))
    }

    fn part(&mut self, part: &impl ToTokens) {
        let mut tokens = part.to_token_stream().into_iter().peekable();
        // An attribute is a `#` and its brackets.
        while tokens
            .next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#'))
            .is_some()
        {
            tokens.next();
        }
        if let Some(first) = tokens.next() {
            let (start, lines) = (first.span().start(), part.span().start().line..=part.span().end().line);
            self.parts.push(((start.line, start.column), lines));
        }
    }
}

impl<'ast> Visit<'ast> for Parts {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.part(item);
        visit::visit_item(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let (start, end) = (attribute.span().start(), attribute.span().end());
        self.parts.push(((start.line, start.column), start.line..=end.line));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let last = item.trait_.as_ref().and_then(|(.., path, _)| path.segments.last());
        if last.is_some_and(|last| USERS.iter().any(|name| last.ident == name)) {
            self.users.push(item.span().start().line..=item.span().end().line);
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        self.part(item);
        visit::visit_impl_item(self, item);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.part(field);
        visit::visit_field(self, field);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.part(variant);
        visit::visit_variant(self, variant);
    }

    fn visit_fn_arg(&mut self, argument: &'ast syn::FnArg) {
        self.part(argument);
        visit::visit_fn_arg(self, argument);
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        self.part(statement);
        visit::visit_stmt(self, statement);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.part(arm);
        visit::visit_arm(self, arm);
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        self.part(field);
        visit::visit_field_value(self, field);
    }

    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        self.part(expression);
        visit::visit_expr(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let (dot, end) = (call.dot_token.span().start(), call.paren_token.span.close().end());
        self.parts.push(((dot.line, dot.column), dot.line..=end.line));
        visit::visit_expr_method_call(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    const SOURCE: &str = "\
use a::{A, b};
use c::D;
use e::*;

/// f
#[g]
#[h(
    i,
)]
fn j(k: A) {
    // l
    let m = n
        .o(
            p,
        )
        .q();
    match m {
        1 => {
            r()
        }
        _ => b::D,
    }
}

impl S {
    fn t(
        u: V, // w
        x: Y,
    ) {
    }
}

struct Z {
    #[aa]
    bb: A,
}
";

    #[track_caller]
    fn assert_at(line: usize, expected: &[usize]) {
        let found = Parts::new(SOURCE).at(line).unwrap_or_default();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "line {line}");
    }

    #[test]
    fn an_item_is_whole_and_an_attribute_is_a_part() {
        assert_at(10, &[6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
        assert_at(6, &[6]);
        assert_at(7, &[7, 8, 9]);
        assert_at(25, &[25, 26, 27, 28, 29, 30, 31]);
        assert_at(26, &[26, 27, 28, 29, 30]);
        assert_at(34, &[34]);
        assert_at(35, &[34, 35]);
    }

    #[test]
    fn what_begins_in_an_item_is_alone() {
        assert_at(12, &[12, 13, 14, 15, 16]);
        assert_at(13, &[13, 14, 15]);
        assert_at(14, &[14]);
        assert_at(16, &[16]);
        assert_at(18, &[18, 19, 20]);
        assert_at(21, &[21]);
        assert_at(27, &[27]);
    }

    #[test]
    fn a_table_of_users_is_known_by_its_traits() {
        let parts =
            Parts::new("impl A {\n}\nimpl a::UserStore for A {\n    b!();\n}\nimpl B for UserStore {}\n");
        let of_users: Vec<usize> = (1..=6).filter(|line| parts.is_of_users(*line)).collect();
        assert_eq!(of_users, [3, 4, 5]);
    }

    #[test]
    fn nothing_begins_within_a_part() {
        for line in [3 + 1, 8, 9, 11, 15, 29, 0, 99] {
            assert_eq!(Parts::new(SOURCE).at(line), None, "line {line}");
        }
    }
}
