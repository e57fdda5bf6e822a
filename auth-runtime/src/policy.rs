//! Policies as data: the [`Rule`] that a handler carries, and the [`Decision`] that it leads to.
//!
//! A rule is a constant. No code runs in it, so the decision on a request, the access table and the lock all come from one
//! and the same tree of [`Condition`]s.

mod compiled;
mod condition;
mod decision;
mod decode;
mod display;
mod document;
mod evaluate;
mod handler;
mod objections;
mod rule;
mod scopes;

pub(crate) use self::compiled::CompiledRule;
pub(crate) use self::condition::Shape;
pub use self::condition::{ClaimCondition, Condition, Expected, Literal};
pub use self::decision::{Decision, Remedy};
pub(crate) use self::display::who;
pub(crate) use self::document::short_name;
pub use self::document::{PolicyAccess, PolicyDocument};
pub(crate) use self::evaluate::Facts;
pub use self::handler::{HandlerInfo, KnownArgument, Policy};
pub(crate) use self::objections::objections;
#[doc(hidden)]
pub use self::rule::NamedRule;
pub use self::rule::{Access, Rule};
pub(crate) use self::scopes::{named_scopes, needed_scopes};
