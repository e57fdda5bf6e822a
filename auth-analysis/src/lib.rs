//! What a rule means: whether somebody can keep it, whether everybody does, which of its parts change nothing.
//!
//! A rule is a [`Formula`] over atoms (has a role, carries a scope, ...), and what the vocabulary says of roles is a list of
//! [`Fact`]s between atoms. [`analyse`] decides exactly, for all callers at once, with a binary decision diagram; it never
//! takes longer than its budget. `auth-macros` asks it while it compiles.

mod atoms;
mod bdd;
mod example;
mod explain;
mod findings;
mod formula;
mod relations;
mod search;
#[cfg(test)]
mod tests;
mod witness;

pub use self::atoms::{Atom, Atoms};
pub use self::example::example;
pub use self::findings::{Clash, Finding, Redundancy, analyse};
pub use self::formula::{Fact, Formula};
pub use self::relations::Relations;

/// The diagram has grown past the budget: nothing is known of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverBudget;
