//! The model: what `#[auth(..)]` and `rule!(..)` say, with the spans of the tokens that say it.

use auth_analysis::ListKind;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{LitStr, Path};

/// The arguments of one `#[auth(..)]` or `rule!(..)`.
#[derive(Default)]
pub(crate) struct Arguments {
    /// `crate = path`: where the runtime is, if not at `::auth_runtime`.
    pub(crate) root: Option<Path>,
    pub(crate) access: Access,
    /// `source = ..`; empty: the default of the engine.
    pub(crate) sources: Vec<Text>,
    /// The requirements of the top level, which are joined by `all`.
    pub(crate) requirements: Vec<Part>,
    pub(crate) check: Option<Path>,
}

/// Who is let in before any requirement is looked at.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Access {
    Public,
    Optional,
    #[default]
    Authenticated,
}

/// One node of the rule tree, and where it is written.
pub(crate) struct Part {
    pub(crate) requirement: Requirement,
    pub(crate) range: Range,
}

/// What a node requires.
pub(crate) enum Requirement {
    /// `roles = [..]`.
    List(ListKind, Vec<Text>),
    /// All of the claims of one `claims(..)`.
    Claims(Vec<Claim>),
    /// `max_age`, in seconds.
    MaxAge(u64),
    /// `rule = CONST`.
    Named(Path),
    Any(Vec<Part>),
    All(Vec<Part>),
    Not(Box<Part>),
}

/// `name = value` in `claims(..)`.
pub(crate) struct Claim {
    pub(crate) name: Text,
    pub(crate) expected: Expected,
    pub(crate) range: Range,
}

/// What a claim is compared with.
pub(crate) enum Expected {
    OneOf(Vec<Literal>),
    /// `path("param")`.
    PathParameter(Text),
}

/// A literal that a claim is compared with.
pub(crate) struct Literal {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

pub(crate) enum Value {
    String(String),
    Integer(i64),
    Boolean(bool),
}

/// A string literal. Its value is read once: it comes from the compiler, token by token.
#[derive(Clone)]
pub(crate) struct Text {
    value: String,
    span: Span,
}

impl Text {
    pub(crate) fn new(value: String, span: Span) -> Self {
        Self { value, span }
    }

    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }
}

impl From<LitStr> for Text {
    fn from(literal: LitStr) -> Self {
        Self { value: literal.value(), span: literal.span() }
    }
}

impl ToTokens for Text {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        LitStr::new(&self.value, self.span).to_tokens(tokens);
    }
}

/// From the first token of something to its last: the compiler can't join spans for us yet.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) first: Span,
    pub(crate) last: Span,
}

impl Range {
    pub(crate) fn of(span: Span) -> Self {
        Self { first: span, last: span }
    }

    /// Tokens that begin and end there.
    pub(crate) fn tokens(self) -> TokenStream {
        let (first, last) = (Ident::new("first", self.first), Ident::new("last", self.last));
        quote!(#first #last)
    }
}
