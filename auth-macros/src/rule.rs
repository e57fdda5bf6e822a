//! The model: what `#[auth(..)]` and `rule!(..)` say, with the spans of the words that say it.

use syn::{Lit, LitStr, Path};

/// The arguments of one `#[auth(..)]` or `rule!(..)`.
#[derive(Default)]
pub(crate) struct Arguments {
    /// `crate = path`: where the runtime is, if not at `::auth_runtime`.
    pub(crate) root: Option<Path>,
    pub(crate) access: Access,
    /// `source = ..`; empty: the default of the engine.
    pub(crate) sources: Vec<LitStr>,
    /// The requirements of the top level, which are joined by `all`.
    pub(crate) requirements: Vec<Requirement>,
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

/// One node of the rule tree.
pub(crate) enum Requirement {
    Roles(Vec<LitStr>),
    Scopes(Vec<LitStr>),
    Permissions(Vec<LitStr>),
    /// All of the claims of one `claims(..)`.
    Claims(Vec<(LitStr, Expected)>),
    /// `max_age`, in seconds.
    MaxAge(u64),
    Acr(Vec<LitStr>),
    /// `rule = CONST`.
    Named(Path),
    Any(Vec<Requirement>),
    All(Vec<Requirement>),
    Not(Box<Requirement>),
}

/// What a claim is compared with.
pub(crate) enum Expected {
    OneOf(Vec<Lit>),
    /// `path("param")`.
    PathParameter(LitStr),
}
