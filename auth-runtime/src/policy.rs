//! Policies as data: the [`Rule`] that a handler carries, and the [`Decision`] that it leads to.
//!
//! A rule is a constant. Nothing in it can run code, so what decides on a request, what the access table prints
//! and what a later analysis reads are one and the same value.

mod compiled;
mod decision;
mod document;
mod evaluate;
mod handler;
mod rule;
mod words;
mod written;

pub(crate) use self::compiled::CompiledRule;
pub use self::decision::{Decision, Denial, Remedy};
pub use self::document::{ClaimCondition, Condition, PolicyAccess, PolicyDocument};
pub(crate) use self::evaluate::Facts;
pub use self::handler::{HandlerInfo, Policy};
pub use self::rule::{Access, Expected, Literal, Requirement, Rule};
#[doc(hidden)]
pub use self::written::NamedRule;
pub(crate) use self::written::Relies;
