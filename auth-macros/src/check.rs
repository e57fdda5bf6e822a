//! Mistakes between arguments, and between the attribute and its function. One file a family.

pub(crate) mod names;
pub(crate) mod signature;
