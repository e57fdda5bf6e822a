//! Errors between arguments, and between the attribute and its function. One file a family.

pub(crate) mod conflicts;
pub(crate) mod declared;
pub(crate) mod display;
mod formula;
pub(crate) mod satisfiability;
pub(crate) mod signature;
