//! How the modules of a crate use each other, read from its sources by `syn`: circles, uses of a layer above, and sizes.
//!
//! Names are resolved as far as modules go: `crate::`, `super::` and `self::`, child modules by their names, `use` with groups,
//! globs and new names. What the `use` of a module brings into it counts there, and nowhere else. Inside of a macro's tokens, paths
//! that begin with `crate`, `super` or `self` are found. What is compiled for tests alone is left out.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod circles;
mod collect;
mod model;
mod source;
mod table;

pub use self::circles::circles;
pub use self::source::{Crate, Function, Module, Use};
pub use self::table::Layers;
