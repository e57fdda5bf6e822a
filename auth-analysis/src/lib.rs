//! What a rule means: whether a caller can satisfy it, whether every caller does, which of its parts change nothing.
//!
//! A rule is a [`Formula`] over atoms (has a role, carries a scope, ...), and what the vocabulary says of roles is a list of
//! [`Fact`]s between atoms. [`analyze`] decides exactly, for all callers at once, with a binary decision diagram; it never
//! takes longer than its budget. `auth-macros` calls it while it compiles, and `auth-runtime` for the access table and its lock.

mod analyze;
mod atoms;
mod bdd;
mod budget;
mod example;
mod explain;
mod findings;
mod formula;
mod list_kind;
mod name;
mod relations;
mod search;
#[cfg(test)]
mod tests;
mod witness;

pub use self::analyze::analyze;
pub use self::atoms::{Atom, Atoms};
pub use self::budget::OverBudget;
pub use self::example::example;
pub use self::findings::{Clash, Finding, Redundancy};
pub use self::formula::{Fact, Formula};
pub use self::list_kind::ListKind;
pub use self::name::Named;
pub use self::relations::Relations;
