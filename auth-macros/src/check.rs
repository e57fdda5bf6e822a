//! Mistakes between arguments, and between the attribute and its function. One file a family.

pub(crate) mod declared;
pub(crate) mod meaning;
pub(crate) mod names;
pub(crate) mod signature;
pub(crate) mod words;
